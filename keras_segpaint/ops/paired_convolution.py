"""Two convolutions of one map, with one kernel."""

from typing import Any

import keras
from keras import ops

__all__ = ["paired_convolution"]


def paired_convolution(x: Any, kernel: Any, biases: tuple[Any, Any], data_format: str) -> tuple[Any, Any]:
    """The two halves of the channels that a convolution gives, with `"same"` padding.

    Args:
        x: A map of features.
        kernel: `(rows, columns, channels, 2 * filters)`.
        biases: `(filters,)` of each half.
        data_format: `"channels_last"` or `"channels_first"`.

    Returns:
        Two maps of `filters` channels.

    Example:
        >>> x, kernel = ops.ones((1, 2, 2, 3)), ops.ones((1, 1, 3, 8))
        >>> first, last = paired_convolution(x, kernel, (ops.zeros(4), ops.ones(4)), "channels_last")
        >>> tuple(first.shape), float(first[0, 0, 0, 0]), float(last[0, 0, 0, 0])
        ((1, 2, 2, 4), 3.0, 4.0)
    """
    settings: dict[str, Any] = dict(padding="same", data_format=data_format)
    first = data_format == "channels_first"
    if keras.backend.backend() == "tensorflow":
        # It would copy each half of the result; those of the kernel are small.
        halves = [ops.conv(x, half, **settings) for half in ops.split(kernel, 2, axis=-1)]
    else:
        halves = ops.split(ops.conv(x, kernel, **settings), 2, axis=1 if first else -1)
    shape = (-1, 1, 1) if first else (-1,)
    one, other = (half + ops.reshape(bias, shape) for half, bias in zip(halves, biases, strict=True))
    return one, other
