"""Where the results of tiles come together, a band of the image at a time."""

from collections.abc import Callable

import numpy as np

from keras_segpaint.inference.passes import Result
from keras_segpaint.inference.planes import blocks, class_map
from keras_segpaint.inference.tiles import Axis, Span

__all__ = ["Canvas", "ClassCanvas", "Take"]

# Takes the first line, the planes of the classes and the variance of a band; both are valid during the call alone.
Take = Callable[[int, np.ndarray, np.ndarray | None], None]


class Canvas:
    """Sums the weighted results of tiles, row of tiles after row of tiles, and gives up each line when it is complete.

    Args:
        rows: Rows of tiles.
        width: Width of the image.
        classes: Planes of a result.
        variance: Whether there is a plane of the variance too.
        take: Takes the bands from top to bottom.
    """

    def __init__(self, rows: Axis, width: int, classes: int, variance: bool, take: Take):
        self._take = take
        self._classes = classes
        self._variance = variance
        height = max(len(row.weights) for row in rows.spans)
        self._sums = np.zeros((classes + variance, height, width), np.float32)
        self._top = 0  # the image's row that the first line holds
        self._filled = 0  # lines that hold something
        self._row: Span | None = None

    def add(self, row: Span, column: Span, result: Result) -> None:
        """Adds the result of a tile."""
        if row is not self._row:
            self._finish(row.first - self._top)
            self._row = row
        top = row.first - self._top
        self._filled = max(self._filled, top + len(row.weights))
        here, there = slice(column.first - column.start, column.stop - column.start), slice(column.first, column.stop)
        vertical, horizontal = _unless_ones(row.weights[:, None]), _unless_ones(column.weights)
        # In parts that stay in the cache from the network's output to the sum.
        for lines in blocks(len(row.weights), len(column.weights)):
            inside = slice(lines.start + row.first - row.start, lines.stop + row.first - row.start)
            target = slice(lines.start + top, lines.stop + top)
            factors = [weights for weights in (vertical if vertical is None else vertical[lines], horizontal)]
            self._sums[: self._classes, target, there] += _weighted(result.planes(inside, here), factors)
            if self._variance and result.variance is not None:
                self._sums[-1, target, there] += _weighted(result.variance[inside, here], factors)

    def finish(self) -> None:
        """Gives up what is left."""
        self._finish(self._filled)

    def _finish(self, count: int) -> None:
        if count <= 0:
            return
        band = self._sums[:, :count]
        self._take(self._top, band[: self._classes], band[-1] if self._variance else None)
        rest = self._filled - count
        self._sums[:, :rest] = self._sums[:, count : self._filled].copy()
        self._sums[:, rest:] = 0
        self._top, self._filled = self._top + count, rest


class ClassCanvas:
    """Takes the highest class of each pixel from the one tile that counts there.

    Args:
        classes: The class map that is filled.
    """

    def __init__(self, classes: np.ndarray):
        self._map = classes

    def add(self, row: Span, column: Span, result: Result) -> None:
        """Adds the result of a tile."""
        here, there = slice(column.first - column.start, column.stop - column.start), slice(column.first, column.stop)
        for lines in blocks(len(row.weights), len(column.weights)):
            inside = slice(lines.start + row.first - row.start, lines.stop + row.first - row.start)
            target = slice(lines.start + row.first, lines.stop + row.first)
            self._map[target, there] = class_map(result.planes(inside, here))

    def finish(self) -> None:
        """Nothing is left."""


def _unless_ones(weights: np.ndarray) -> np.ndarray | None:
    return weights if (weights != 1).any() else None


def _weighted(values: np.ndarray, factors: list[np.ndarray | None]) -> np.ndarray:
    for factor in factors:
        if factor is not None:
            values = values * factor
    return values
