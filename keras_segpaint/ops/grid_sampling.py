"""Affine grids and bilinear sampling, with PyTorch's conventions for `align_corners=False`."""

from typing import Any

from keras import ops

from keras_segpaint.ops.spatial import Size, spatial_size


def affine_grid(theta: Any, size: Size) -> Any:
    """Where each pixel of a map of `size` looks, `(batch, height, width, 2)`: x and y, from -1 to 1 between the edges.

    Args:
        theta: float32 matrices `(batch, 2, 3)`.
        size: Height and width, integers or scalar tensors.
    """
    height, width = size
    y, x = (
        (2.0 * ops.cast(ops.arange(extent, dtype="int32"), "float32") + 1.0) / ops.cast(extent, "float32") - 1.0
        for extent in (height, width)
    )
    x = ops.reshape(x, (1, 1, -1, 1))
    y = ops.reshape(y, (1, -1, 1, 1))
    columns = ops.reshape(theta, (-1, 1, 1, 2, 3))
    return columns[..., 0] * x + columns[..., 1] * y + columns[..., 2]


def grid_sample(x: Any, grid: Any, data_format: str) -> Any:
    """Bilinear samples of a map at the places of a grid, 0 outside.

    Args:
        x: Feature maps of any float type.
        grid: float32 `(batch, height, width, 2)`: x and y, from -1 to 1 between the edges of the map.
        data_format: Of the map.

    Returns:
        Feature maps of the grid's height and width, of the type of `x`.
    """
    height, width = spatial_size(x, data_format)
    if data_format == "channels_first":
        x = ops.transpose(x, (0, 2, 3, 1))
    batch, channels = ops.shape(x)[0], x.shape[-1]
    rows, columns = ops.shape(grid)[1:3]
    # All images in one list of positions: gathering rows of a matrix is an operation that every exporter knows.
    positions = ops.reshape(x, (batch * height * width, channels))
    first = ops.reshape(ops.arange(batch, dtype="int32") * (height * width), (-1, 1, 1))
    column = _pixels(grid[..., 0], width)
    row = _pixels(grid[..., 1], height)
    left, top = ops.floor(column), ops.floor(row)
    total = None
    for down in (0, 1):
        for right in (0, 1):
            y, x_index = top + down, left + right
            weight = (1.0 - ops.abs(row - y)) * (1.0 - ops.abs(column - x_index))
            weight = weight * _inside(y, height) * _inside(x_index, width)
            index = first + _index(y, height) * width + _index(x_index, width)
            corner = ops.take(positions, ops.reshape(index, (-1,)), axis=0)
            corner = ops.cast(corner, "float32") * ops.reshape(weight, (-1, 1))
            total = corner if total is None else total + corner
    result = ops.cast(ops.reshape(total, (batch, rows, columns, channels)), x.dtype)
    return ops.transpose(result, (0, 3, 1, 2)) if data_format == "channels_first" else result


def _pixels(places: Any, extent: Any) -> Any:
    """Places from -1 to 1 as indices of pixels; what lies far outside is held just outside."""
    extent = ops.cast(extent, "float32")
    return ops.clip(((places + 1.0) * extent - 1.0) / 2.0, -2.0, extent + 1.0)


def _inside(index: Any, extent: Any) -> Any:
    return ops.cast(ops.logical_and(index >= 0.0, index <= ops.cast(extent, "float32") - 1.0), "float32")


def _index(index: Any, extent: Any) -> Any:
    return ops.cast(ops.clip(index, 0.0, ops.cast(extent, "float32") - 1.0), "int32")
