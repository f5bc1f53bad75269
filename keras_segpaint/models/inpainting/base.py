"""What all inpainting networks and their critics share: their inputs, and that they remember their arguments."""

from typing import Any, ClassVar

import keras
from keras import layers

from keras_segpaint.layers.factory import LayerFactory
from keras_segpaint.ops.spatial import standardize_data_format


class RememberedModel(keras.Model):
    """A functional model that remembers the arguments it was built from.

    A subclass builds its graph in `__init__` and ends with `super().__init__(inputs, outputs, arguments=..., ...)`.

    Attributes:
        paper: The publication, one line.
        good_for: What the network is good for, in a few words.
        reference_parameters: Arguments, and the number of trainable parameters that they give.
        data_format: `"channels_last"` or `"channels_first"`.
    """

    paper: ClassVar[str] = ""
    good_for: ClassVar[str] = ""
    reference_parameters: ClassVar[tuple[tuple[dict[str, Any], int], ...]] = ()

    def __init__(self, inputs: Any, outputs: Any, *, arguments: dict[str, Any], name: str, **kwargs: Any):
        super().__init__(inputs=inputs, outputs=outputs, name=name, **kwargs)
        self._arguments = dict(arguments)
        self.data_format = arguments["data_format"]

    def get_config(self) -> dict[str, Any]:
        return {**self._arguments, "name": self.name, "trainable": self.trainable}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "RememberedModel":
        """Builds the model from the arguments that `get_config` gave."""
        config = dict(config)
        trainable = config.pop("trainable", True)
        model = cls(**config)
        if not trainable:
            model.trainable = False
        return model


class InpaintingModel(RememberedModel):
    """A network that fills the holes of an image.

    Its inputs are `[image, mask]`: float32 images in [-1, 1] and hole masks `(batch, height, width, 1)` with 1 for a
    hole. What the image holds in its holes does not matter. The output is the whole image as the network makes it:
    keep the known pixels of the input by `mask * output + (1 - mask) * image`.

    A network of two stages takes `both_stages`: with `True`, for training, the output is a dictionary of `"image"` and
    `"coarse"`, the result of the first stage; `predictor()` gives the network with the image alone.
    """

    def predictor(self) -> "InpaintingModel":
        """The network whose only output is the final image, with the same weights; itself where it is one."""
        if not self._arguments.get("both_stages"):
            return self
        model = type(self).from_config({**self.get_config(), "both_stages": False})
        for layer in model.layers:
            layer.set_weights(self.get_layer(layer.name).get_weights())
        return model


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
