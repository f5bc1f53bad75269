"""What all networks that make images from something else share."""

import keras

from keras_segpaint.models.arguments import Shape
from keras_segpaint.models.remembered import RememberedModel


class SynthesisModel(RememberedModel):
    """A network that makes an image: float32 in [-1, 1], `(batch, height, width, channels)`.

    A network that is guided by a label map takes labels `(batch, height, width)` as its first input, integers or whole
    floats, and makes an image of their size.
    """


def label_input(input_shape: Shape, name: str = "labels") -> keras.KerasTensor:
    """An input of labels `(batch, height, width)`, of the size of the image of shape `input_shape`; floats are cast."""
    return keras.Input(input_shape[:2], dtype="int32", name=name)
