"""Windows of convolutions that are padded alike on every side, and what lies in the window around each pixel."""

from collections.abc import Iterator
from typing import Any

from keras import ops

from keras_segpaint.ops.spatial import channel_axis, replace_spatial, static_spatial_size


def symmetric_pads(kernel_size: tuple[int, int], dilation_rate: tuple[int, int]) -> tuple[int, int]:
    """Rows and columns of padding on each side, as PyTorch's networks have them."""
    rows, columns = (rate * (extent - 1) // 2 for extent, rate in zip(kernel_size, dilation_rate, strict=True))
    return rows, columns


def convolved_shape(
    shape: tuple[int | None, ...],
    filters: int,
    *,
    kernel_size: tuple[int, int],
    strides: tuple[int, int],
    dilation_rate: tuple[int, int],
    data_format: str,
    scale: int = 1,
    same: bool = False,
) -> tuple[int | None, ...]:
    """The shape behind a convolution, with `symmetric_pads` or the `same` of TensorFlow, of a map enlarged `scale` times."""
    pads = symmetric_pads(kernel_size, dilation_rate)
    sizes: tuple[Any, ...] = static_spatial_size(shape, data_format)
    rows, columns = (
        None
        if extent is None
        else -(-extent * scale // stride)
        if same
        else (extent * scale + 2 * pad - rate * (window - 1) - 1) // stride + 1
        for extent, pad, rate, window, stride in zip(sizes, pads, dilation_rate, kernel_size, strides, strict=True)
    )
    new = list(replace_spatial(shape, (rows, columns), data_format))
    new[channel_axis(data_format)] = filters
    return tuple(new)


def neighbours(x: Any, radius: int) -> Iterator[tuple[int, int, Any]]:
    """What each pixel of a map `(batch, height, width, channels)` finds at each place of the window around it.

    Args:
        x: The map; beyond its borders are zeros.
        radius: The window has `2 * radius + 1` rows and columns.

    Yields:
        Rows down, columns to the right, and the map shifted so that each pixel holds that neighbour.
    """
    padded = ops.pad(x, ((0, 0), (radius, radius), (radius, radius), (0, 0)))
    # Ends counted from behind: the size need not be known.
    parts = [slice(start, start - 2 * radius or None) for start in range(2 * radius + 1)]
    for row, rows in enumerate(parts):
        for column, columns in enumerate(parts):
            yield row - radius, column - radius, padded[:, rows, columns]


def cell_means(x: Any, side: int) -> Any:
    """Means over squares of `side` pixels of a map `(batch, height, width, channels)`; of what there is at its end."""

    def sums(x: Any) -> Any:
        padded = ops.pad(x, ((0, 0), (0, side - 1), (0, side - 1), (0, 0)))
        parts = [slice(start, start - side + 1 or None, side) for start in range(side)]
        return sum(padded[:, rows, columns] for rows in parts for columns in parts)

    return sums(x) / sums(ops.ones_like(x[:1, :, :, :1]))
