"""The part of an image around its hole."""

from typing import Any

from keras import ops

from keras_segpaint.ops.spatial import spatial_axes, spatial_size


def hole_corners(mask: Any, size: tuple[int, int], data_format: str) -> tuple[Any, Any]:
    """Where a window lies that is centred at the hole's bounding box and moved to within the image.

    Args:
        mask: `(batch, height, width, 1)`, or channels second; above 0 is a hole. Without one, the window is in the middle.
        size: Height and width of the window, at most those of the mask.
        data_format: That of the mask.

    Returns:
        First rows and first columns of the windows, int32 `(batch,)` each.
    """
    hole = ops.cast(ops.convert_to_tensor(mask) > 0, "int32")
    rows, columns = spatial_axes(data_format)
    channels = 3 if data_format == "channels_last" else 1
    corners = []
    for other, extent, window in zip((columns, rows), spatial_size(hole, data_format), size, strict=True):
        hit = ops.max(hole, axis=(other, channels))
        first = ops.argmax(hit, axis=1)
        behind = extent - ops.argmax(ops.flip(hit, axis=1), axis=1)
        corner = ops.cast(first + behind, "int32") // 2 - window // 2
        corners.append(ops.clip(corner, 0, extent - window))
    return corners[0], corners[1]


def crop_at(maps: Any, corners: tuple[Any, Any], size: tuple[int, int], data_format: str) -> Any:
    """A window of each map, with gradients for the map.

    Args:
        maps: `(batch, height, width, channels)`, or channels second.
        corners: First rows and first columns of the windows, integers `(batch,)` each, as `hole_corners` gives them.
        size: Height and width of the windows.
        data_format: That of the maps.
    """
    maps = ops.convert_to_tensor(maps)
    for axis, corner, window in zip(spatial_axes(data_format), corners, size, strict=True):
        places = ops.expand_dims(corner, 1) + ops.arange(window, dtype="int32")
        shape = [1, 1, 1, 1]
        shape[axis] = window
        maps = ops.take_along_axis(maps, ops.reshape(places, (-1, *shape[1:])), axis=axis)
    return maps
