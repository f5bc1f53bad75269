"""Adaptive average pooling: any size to a fixed number of bins, with PyTorch's bin edges."""

from typing import Any

from keras import ops

from keras_segpaint.ops.spatial import spatial_axes, spatial_size


def bin_edges(extent: int, bins: int) -> list[tuple[int, int]]:
    """First and one past the last pixel of each of `bins` bins of `extent` pixels; neighbours may share a pixel."""
    return [(index * extent // bins, -(-(index + 1) * extent // bins)) for index in range(bins)]


def adaptive_average_pool(x: Any, bins: int, data_format: str) -> Any:
    """Means of `bins` times `bins` rectangles of a 4-D map, of any size >= 1, known or not.

    A mean over a rectangle is the mean of the means of its rows. With known sizes these are slices and means, which
    every exporter knows; otherwise the product with a small matrix.
    """
    for axis, extent in zip(spatial_axes(data_format), spatial_size(x, data_format), strict=True):
        x = _pool_axis(x, axis, extent, bins)
    return x


def _pool_axis(x: Any, axis: int, extent: Any, bins: int) -> Any:
    if not isinstance(extent, int):
        return _average_by_matrix(x, axis, extent, bins)
    if extent == bins:
        return x
    before = (slice(None),) * axis
    means = [
        ops.mean(x[(*before, slice(first, last))], axis=axis, keepdims=True) for first, last in bin_edges(extent, bins)
    ]
    return means[0] if bins == 1 else ops.concatenate(means, axis=axis)


def _average_by_matrix(x: Any, axis: int, extent: Any, bins: int) -> Any:
    index = ops.arange(bins, dtype="int32")
    first = ops.expand_dims(index * extent // bins, 1)
    last = ops.expand_dims(((index + 1) * extent + bins - 1) // bins, 1)
    pixel = ops.expand_dims(ops.arange(extent, dtype="int32"), 0)
    inside = ops.logical_and(pixel >= first, pixel < last)
    # float32 whatever the map's type: a sum of many half-precision numbers overflows.
    weights = ops.cast(inside, "float32") / ops.cast(last - first, "float32")
    letters = "abcd"
    pooled = letters.replace(letters[axis], "z")
    result = ops.einsum(f"z{letters[axis]},{letters}->{pooled}", weights, ops.cast(x, "float32"))
    return ops.cast(result, x.dtype)
