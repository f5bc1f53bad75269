"""Cutting out a window of random place and scale."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_segpaint.data.augmentation.base import Augmentation
from keras_segpaint.data.augmentation.resize import check_size, resize_pair

__all__ = ["RandomResizedCrop"]


class RandomResizedCrop(Augmentation):
    """Cuts out a window of the target's aspect ratio at a random place and resizes it; nothing is ever padded.

    Args:
        size: `(height, width)` of the result.
        scale: Lowest and highest side of the window, as fractions of the largest window that fits. Defaults to
            `(0.5, 1.0)`.

    Raises:
        ValueError: If `size` is not two positive integers, or `scale` does not ascend within (0, 1].

    Example:
        >>> image, mask = np.zeros((4, 6, 3), np.uint8), np.zeros((4, 6), np.uint8)
        >>> image, mask = RandomResizedCrop((8, 8))(image, mask, np.random.default_rng(0))
        >>> image.shape, mask.shape
        ((8, 8, 3), (8, 8))
    """

    def __init__(self, size: Sequence[int], scale: Sequence[float] = (0.5, 1.0)):
        self.size = check_size(size)
        if len(scale) != 2 or not 0 < scale[0] <= scale[1] <= 1:
            raise ValueError(f"`scale` must be (lowest, highest), ascending, in (0, 1]. Received: scale={scale}")
        self.scale = (float(scale[0]), float(scale[1]))

    def __call__(
        self, image: np.ndarray, mask: np.ndarray, rng: np.random.Generator, ignore_class: int = 255
    ) -> tuple[np.ndarray, np.ndarray]:
        largest = min(extent / side for extent, side in zip(mask.shape, self.size, strict=True))
        factor = largest * rng.uniform(*self.scale)
        window = []
        for extent, side in zip(mask.shape, self.size, strict=True):
            length = min(max(round(side * factor), 1), extent)
            start = int(rng.integers(extent - length + 1))
            window.append(slice(start, start + length))
        rows, columns = window
        return resize_pair(image[rows, columns], mask[rows, columns], self.size)

    def get_config(self) -> dict[str, Any]:
        return {"size": self.size, "scale": self.scale}
