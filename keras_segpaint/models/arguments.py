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
