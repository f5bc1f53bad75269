"""Max pooling with positions and its inverse, on tensors."""

from typing import Any

from keras import ops

from keras_segpaint.ops.fusion import fused
from keras_segpaint.ops.spatial import (
    Size,
    interleave,
    pad_spatial,
    slice_spatial,
    spatial_axes,
    spatial_size,
)

Window = int | tuple[int, int]
# "valid", "same", or the rows and columns added on every side.
Padding = str | int | tuple[int, int]


def standardize_window(value: Any, name: str) -> tuple[int, int]:
    """A pair of integers >= 1 from an integer or a pair; raises `ValueError` otherwise."""
    pair = (value, value) if isinstance(value, int) else tuple(value)
    if len(pair) != 2 or not all(isinstance(extent, int) and extent >= 1 for extent in pair):
        raise ValueError(f"`{name}` must be an integer >= 1 or a pair of them. Received: {name}={value!r}")
    return pair


def standardize_padding(value: Any, window: tuple[int, int]) -> str | tuple[int, int]:
    """`"valid"`, `"same"` or a pair of integers; raises `ValueError` otherwise."""
    if value in ("valid", "same"):
        return value
    if not isinstance(value, str):
        pair = (value, value) if isinstance(value, int) else tuple(value)
        fits = len(pair) == 2 and all(
            isinstance(pad, int) and 0 <= 2 * pad <= extent for pad, extent in zip(pair, window, strict=False)
        )
        if fits:
            return pair
    raise ValueError(
        '`padding` must be "valid", "same", or an integer (or pair) between 0 and half of the window '
        f"{window}, the rows and columns added on every side. Received: padding={value!r}"
    )


def _before_and_after(extent: Any, window: int, stride: int, padding: Any, axis: int) -> tuple[Any, Any]:
    """Rows (or columns) of padding in front of and behind `extent` of them."""
    if padding == "valid":
        return 0, 0
    if padding != "same":
        return padding[axis], padding[axis]
    total = (pooled_size(extent, window, stride, padding, axis) - 1) * stride + window - extent
    if isinstance(total, int):
        total = max(total, 0)
        return total // 2, total - total // 2
    total = ops.maximum(total, 0)
    return total // 2, total - total // 2


def pooled_size(extent: Any, window: int, stride: int, padding: Any, axis: int) -> Any:
    """How many windows fit along one axis of `extent` rows or columns."""
    if padding == "same":
        return (extent + stride - 1) // stride
    margin = 0 if padding == "valid" else padding[axis]
    return (extent + 2 * margin - window) // stride + 1


def unpooled_size(extent: Any, window: int, stride: int, padding: Any, axis: int) -> Any:
    """The size of map that one axis of `extent` windows covers."""
    if padding == "same":
        return extent * stride
    margin = 0 if padding == "valid" else padding[axis]
    return (extent - 1) * stride + window - 2 * margin


def _window_origins(pooled: Size, strides: tuple[int, int], margins: Size, width: Any, data_format: str) -> Any:
    """The flat position of each window's first element; outside of the map where the window begins in the padding."""
    y = ops.arange(pooled[0], dtype="int32") * strides[0] - margins[0]
    x = ops.arange(pooled[1], dtype="int32") * strides[1] - margins[1]
    origins = ops.expand_dims(y * width, 1) + ops.expand_dims(x, 0)
    return ops.expand_dims(origins, (0, 3) if data_format == "channels_last" else (0, 1))


def max_pool_with_argmax(
    x: Any, window: tuple[int, int], strides: tuple[int, int], padding: Any, data_format: str
) -> tuple[Any, Any]:
    """Maxima of all windows and their flat positions `y * width + x` (`int32`); of equal values the first wins."""

    def forward(x: Any) -> tuple[Any, Any]:
        return _pool(x, window, strides, padding, data_format)

    def backward(inputs: Any, outputs: Any, gradient: Any) -> Any:
        size = spatial_size(inputs[0], data_format)
        return _unpool_cells(gradient, outputs[1], size, window, padding, data_format)

    if _is_cells(window, strides, padding):
        return fused(forward, backward, (x,))
    return forward(x)


def _is_cells(window: tuple[int, int], strides: tuple[int, int], padding: Any) -> bool:
    """Whether windows neither overlap nor leave gaps, so that every position lies in a cell of its own."""
    return window == strides and padding in ("valid", "same", (0, 0))


def _pool(x: Any, window: tuple[int, int], strides: tuple[int, int], padding: Any, data_format: str) -> tuple[Any, Any]:
    height, width = spatial_size(x, data_format)
    row_pads = _before_and_after(height, window[0], strides[0], padding, 0)
    column_pads = _before_and_after(width, window[1], strides[1], padding, 1)
    pooled = (
        pooled_size(height, window[0], strides[0], padding, 0),
        pooled_size(width, window[1], strides[1], padding, 1),
    )
    if not all(isinstance(pad, int) and pad == 0 for pad in (*row_pads, *column_pads)):
        x = pad_spatial(x, row_pads, column_pads, data_format, value=float("-inf"))

    best, offset = None, None
    for i in range(window[0]):
        for j in range(window[1]):
            rows = slice(i, i + (pooled[0] - 1) * strides[0] + 1, strides[0])
            columns = slice(j, j + (pooled[1] - 1) * strides[1] + 1, strides[1])
            candidate = slice_spatial(x, rows, columns, data_format)
            if best is None:
                best, offset = candidate, ops.zeros_like(candidate, dtype="int32")
            else:
                wins = ops.greater(candidate, best)
                best = ops.where(wins, candidate, best)
                offset = ops.where(wins, ops.cast(i * width + j, "int32"), offset)
    origins = _window_origins(pooled, strides, (row_pads[0], column_pads[0]), width, data_format)
    return best, origins + offset


def max_unpool(
    values: Any,
    indices: Any,
    size: Size,
    window: tuple[int, int],
    strides: tuple[int, int],
    padding: Any,
    data_format: str,
) -> Any:
    """A map of height and width `size` with `values` at the flat positions `indices` and zeros elsewhere."""
    if not _is_cells(window, strides, padding):
        return _unpool_scattered(values, indices, size, data_format)

    def forward(values: Any, indices: Any) -> Any:
        return _unpool_cells(values, indices, size, window, padding, data_format)

    def backward(inputs: Any, outputs: Any, gradient: Any) -> Any:
        return _pick_cells(gradient, inputs[1], window, padding, data_format)

    if all(isinstance(extent, int) for extent in size):
        return fused(forward, backward, (values, indices))
    return forward(values, indices)


def _cell_offsets(
    indices: Any, size: Size, window: tuple[int, int], padding: Any, data_format: str
) -> tuple[Any, Size]:
    """Each position relative to the first place of its cell, and the rows and columns of padding in front."""
    margins = (
        _before_and_after(size[0], window[0], window[0], padding, 0)[0],
        _before_and_after(size[1], window[1], window[1], padding, 1)[0],
    )
    pooled = spatial_size(indices, data_format)
    return indices - _window_origins(pooled, window, margins, size[1], data_format), margins


def _unpool_cells(
    values: Any, indices: Any, size: Size, window: tuple[int, int], padding: Any, data_format: str
) -> Any:
    # Each of the window's places is one comparison; the places are then woven together. No scatter: fast everywhere,
    # differentiable, built-in LiteRT operators only.
    offset, margins = _cell_offsets(indices, size, window, padding, data_format)
    zero = ops.zeros_like(values)
    cells = [
        ops.where(ops.equal(offset, ops.cast(i * size[1] + j, "int32")), values, zero)
        for i in range(window[0])
        for j in range(window[1])
    ]
    return _fit(interleave(cells, window[0], window[1], data_format), margins, size, data_format)


def _pick_cells(x: Any, indices: Any, window: tuple[int, int], padding: Any, data_format: str) -> Any:
    """The values of `x` at the positions `indices`: the transpose of `_unpool_cells`."""
    size = spatial_size(x, data_format)
    offset, margins = _cell_offsets(indices, size, window, padding, data_format)
    pooled = spatial_size(indices, data_format)
    after = [pooled[axis] * window[axis] - size[axis] - margins[axis] if padding == "same" else 0 for axis in (0, 1)]
    if any((*margins, *after)):
        x = pad_spatial(x, (margins[0], after[0]), (margins[1], after[1]), data_format)
    picked = ops.zeros_like(indices, dtype=x.dtype)
    for i in range(window[0]):
        for j in range(window[1]):
            rows = slice(i, i + (pooled[0] - 1) * window[0] + 1, window[0])
            columns = slice(j, j + (pooled[1] - 1) * window[1] + 1, window[1])
            here = ops.equal(offset, ops.cast(i * size[1] + j, "int32"))
            picked = ops.where(here, slice_spatial(x, rows, columns, data_format), picked)
    return picked


def _fit(x: Any, start: Size, size: Size, data_format: str) -> Any:
    """Cuts `x` to `size` from `start` on, or fills it up with zeros at the bottom and right."""
    have = spatial_size(x, data_format)
    if all(isinstance(n, int) for n in (*have, *size)) and have == tuple(size):
        return x
    x = slice_spatial(x, slice(start[0], start[0] + size[0]), slice(start[1], start[1] + size[1]), data_format)
    have = spatial_size(x, data_format)
    if all(isinstance(n, int) for n in (*have, *size)) and have == tuple(size):
        return x
    return pad_spatial(x, (0, size[0] - have[0]), (0, size[1] - have[1]), data_format)


def _unpool_scattered(values: Any, indices: Any, size: Size, data_format: str) -> Any:
    # Overlapping windows can name a position more than once. As in PyTorch the last cell in row-major order is
    # written, while every cell receives the whole gradient of the position that it names: the second term of the sum
    # is zero and carries that gradient.
    channels_first = spatial_axes(data_format)[0] == 2
    if channels_first:
        values, indices = ops.transpose(values, (0, 2, 3, 1)), ops.transpose(indices, (0, 2, 3, 1))
    batch, height, width, channels = ops.shape(values)
    plane = size[0] * size[1]
    segment = ops.reshape(ops.arange(batch, dtype="int32") * plane, (-1, 1, 1, 1)) + indices
    segment = ops.reshape(segment * channels + ops.arange(channels, dtype="int32"), (-1,))
    flat = ops.reshape(values, (-1,))
    total = batch * plane * channels
    order = ops.arange(batch * height * width * channels, dtype="int32")
    last = ops.take(ops.segment_max(order, segment, num_segments=total), segment)
    written = ops.segment_sum(
        ops.where(ops.equal(order, last), flat, ops.zeros_like(flat)), segment, num_segments=total
    )
    everything = ops.segment_sum(flat, segment, num_segments=total)
    result = ops.stop_gradient(written) + (everything - ops.stop_gradient(everything))
    result = ops.reshape(result, (batch, size[0], size[1], channels))
    return ops.transpose(result, (0, 3, 1, 2)) if channels_first else result
