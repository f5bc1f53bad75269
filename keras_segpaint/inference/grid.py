"""An image as a network sees it: of its own size or another, in parts, and its results enlarged again."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from keras_segpaint.inference.images import checked, in_unit_range, resize_map, to_bytes, with_channels
from keras_segpaint.inference.planes import class_map, normalize_planes, to_planes
from keras_segpaint.inference.tiles import mirrored_part

__all__ = ["Grid", "classes_of", "enlarged"]

_BAND_ELEMENTS = 2**23


class Grid:
    """The pixels that a network sees; converted part by part, so that a large image stays as small as it is.

    Args:
        image: As `to_float` takes it.
        channels: How many the network takes.
        size: `(height, width)` to which the image is resized; `None` for its own.

    Attributes:
        image: The image, `(height, width, channels)`.
        original: Its height and width.
        size: Height and width of the grid.

    Raises:
        ValueError: If the image is none.
    """

    def __init__(self, image: Any, channels: int, size: tuple[int, int] | None = None):
        self.image = checked(image, channels)
        self.original = self.image.shape[:2]
        self.size = size or self.original
        self._channels = channels
        self._pixels = self.image
        if self.resized:
            # One channel at a time: the whole of a large image in float32 is four times as large.
            count = min(self.image.shape[2], 3) if channels in (1, 3) else channels
            planes = [resize_map(in_unit_range(self.image[..., i : i + 1]), self.size) for i in range(count)]
            self._pixels = with_channels(np.concatenate(planes, axis=2), channels)

    @property
    def resized(self) -> bool:
        """Whether the grid is not that of the image."""
        return self.size != self.original

    def part(self, top: int, left: int, height: int, width: int) -> np.ndarray:
        """float32 `(height, width, channels)`, mirrored where it reaches beyond the grid."""
        return with_channels(in_unit_range(mirrored_part(self._pixels, top, left, height, width)), self._channels)

    def picture(self) -> np.ndarray:
        """uint8 RGB of the grid's size."""
        return to_bytes(self._pixels)


def classes_of(maps: np.ndarray) -> np.ndarray:
    """The class of the highest of `(height, width, classes)`: uint8, or uint16 beyond 256 classes."""
    step = max(1, _BAND_ELEMENTS // (maps.shape[1] * maps.shape[2]))
    bands = (maps[top : top + step] for top in range(0, len(maps), step))
    return np.concatenate([class_map(to_planes(band, normalize=False)) for band in bands])


def enlarged(logits: np.ndarray, size: tuple[int, int], probabilities: bool) -> tuple[np.ndarray, np.ndarray | None]:
    """Resizes logits and gives the classes, and the probabilities if asked for; in bands where the size grows.

    Args:
        logits: float32 `(height, width, classes)`, or logarithms of probabilities.
        size: Height and width of the results.
        probabilities: Boolean.

    Returns:
        Class map, and float32 probabilities `(height, width, classes)` or `None`.
    """
    classes, result = [], np.empty((*size, logits.shape[2]), np.float32) if probabilities else None
    for top, band in _resized_bands(logits, size):
        planes = to_planes(band, normalize=False)
        classes.append(class_map(planes))
        if result is not None:
            normalize_planes(planes)
            result[top : top + len(band)] = planes.transpose(1, 2, 0)
    return np.concatenate(classes), result


def _resized_bands(values: np.ndarray, size: tuple[int, int]) -> Iterator[tuple[int, np.ndarray]]:
    """First rows and bands of what `resize_map` would give."""
    height, width = size
    step = max(1, _BAND_ELEMENTS // (width * values.shape[2]))
    if step >= height or height <= values.shape[0]:
        yield 0, resize_map(values, size)
        return
    places = np.clip((np.arange(height) + 0.5) * (values.shape[0] / height) - 0.5, 0, values.shape[0] - 1)
    lower = np.floor(places).astype(int)
    upper = np.minimum(lower + 1, values.shape[0] - 1)
    share = (places - lower).astype(np.float32)[:, None, None]
    for top in range(0, height, step):
        rows = slice(top, top + step)
        band = values[lower[rows]]
        band += share[rows] * (values[upper[rows]] - band)
        yield top, resize_map(band, (len(band), width), area=False)
