"""Sums over windows of a map of one channel."""

from typing import Any

from keras import ops


def box_sum(
    x: Any,
    window: tuple[int, int],
    data_format: str,
    strides: tuple[int, int] = (1, 1),
    dilation_rate: tuple[int, int] = (1, 1),
    padding: str = "same",
) -> Any:
    """The sum of each window of a 4-D map of one channel; zeros beyond the border, `padding` as in a convolution."""
    ones = ops.ones((*window, 1, 1), dtype=x.dtype)
    return ops.conv(x, ones, strides=strides, padding=padding, dilation_rate=dilation_rate, data_format=data_format)
