"""Arguments and inputs that all networks share."""

from typing import Any

import keras

from keras_segpaint.ops.spatial import standardize_data_format

Shape = tuple[int | None, int | None, int]


def standardize_arguments(
    input_shape: Any, data_format: str | None, dtype: Any
) -> tuple[Shape, str, keras.DTypePolicy]:
    """Checks the arguments that every network takes and resolves the defaults among them."""
    shape = tuple(input_shape)
    if len(shape) != 3 or not isinstance(shape[2], int):
        raise ValueError(
            "`input_shape` must be (height, width, channels) without the batch, in this order for either data format; "
            f"height and width may be None. Received: input_shape={input_shape!r}"
        )
    policy = keras.dtype_policies.get(dtype if dtype is not None else keras.config.dtype_policy())
    return shape, standardize_data_format(data_format), policy


def map_input(input_shape: Shape, channels: int, data_format: str, name: str) -> keras.KerasTensor:
    """An input tensor of the image's size: float32, with `channels` channels."""
    height, width, _ = input_shape
    shape = (height, width, channels) if data_format == "channels_last" else (channels, height, width)
    return keras.Input(shape, dtype="float32", name=name)


def label_map_input(input_shape: Shape, data_format: str) -> keras.KerasTensor:
    """An input of integer labels of the image's size, with one channel."""
    height, width, _ = input_shape
    shape = (height, width, 1) if data_format == "channels_last" else (1, height, width)
    return keras.Input(shape, dtype="int32", name="labels")


def standardize_classes(num_classes: Any) -> int:
    """Checks the number of classes of label maps, beside which 255 stands for what is ignored."""
    if not isinstance(num_classes, int) or not 1 <= num_classes <= 255:
        raise ValueError(f"`num_classes` must be an integer from 1 to 255. Received: num_classes={num_classes!r}")
    return num_classes
