"""Cutting out a window."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_segpaint.data.augmentation.base import Augmentation
from keras_segpaint.data.augmentation.resize import check_size

__all__ = ["RandomCrop"]

_TRIES = 10


class RandomCrop(Augmentation):
    """Cuts out a window at a random place; a smaller image is padded at a random place instead.

    Padding is black in the image and `ignore_class` in the mask.

    Where one class fills much of the images, such as a black surrounding, many windows show nothing else. They teach
    little, and a batch of nothing but them leaves batch normalisation a variance of zero. `largest_share` has a window
    drawn again, up to ten times, while one class covers more of it.

    Args:
        size: `(height, width)` of the window.
        largest_share: Number in (0, 1], the share of a window's labelled pixels that one class may have; the network
            zoos that train on Cityscapes take 0.75. Defaults to `1.0`, the first window as it is.

    Raises:
        ValueError: If `size` is not two positive integers, or `largest_share` not in (0, 1].

    Example:
        >>> image, mask = np.zeros((4, 6, 3), np.uint8), np.zeros((4, 6), np.uint8)
        >>> image, mask = RandomCrop((5, 5))(image, mask, np.random.default_rng(0))
        >>> image.shape, np.bincount(mask.ravel())[[0, 255]].tolist()
        ((5, 5, 3), [20, 5])
    """

    def __init__(self, size: Sequence[int], largest_share: float = 1.0):
        if not 0 < largest_share <= 1:
            raise ValueError(f"`largest_share` must be in (0, 1]. Received: largest_share={largest_share}")
        self.size = check_size(size)
        self.largest_share = float(largest_share)

    def __call__(
        self, image: np.ndarray, mask: np.ndarray, rng: np.random.Generator, ignore_class: int = 255
    ) -> tuple[np.ndarray, np.ndarray]:
        source, target = self._windows(mask.shape, rng)
        for _ in range(_TRIES - 1 if self.largest_share < 1 else 0):
            if _largest_share(mask[source], ignore_class) <= self.largest_share:
                break
            source, target = self._windows(mask.shape, rng)
        if mask.shape[0] >= self.size[0] and mask.shape[1] >= self.size[1]:
            return image[source], mask[source]
        padded_image = np.zeros((*self.size, image.shape[2]), image.dtype)
        padded_mask = np.full(self.size, ignore_class, mask.dtype)
        padded_image[target] = image[source]
        padded_mask[target] = mask[source]
        return padded_image, padded_mask

    def _windows(self, shape: Sequence[int], rng: np.random.Generator) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
        """Rows and columns of the image, and where in the result they go."""
        source, target = [], []
        for extent, side in zip(shape, self.size, strict=True):
            offset = int(rng.integers(abs(extent - side) + 1))
            length = min(extent, side)
            inside, window = (offset, 0) if extent >= side else (0, offset)
            source.append(slice(inside, inside + length))
            target.append(slice(window, window + length))
        return tuple(source), tuple(target)

    def get_config(self) -> dict[str, Any]:
        return {"size": self.size, "largest_share": self.largest_share}


def _largest_share(mask: np.ndarray, ignore_class: int) -> float:
    """The share that the most frequent class has of the labelled pixels."""
    labels = mask[mask != ignore_class]
    return float(np.bincount(labels).max() / labels.size) if labels.size else 1.0
