"""Similarity of all pairs of patches, and copying of patches, without ever cutting a patch out.

Scores are kept as `(batch, rows, columns, key_rows, key_columns)`: queries, then keys. A product of patches is a sum of
products of pixels, shifted by the same step in query and key. So one matrix of pixel products and a few sums of its
diagonal shifts give what a convolution with every patch as a kernel gives, at a ninth of the arithmetic for 3x3
patches; and pasting overlapping patches weighs whole blocks by sums of shifted weights, at a quarter.
"""

from typing import Any

from keras import ops

from keras_segpaint.ops.fusion import Compiled
from keras_segpaint.ops.spatial import spatial_size


def diagonal_sum(scores: Any, axes: tuple[int, int], length: int) -> Any:
    """Sums of `length` entries along the common diagonal of two axes, both shorter by `length - 1` afterwards."""
    total = None
    extents = [ops.shape(scores)[axis] - length + 1 for axis in axes]
    for step in range(length):
        index = [slice(None)] * len(scores.shape)
        for axis, extent in zip(axes, extents, strict=True):
            index[axis] = slice(step, step + extent)
        part = scores[tuple(index)]
        total = part if total is None else total + part
    return total


class DiagonalSums:
    """The sums of shifted scores that contextual attention takes; one object for one pass through the layer.

    Args:
        kernel_size: Odd, of the patches that are compared.
        fuse_kernel: Odd, scores in a sum of the fusing.
    """

    def __init__(self, kernel_size: int, fuse_kernel: int):
        self.kernel_size = kernel_size
        self.fuse_kernel = fuse_kernel
        self.patches = Compiled(
            lambda scores, factor: diagonal_sum(diagonal_sum(scores, (1, 3), kernel_size), (2, 4), kernel_size) * factor
        )
        self.along_rows = Compiled(lambda scores: diagonal_sum(scores, (1, 2), fuse_kernel))
        self.along_columns = Compiled(lambda scores: diagonal_sum(scores, (1, 3), fuse_kernel))
        self.corners = Compiled(lambda weights: diagonal_sum(diagonal_sum(weights, (1, 3), 2), (2, 4), 2))


def match(queries: Any, keys: Any, inverse_norm: Any, sums: DiagonalSums, above: int, below: int) -> Any:
    """Scores of all patches around the rows of `queries` with all patches of `keys`, times `inverse_norm` of the keys.

    Args:
        queries: Features `(batch, rows, columns, channels)`; the first and last of them may be neighbours only.
        keys: Features `(batch, key_rows, key_columns, channels)`.
        inverse_norm: `(batch, key_rows, key_columns, 1)`.
        sums: Those of the layer.
        above: Rows of zeros to put above `queries`; half the kernel's where they begin at the image's border.
        below: The same below.
    """
    radius = sums.kernel_size // 2
    queries = ops.pad(queries, ((0, 0), (above, below), (radius, radius), (0, 0)))
    keys = ops.pad(keys, ((0, 0), (radius, radius), (radius, radius), (0, 0)))
    batch, rows, columns, channels = ops.shape(queries)
    key_rows, key_columns = spatial_size(keys, "channels_last")
    products = ops.matmul(
        ops.reshape(queries, (batch, rows * columns, channels)),
        ops.transpose(ops.reshape(keys, (batch, key_rows * key_columns, channels)), (0, 2, 1)),
    )
    scores = ops.reshape(products, (batch, rows, columns, key_rows, key_columns))
    return sums.patches(scores, ops.expand_dims(inverse_norm[..., 0], (1, 2)))


def fuse_along_rows(scores: Any, sums: DiagonalSums) -> Any:
    """Sums of scores of pairs that follow each other row by row: from the end of a row to the start of the next too."""
    radius = sums.fuse_kernel // 2
    shape = ops.shape(scores)
    flat = ops.reshape(scores, (shape[0], shape[1] * shape[2], shape[3] * shape[4]))
    flat = ops.pad(flat, ((0, 0), (radius, radius), (radius, radius)))
    return ops.reshape(sums.along_rows(flat), shape)


def fuse_along_columns(scores: Any, before: Any, after: Any, sums: DiagonalSums) -> Any:
    """The same column by column.

    Args:
        scores: Rows of queries that follow each other.
        before: As many rows as half the kernel, which the first column's pixels follow: those above, or `wrapped_down`.
        after: The same at the end.
        sums: Those of the layer.
    """
    radius = sums.fuse_kernel // 2
    scores = ops.concatenate([before, scores, after], axis=1)
    first, last = wrapped_rows(scores, 3, radius)
    return sums.along_columns(ops.concatenate([first, scores, last], axis=3))


def wrapped_rows(scores: Any, axis: int, radius: int) -> tuple[Any, Any]:
    """What comes before the first rows and behind the last where columns are read one after the other.

    In front of a column's top is the bottom of the column to its left, behind its bottom the top of that to its right;
    zeros where there is none. `axis` is that of the rows, the columns are the next.
    """
    before, after = [slice(None)] * 5, [slice(None)] * 5
    before[axis], before[axis + 1] = slice(-radius, None), slice(0, -1)
    after[axis], after[axis + 1] = slice(0, radius), slice(1, None)
    return (
        _pad_axis(scores[tuple(before)], axis + 1, (1, 0)),
        _pad_axis(scores[tuple(after)], axis + 1, (0, 1)),
    )


def _pad_axis(x: Any, axis: int, pads: tuple[int, int]) -> Any:
    return ops.pad(x, [pads if index == axis else (0, 0) for index in range(len(x.shape))])


def blocks(x: Any, rate: int, size: tuple[Any, Any]) -> Any:
    """Cuts a map, zeros around it, into blocks of `rate * rate` pixels: `(batch, rows + 1, columns + 1, ...)`.

    The patch of `2 * rate` rows and columns at position `(y, x)` of a grid of `size` is the four blocks at `(y, x)`,
    `(y, x + 1)`, `(y + 1, x)` and `(y + 1, x + 1)`.
    """
    before = rate // 2
    pads = [
        (before, (want + 1) * rate - have - before)
        for want, have in zip(size, spatial_size(x, "channels_last"), strict=True)
    ]
    x = ops.pad(x, ((0, 0), *pads, (0, 0)))
    return x if rate == 1 else ops.nn.space_to_depth(x, rate, data_format="channels_last")


def unblock(x: Any, rate: int, size: tuple[Any, Any]) -> Any:
    """The inverse of `blocks`: a map of height and width `size`."""
    before = rate // 2
    x = x if rate == 1 else ops.nn.depth_to_space(x, rate, data_format="channels_last")
    return x[:, before : before + size[0], before : before + size[1]]


def paste(attention: Any, values: Any, sums: DiagonalSums, stride: int) -> Any:
    """Sums of patches, each weighted: the blocks that the patches around the rows of `attention` cover.

    Args:
        attention: Weights `(batch, rows, columns, key_rows, key_columns)`.
        values: `blocks` of the map that the patches are cut out of.
        sums: Those of the layer.
        stride: Of the keys in the grid of the patches.
    """
    if stride == 1:
        corners = ops.pad(attention, ((0, 0), *[(1, 1)] * 4))
        return _weigh(sums.corners(corners), values)
    rows, columns = ops.shape(attention)[3:]
    total = None
    for i in range(2):
        for j in range(2):
            own = values[:, i : i + (rows - 1) * stride + 1 : stride, j : j + (columns - 1) * stride + 1 : stride]
            part = ops.pad(_weigh(attention, own), ((0, 0), (i, 1 - i), (j, 1 - j), (0, 0)))
            total = part if total is None else total + part
    return total


def _weigh(weights: Any, values: Any) -> Any:
    shape = ops.shape(weights)
    channels = ops.shape(values)[-1]
    product = ops.matmul(
        ops.reshape(weights, (shape[0], shape[1] * shape[2], shape[3] * shape[4])),
        ops.reshape(values, (shape[0], shape[3] * shape[4], channels)),
    )
    return ops.reshape(product, (shape[0], shape[1], shape[2], channels))
