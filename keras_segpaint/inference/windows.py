"""Windows around holes: what of a large image a network has to see."""

from dataclasses import dataclass

import numpy as np

__all__ = ["Window", "hole_windows"]

_CELL = 32


@dataclass(frozen=True)
class Window:
    """A part of an image, and which of the holes in it are to be filled from it.

    Args:
        rows: Rows of the image.
        columns: Columns of the image.
        own: uint8 of the window's size: 1 where this window fills a hole.
    """

    rows: slice
    columns: slice
    own: np.ndarray

    @property
    def size(self) -> tuple[int, int]:
        return self.rows.stop - self.rows.start, self.columns.stop - self.columns.start


def hole_windows(mask: np.ndarray, context: int, smallest: int, max_pixels: int, multiple: int = 1) -> list[Window]:
    """Windows that hold every hole with its surroundings.

    Holes that lie together share a window as long as that is less work than two windows, and not more than `max_pixels`.

    Args:
        mask: uint8 `(height, width)`, 1 is a hole.
        context: Pixels of the surroundings on each side of a hole.
        smallest: Least height and width of a window, where the image is as large.
        max_pixels: Size up to which windows are joined.
        multiple: Height and width are multiples of it, where the image is large enough.

    Returns:
        The windows; every hole is in the `own` of exactly one.

    Example:
        >>> mask = np.zeros((300, 900), np.uint8)
        >>> mask[10, 10] = mask[200, 800] = 1
        >>> [(w.rows, w.columns) for w in hole_windows(mask, context=32, smallest=64, max_pixels=10**6)]
        [(slice(0, 64, None), slice(0, 64, None)), (slice(168, 233, None), slice(768, 833, None))]
    """
    import cv2

    height, width = mask.shape
    grid = np.zeros((-(-height // _CELL), -(-width // _CELL)), np.uint8)
    # Row by row of cells: a padded copy of a large mask would be as large again.
    for row in range(grid.shape[0]):
        filled = np.flatnonzero(mask[row * _CELL : (row + 1) * _CELL].any(axis=0)) // _CELL
        grid[row, filled] = 1
    count, labels = cv2.connectedComponents(grid, connectivity=8)
    boxes = np.array([_box(mask, labels, label) for label in range(1, count)]).reshape(-1, 4)
    groups = [[label] for label in range(1, count)]

    def window(boxes: np.ndarray) -> np.ndarray:
        top, bottom = _grow(boxes[:, 0], boxes[:, 1], height, context, smallest, multiple)
        left, right = _grow(boxes[:, 2], boxes[:, 3], width, context, smallest, multiple)
        return np.stack([top, bottom, left, right], axis=1)

    first = 0
    while first < len(boxes) - 1:
        others = boxes[first + 1 :]
        low, high = np.minimum(others, boxes[first]), np.maximum(others, boxes[first])
        joined = np.stack([low[:, 0], high[:, 1], low[:, 2], high[:, 3]], axis=1)
        work = _area(window(joined))
        saved = _area(window(boxes[first : first + 1])) + _area(window(others)) - work
        saved = np.where(work <= max_pixels, saved, -1)
        best = int(saved.argmax())
        if saved[best] < 0:
            first += 1
            continue
        boxes[first] = joined[best]
        groups[first] += groups.pop(first + 1 + best)
        boxes = np.delete(boxes, first + 1 + best, axis=0)

    windows = []
    for (top, bottom, left, right), group in zip(window(boxes).tolist(), groups, strict=True):
        rows, columns = slice(top, bottom), slice(left, right)
        mine = np.isin(labels, group)[np.arange(top, bottom)[:, None] // _CELL, np.arange(left, right)[None] // _CELL]
        windows.append(Window(rows, columns, mask[rows, columns] * mine))
    return windows


def _box(mask: np.ndarray, labels: np.ndarray, label: int) -> tuple[int, int, int, int]:
    """First row, last row + 1, first column, last column + 1 of the holes in the cells of a label."""
    rows, columns = np.nonzero(labels == label)
    top, left = int(rows.min()) * _CELL, int(columns.min()) * _CELL
    part = mask[top : (rows.max() + 1) * _CELL, left : (columns.max() + 1) * _CELL]
    filled_rows, filled_columns = np.flatnonzero(part.any(axis=1)), np.flatnonzero(part.any(axis=0))
    return (
        top + int(filled_rows[0]),
        top + int(filled_rows[-1]) + 1,
        left + int(filled_columns[0]),
        left + int(filled_columns[-1]) + 1,
    )


def _grow(
    start: np.ndarray, stop: np.ndarray, extent: int, context: int, smallest: int, multiple: int
) -> tuple[np.ndarray, np.ndarray]:
    """Intervals with their surroundings, inside of `[0, extent)`."""
    start, stop = np.maximum(start - context, 0), np.minimum(stop + context, extent)
    length = np.maximum(stop - start, smallest)
    length = np.minimum(-(-length // multiple) * multiple, extent)
    start = np.clip(start - (length - (stop - start)) // 2, 0, extent - length)
    return start, start + length


def _area(windows: np.ndarray) -> np.ndarray:
    return (windows[:, 1] - windows[:, 0]) * (windows[:, 3] - windows[:, 2])
