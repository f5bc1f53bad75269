"""Cutting out a window."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_segpaint.data.augmentation.base import Augmentation
from keras_segpaint.data.augmentation.resize import check_size

__all__ = ["RandomCrop"]


class RandomCrop(Augmentation):
    """Cuts out a window at a random place; a smaller image is padded at a random place instead.

    Padding is black in the image and `ignore_class` in the mask.

    Args:
        size: `(height, width)` of the window.

    Raises:
        ValueError: If `size` is not two positive integers.

    Example:
        >>> image, mask = np.zeros((4, 6, 3), np.uint8), np.zeros((4, 6), np.uint8)
        >>> image, mask = RandomCrop((5, 5))(image, mask, np.random.default_rng(0))
        >>> image.shape, np.bincount(mask.ravel())[[0, 255]].tolist()
        ((5, 5, 3), [20, 5])
    """

    def __init__(self, size: Sequence[int]):
        self.size = check_size(size)

    def __call__(
        self, image: np.ndarray, mask: np.ndarray, rng: np.random.Generator, ignore_class: int = 255
    ) -> tuple[np.ndarray, np.ndarray]:
        source, target = [], []
        for extent, side in zip(mask.shape, self.size, strict=True):
            offset = int(rng.integers(abs(extent - side) + 1))
            length = min(extent, side)
            inside, window = (offset, 0) if extent >= side else (0, offset)
            source.append(slice(inside, inside + length))
            target.append(slice(window, window + length))
        rows, columns = source
        if mask.shape[0] >= self.size[0] and mask.shape[1] >= self.size[1]:
            return image[rows, columns], mask[rows, columns]
        padded_image = np.zeros((*self.size, image.shape[2]), image.dtype)
        padded_mask = np.full(self.size, ignore_class, mask.dtype)
        padded_image[tuple(target)] = image[rows, columns]
        padded_mask[tuple(target)] = mask[rows, columns]
        return padded_image, padded_mask

    def get_config(self) -> dict[str, Any]:
        return {"size": self.size}
