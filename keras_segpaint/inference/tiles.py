"""How an image is covered with tiles, and how much of each counts at which pixel: one axis at a time.

The weight of a tile at a pixel is that of its row times that of its column. Along each axis the weights of all tiles sum
to one at every place, so they do over the image.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

__all__ = ["ALIGNMENT", "Axis", "Span", "blended_axis", "mirrored_part", "trimmed_axis"]

# The largest output stride of the package's networks: tiles that begin at its multiples meet the same strides as the image.
ALIGNMENT = 32
# Width of the Gaussian window as a share of the tile.
_SIGMA = 0.125


class Span(NamedTuple):
    """The rows (or columns) of one tile.

    Args:
        start: First row of its output in the image; may lie outside.
        first: First row of the image that gets a share of it.
        weights: float32, its share in that row and those that follow.
    """

    start: int
    first: int
    weights: np.ndarray

    @property
    def stop(self) -> int:
        return self.first + len(self.weights)


class Axis(NamedTuple):
    """All rows (or columns) of tiles.

    Args:
        length: Rows of the output of every tile.
        spans: The tiles from first to last.
    """

    length: int
    spans: list[Span]


def blended_axis(
    extent: int,
    length: int,
    overlap: int,
    margin: int = 0,
    window: str = "linear",
    *,
    adjustable: bool = True,
    mirrored: bool = False,
    alignment: int = ALIGNMENT,
) -> Axis:
    """Tiles that overlap and fade into each other.

    Args:
        extent: Rows of the image.
        length: Rows of a tile.
        overlap: Rows that neighbours share at least.
        margin: Rows of a tile next to a neighbour that get no weight; at most half of `overlap`.
        window: `"linear"` or `"gaussian"`.
        adjustable: Whether tiles may be up to `alignment - 1` rows shorter, so that the last one ends with the image and
            begins at a multiple of `alignment` as all others do. Tiles are never longer than the image then.
        mirrored: Whether the last tile may end beyond the image, which is mirrored there.
        alignment: See `adjustable`; ignored if the tiles are too short for it.

    Example:
        >>> axis = blended_axis(100, 64, overlap=16)
        >>> axis.length, [span.start for span in axis.spans]
        (64, [0, 36])
        >>> axis = blended_axis(100, 96, overlap=16)
        >>> axis.length, [span.start for span in axis.spans]
        (68, [0, 32])
    """
    if adjustable and extent <= length:
        return Axis(extent, [Span(0, 0, np.ones(extent, np.float32))])
    if length - overlap < 2 * alignment:
        alignment = 1
    if adjustable:
        length -= (length - extent) % alignment
    step = (length - overlap) // alignment * alignment
    if mirrored:
        starts = list(range(0, max(1, extent - overlap), step))
    else:
        last = max(0, extent - length)
        starts = [*range(0, last, step), last]
    raw = []
    for index, start in enumerate(starts):
        before = starts[index - 1] + length - start if index else 0
        after = start + length - starts[index + 1] if index + 1 < len(starts) else 0
        raw.append(_window(length, before, after, margin, window))
    return Axis(length, _normalized(extent, starts, raw))


def trimmed_axis(extent: int, length: int, margin: int, *, adjustable: bool = True, alignment: int = ALIGNMENT) -> Axis:
    """Tiles of which the outer `margin` rows on each side are thrown away, as U-Net's paper does it.

    Args:
        extent: Rows of the image.
        length: Rows of a tile, more than twice `margin`.
        margin: Rows without weight. The first tile begins as many rows before the image.
        adjustable: Whether tiles may be shorter, so that every one begins at a multiple of `alignment` after the first.
        alignment: As in `blended_axis`.

    Example:
        >>> axis = trimmed_axis(100, 70, margin=3)
        >>> axis.length, [(span.start, span.first, span.stop) for span in axis.spans]
        (70, [(-3, 0, 64), (61, 64, 100)])
    """
    core = length - 2 * margin
    if core >= alignment:
        core -= core % alignment
    if adjustable:
        length = core + 2 * margin
    firsts = range(0, extent, core)
    spans = [Span(first - margin, first, np.ones(min(core, extent - first), np.float32)) for first in firsts]
    return Axis(length, spans)


def mirrored_part(image: np.ndarray, top: int, left: int, height: int, width: int) -> np.ndarray:
    """A part of an image that may reach beyond it: mirrored there, as often as it takes.

    Example:
        >>> mirrored_part(np.array([[1, 2, 3]]), 0, -2, 2, 6).tolist()
        [[2, 1, 1, 2, 3, 3], [2, 1, 1, 2, 3, 3]]
    """
    if top >= 0 and left >= 0 and top + height <= image.shape[0] and left + width <= image.shape[1]:
        return image[top : top + height, left : left + width]
    rows, columns = (
        _mirrored_indices(start, count, extent)
        for start, count, extent in ((top, height, image.shape[0]), (left, width, image.shape[1]))
    )
    return image[rows[:, None], columns]


def _mirrored_indices(start: int, count: int, extent: int) -> np.ndarray:
    places = np.arange(start, start + count) % (2 * extent)
    return np.minimum(places, 2 * extent - 1 - places)


def _window(length: int, before: int, after: int, margin: int, kind: str) -> np.ndarray:
    """Weights of a tile that shares `before` and `after` rows with its neighbours, 0 if there is none."""
    places = np.arange(length) + 0.5
    weights = np.ones(length)
    if kind == "gaussian":
        weights = np.exp(-0.5 * ((places - length / 2) / (_SIGMA * length)) ** 2)
    for shared, distance in ((before, places), (after, length - places)):
        if shared == 0:
            continue
        if kind == "gaussian":
            weights *= distance > margin
        else:
            weights *= np.clip((distance - margin) / max(shared - 2 * margin, 1e-6), 0, 1)
    return weights


def _normalized(extent: int, starts: Sequence[int], windows: Sequence[np.ndarray]) -> list[Span]:
    total = np.zeros(extent)
    cut = []
    for start, weights in zip(starts, windows, strict=True):
        inside = weights[: extent - start]
        total[start : start + len(inside)] += inside
        cut.append(inside)
    return [
        Span(start, start, (weights / total[start : start + len(weights)]).astype(np.float32))
        for start, weights in zip(starts, cut, strict=True)
    ]
