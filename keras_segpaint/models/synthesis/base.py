"""What all networks that make images from something else share."""

from typing import Any

import keras
from keras import initializers, layers

from keras_segpaint.layers import LabelMapEncoding
from keras_segpaint.layers.factory import LayerFactory
from keras_segpaint.models.arguments import Shape, map_input
from keras_segpaint.models.remembered import RememberedModel


class SynthesisModel(RememberedModel):
    """A network that makes an image: float32 in [-1, 1] unless it says otherwise, `(batch, height, width, channels)`.

    A network that is guided by a label map takes labels `(batch, height, width)` as its first input, integers or whole
    floats, and makes an image of their size.
    """


def label_input(input_shape: Shape, name: str = "labels") -> keras.KerasTensor:
    """An input of labels `(batch, height, width)`, of the size of the image of shape `input_shape`; floats are cast."""
    return keras.Input(input_shape[:2], dtype="int32", name=name)


def guides(
    num_labels: int, ignore_class: int | None, edges: bool, input_shape: Shape, build: LayerFactory
) -> tuple[list[Any], Any]:
    """The inputs that say what the image is to show, and all of it as planes; see `guide_inputs` and `guide_planes`."""
    inputs = guide_inputs(edges, input_shape, build)
    return inputs, guide_planes(inputs, num_labels, ignore_class, build)


def guide_inputs(edges: bool, input_shape: Shape, build: LayerFactory) -> list[Any]:
    """The inputs that say what the image is to show: labels, and edges if there are any."""
    inputs = [label_input(input_shape)]
    if edges:
        inputs.append(map_input(input_shape, 1, build.data_format, "edges"))
    return inputs


def guide_planes(
    maps: list[Any], num_labels: int, ignore_class: int | None, build: LayerFactory, prefix: str = ""
) -> Any:
    """Labels, and edges if there are any, as planes; `prefix` is that of the layers' names."""
    settings: dict[str, Any] = dict(data_format=build.data_format, dtype=build.dtype)
    planes = LabelMapEncoding(num_labels, ignore_class, name=f"{prefix}label_planes", **settings)(maps[0])
    return planes if len(maps) == 1 else build.concatenate(name=f"{prefix}planes")([planes, *maps[1:]])


def small_initializer() -> initializers.Initializer:
    """Glorot's normal distribution with a fiftieth of its deviation, as networks of the pix2pix family start.

    What `SPADE` adds to a normalisation is next to nothing then.
    """
    return initializers.VarianceScaling(0.02**2, mode="fan_avg", distribution="untruncated_normal")


class SynthesisLayers(LayerFactory):
    """Layers of networks that make images and of those that judge and encode them."""

    def conv(self, filters: int, kernel_size: Any, **kwargs: Any) -> layers.Conv2D:
        """A convolution with small weights, `"same"` padding unless told otherwise."""
        kwargs.setdefault("kernel_initializer", small_initializer())
        return super().conv(filters, kernel_size, **kwargs)

    def conv_transpose(self, filters: int, kernel_size: Any, **kwargs: Any) -> layers.Conv2DTranspose:
        """A transposed convolution with small weights, `"same"` padding unless told otherwise."""
        kwargs.setdefault("kernel_initializer", small_initializer())
        return super().conv_transpose(filters, kernel_size, **kwargs)

    def leaky_relu(self, **kwargs: Any) -> layers.LeakyReLU:
        """A leaky rectifier of slope 0.2."""
        return layers.LeakyReLU(negative_slope=0.2, dtype=self.dtype, **kwargs)
