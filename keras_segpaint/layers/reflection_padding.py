"""Padding by reflection."""

from typing import Any

import keras
from keras import layers, ops

from keras_segpaint.ops.spatial import (
    replace_spatial,
    spatial_axes,
    spatial_size,
    standardize_data_format,
    static_spatial_size,
)


@keras.saving.register_keras_serializable(package="keras_segpaint")
class ReflectionPadding2D(layers.Layer):
    """Continues a map beyond its borders by its mirror image, the border pixels not repeated.

    Unlike `keras.ops.pad` it pads a map by more than the map's own size: the mirror images are mirrored in turn.

    Args:
        padding: Integer >= 0, rows and columns on every side.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        **kwargs: Base layer arguments.

    Input shape:
        `(batch, height, width, channels)`.

    Output shape:
        `(batch, height + 2 * padding, width + 2 * padding, channels)`.

    Raises:
        ValueError: If `padding` is not an integer >= 0.

    Example:
        >>> row = keras.ops.reshape(keras.ops.arange(3, dtype="float32"), (1, 1, 3, 1))
        >>> padded = ReflectionPadding2D(3, data_format="channels_last")(row)
        >>> [int(value) for value in keras.ops.reshape(padded[0, 0], (-1,))]
        [1, 2, 1, 0, 1, 2, 1, 0, 1]
    """

    def __init__(self, padding: int, data_format: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        if not isinstance(padding, int) or padding < 0:
            raise ValueError(f"`padding` must be an integer >= 0. Received: padding={padding!r}")
        self.padding = padding
        self.data_format = standardize_data_format(data_format)

    def call(self, inputs: Any) -> Any:
        for axis, extent in zip(spatial_axes(self.data_format), spatial_size(inputs, self.data_format), strict=True):
            last = extent - 1
            steps = ops.arange(extent + 2 * self.padding, dtype="int32") - self.padding
            # The distance walked from the first pixel, there and back again.
            period = max(2 * last, 1) if isinstance(extent, int) else ops.maximum(2 * last, 1)
            inputs = ops.take(inputs, last - ops.abs(ops.mod(steps, period) - last), axis=axis)
        return inputs

    def compute_output_spec(self, inputs: Any) -> keras.KerasTensor:
        rows, columns = (
            None if extent is None else extent + 2 * self.padding
            for extent in static_spatial_size(inputs.shape, self.data_format)
        )
        shape = replace_spatial(inputs.shape, (rows, columns), self.data_format)
        return keras.KerasTensor(shape, dtype=self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.update(padding=self.padding, data_format=self.data_format)
        return config
