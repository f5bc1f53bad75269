"""What all inpainting networks and their critics share."""

from typing import Any, ClassVar

import keras
from keras import layers

from keras_segpaint.layers.factory import LayerFactory
from keras_segpaint.models.remembered import RememberedModel
from keras_segpaint.ops.spatial import standardize_data_format


class InpaintingModel(RememberedModel):
    """A network that fills the holes of an image.

    Its inputs are `[image, mask]`: float32 images in [-1, 1] and hole masks `(batch, height, width, 1)` with 1 for a
    hole. What the image holds in its holes does not matter. The output is the whole image as the network makes it:
    keep the known pixels of the input by `mask * output + (1 - mask) * image`.

    A network of two stages takes `both_stages`: with `True`, for training, the output is a dictionary of `"image"` and
    `"coarse"`, the result of the first stage; `predictor()` gives the network with the image alone.

    Attributes:
        size_multiple: What height and width have to be multiples of.
        smallest_size: Least height and width.
    """

    size_multiple: ClassVar[int] = 1
    smallest_size: ClassVar[int] = 1

    def predictor(self) -> "InpaintingModel":
        """The network whose only output is the final image, with the same weights; itself where it is one."""
        if not self._arguments.get("both_stages"):
            return self
        return self.rebuilt(both_stages=False)


def standardize_arguments(
    input_shape: Any, data_format: str | None, dtype: Any
) -> tuple[tuple[int | None, int | None, int], str, keras.DTypePolicy]:
    """Checks the arguments that every model takes and resolves the defaults among them."""
    shape = tuple(input_shape)
    if len(shape) != 3 or not isinstance(shape[2], int):
        raise ValueError(
            "`input_shape` must be (height, width, channels) of the image without the batch, in this order for either "
            f"data format; height and width may be None. Received: input_shape={input_shape!r}"
        )
    policy = keras.dtype_policies.get(dtype if dtype is not None else keras.config.dtype_policy())
    return shape, standardize_data_format(data_format), policy


def standardize_width(value: Any, name: str, divisor: int = 1) -> int:
    """Checks the width of a network; its halves and quarters must be whole where `divisor` says so."""
    if not isinstance(value, int) or value < 1 or value % divisor:
        raise ValueError(f"`{name}` must be a positive multiple of {divisor}. Received: {name}={value!r}")
    return value


def map_input(
    input_shape: tuple[int | None, int | None, int], channels: int, data_format: str, name: str
) -> keras.KerasTensor:
    """An input tensor of the image's size: float32, with `channels` channels."""
    height, width, _ = input_shape
    shape = (height, width, channels) if data_format == "channels_last" else (channels, height, width)
    return keras.Input(shape, dtype="float32", name=name)


def float32_image(x: Any, activation: str, name: str) -> Any:
    """Casts the last layer's result to float32 and brings it into the range of images."""
    return layers.Activation(activation, dtype="float32", name=name)(x)


def keep_known(known: Any, mask: Any, made: Any) -> Any:
    """An image whose holes are 0, filled with another one: where its mask is 1."""
    return known + made * mask


class Critics(LayerFactory):
    """Layers of discriminators."""

    def leaky_relu(self, **kwargs: Any) -> layers.LeakyReLU:
        """A leaky rectifier of slope 0.2."""
        return layers.LeakyReLU(negative_slope=0.2, dtype=self.dtype, **kwargs)
