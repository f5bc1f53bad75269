"""Pooling with a dilated window."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers, ops

from keras_segpaint.ops.pooling import standardize_window
from keras_segpaint.ops.spatial import (
    pad_spatial,
    replace_spatial,
    slice_spatial,
    standardize_data_format,
    static_spatial_size,
)

MODES = ("max", "average")


@keras.saving.register_keras_serializable(package="keras_segpaint")
class AtrousPooling2D(layers.Layer):
    """Max or average pooling of stride 1 over a window whose entries lie `dilation_rate` apart.

    It is what a pooling layer becomes in a network that computes its features densely: sampled at every
    `dilation_rate`-th place it gives what plain pooling gives on the features sampled so.

    Args:
        pool_size: Integer or pair of integers >= 1.
        dilation_rate: Integer or pair of integers >= 1. Defaults to `1`.
        padding: `((top, bottom), (left, right))`, integers >= 0. What is padded neither wins a maximum nor counts in an
            average. Defaults to none.
        mode: `"max"` or `"average"`. Defaults to `"max"`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        **kwargs: Base layer arguments.

    Input shape:
        `(batch, height, width, channels)`.

    Output shape:
        `(batch, height + top + bottom - dilation_rate * (pool_size - 1), ..., channels)`, the width alike.

    Raises:
        ValueError: If an argument is not one of those named.

    References:
        - [DeepLab](https://arxiv.org/abs/1606.00915), section 3.1, for convolutions.

    Example:
        >>> x = keras.ops.reshape(keras.ops.arange(5, dtype="float32"), (1, 1, 5, 1))
        >>> pool = AtrousPooling2D((1, 2), dilation_rate=2, data_format="channels_last")
        >>> keras.ops.convert_to_numpy(pool(x)).ravel().tolist()
        [2.0, 3.0, 4.0]
    """

    def __init__(
        self,
        pool_size: int | tuple[int, int],
        dilation_rate: int | tuple[int, int] = 1,
        padding: Sequence[Sequence[int]] = ((0, 0), (0, 0)),
        mode: str = "max",
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if mode not in MODES:
            raise ValueError(f"`mode` must be one of {MODES}. Received: mode={mode!r}")
        self.pool_size = standardize_window(pool_size, "pool_size")
        self.dilation_rate = standardize_window(dilation_rate, "dilation_rate")
        self.padding = tuple(tuple(pair) for pair in padding)
        if len(self.padding) != 2 or not all(
            len(pair) == 2 and all(isinstance(extent, int) and extent >= 0 for extent in pair) for pair in self.padding
        ):
            raise ValueError(
                f"`padding` must be ((top, bottom), (left, right)), integers >= 0. Received: padding={padding!r}"
            )
        self.mode = mode
        self.data_format = standardize_data_format(data_format)

    def call(self, inputs: Any) -> Any:
        if self.mode == "max":
            return self._windows(inputs, float("-inf"), ops.maximum)
        total = self._windows(inputs, 0.0, ops.add)
        if all(extent == 0 for pair in self.padding for extent in pair):
            return total / (self.pool_size[0] * self.pool_size[1])
        one_channel = inputs[:1, :, :, :1] if self.data_format == "channels_last" else inputs[:1, :1]
        return total / ops.maximum(self._windows(ops.ones_like(one_channel), 0.0, ops.add), 1)

    def _windows(self, x: Any, value: float, combine: Any) -> Any:
        """Combines the entries of each window: of the columns, then of the rows."""
        if any(extent > 0 for pair in self.padding for extent in pair):
            (top, bottom), (left, right) = self.padding
            x = pad_spatial(x, (top, bottom), (left, right), self.data_format, value)
        for axis in (1, 0):
            rate, last = self.dilation_rate[axis], self.pool_size[axis] - 1
            result = None
            for step in range(last + 1):
                shift, whole = slice(step * rate, -(last - step) * rate or None), slice(None)
                rows, columns = (shift, whole) if axis == 0 else (whole, shift)
                part = slice_spatial(x, rows, columns, self.data_format)
                result = part if result is None else combine(result, part)
            x = result
        return x

    def compute_output_spec(self, inputs: Any) -> keras.KerasTensor:
        size = static_spatial_size(inputs.shape, self.data_format)
        rows, columns = (
            None if extent is None else extent + sum(pair) - rate * (window - 1)
            for extent, pair, rate, window in zip(size, self.padding, self.dilation_rate, self.pool_size, strict=True)
        )
        shape = replace_spatial(inputs.shape, (rows, columns), self.data_format)
        return keras.KerasTensor(shape, dtype=self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.update(
            pool_size=self.pool_size,
            dilation_rate=self.dilation_rate,
            padding=self.padding,
            mode=self.mode,
            data_format=self.data_format,
        )
        return config
