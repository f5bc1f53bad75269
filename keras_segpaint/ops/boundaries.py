"""Boundaries of classes in label maps, and distances to them."""

from typing import Any

from keras import ops


def class_boundaries(labels: Any, ignore_class: int | None) -> Any:
    """Which pixels have another class above, below, left or right of them.

    Ignored pixels are no boundary and make none; neither does the border of the image.

    Args:
        labels: int32 `(batch, height, width)`.
        ignore_class: The label of ignored pixels, or `None`.

    Returns:
        Booleans `(batch, height, width)`.
    """
    counted = ops.not_equal(labels, ignore_class) if ignore_class is not None else ops.ones_like(labels, dtype="bool")
    result = ops.zeros_like(labels, dtype="bool")
    for axis in (1, 2):
        before, after = ((slice(None),) * axis + (part,) for part in (slice(None, -1), slice(1, None)))
        differ = ops.not_equal(labels[before], labels[after])
        differ = ops.logical_and(differ, ops.logical_and(counted[before], counted[after]))
        for margins in ((0, 1), (1, 0)):
            padding = [(0, 0)] * 3
            padding[axis] = margins
            result = ops.logical_or(result, ops.pad(differ, padding, constant_values=False))
    return result


def squared_distance(points: Any, reach: int) -> Any:
    """The squared Euclidean distance of each pixel to the nearest point, exact up to `reach`.

    By minima over shifted slices, down the columns and then along the rows: the number of operations grows with `reach`, not
    with its square, and shapes are fixed.

    Args:
        points: Booleans `(batch, height, width)`.
        reach: Integer >= 0, in pixels.

    Returns:
        int32 `(batch, height, width)`, above `reach ** 2` where no point is near enough.
    """
    far = 2 * (reach + 1) ** 2
    distance = ops.where(points, 0, far)
    for axis in (1, 2):
        distance = _least_of_shifted(ops.cast(distance, "int32"), axis, reach, far)
    return distance


def _least_of_shifted(values: Any, axis: int, reach: int, far: int) -> Any:
    size = ops.shape(values)[axis]
    padding = [(0, 0)] * 3
    padding[axis] = (reach, reach)
    padded = ops.pad(values, padding, constant_values=far)
    result = values
    for step in range(1, reach + 1):
        for start in (reach - step, reach + step):
            part = padded[(slice(None),) * axis + (slice(start, start + size),)]
            result = ops.minimum(result, part + step**2)
    return result
