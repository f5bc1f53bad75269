"""Changing the size."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_segpaint.data.augmentation.base import Augmentation, with_channels

__all__ = ["RandomScale", "Resize", "check_size", "resize_pair"]


class Resize(Augmentation):
    """Resizes to a fixed size; the aspect ratio may change.

    Args:
        size: `(height, width)` in pixels.

    Raises:
        ValueError: If `size` is not two positive integers.

    Example:
        >>> image, mask = np.zeros((4, 6, 3), np.uint8), np.zeros((4, 6), np.uint8)
        >>> image, mask = Resize((8, 9))(image, mask, np.random.default_rng(0))
        >>> image.shape, mask.shape
        ((8, 9, 3), (8, 9))
    """

    def __init__(self, size: Sequence[int]):
        self.size = check_size(size)

    def __call__(
        self, image: np.ndarray, mask: np.ndarray, rng: np.random.Generator, ignore_class: int = 255
    ) -> tuple[np.ndarray, np.ndarray]:
        return resize_pair(image, mask, self.size)

    def get_config(self) -> dict[str, Any]:
        return {"size": self.size}


class RandomScale(Augmentation):
    """Resizes by a random factor, the same for height and width.

    Args:
        factor: The lowest and the highest factor, both positive; drawn uniformly. Defaults to `(0.5, 2.0)`.

    Raises:
        ValueError: If `factor` is not two ascending positive numbers.

    Example:
        >>> image, mask = np.zeros((4, 6, 3), np.uint8), np.zeros((4, 6), np.uint8)
        >>> image, mask = RandomScale((2.0, 2.0))(image, mask, np.random.default_rng(0))
        >>> image.shape, mask.shape
        ((8, 12, 3), (8, 12))
    """

    def __init__(self, factor: Sequence[float] = (0.5, 2.0)):
        if len(factor) != 2 or not 0 < factor[0] <= factor[1]:
            raise ValueError(f"`factor` must be two ascending positive numbers. Received: factor={factor}")
        self.factor = (float(factor[0]), float(factor[1]))

    def __call__(
        self, image: np.ndarray, mask: np.ndarray, rng: np.random.Generator, ignore_class: int = 255
    ) -> tuple[np.ndarray, np.ndarray]:
        factor = rng.uniform(*self.factor)
        height, width = mask.shape
        return resize_pair(image, mask, (max(round(height * factor), 1), max(round(width * factor), 1)))

    def get_config(self) -> dict[str, Any]:
        return {"factor": self.factor}


def resize_pair(image: np.ndarray, mask: np.ndarray, size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Resizes an image (area averages when both sides shrink, else bilinear) and its mask (nearest) to
    `(height, width)`."""
    import cv2

    if mask.shape == size:
        return image, mask
    shrinks = size[0] <= mask.shape[0] and size[1] <= mask.shape[1]
    target = size[::-1]
    image = cv2.resize(image, target, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
    # INTER_NEAREST takes the corner of a pixel, which is half a pixel away from what the image's
    # interpolation takes.
    mask = cv2.resize(mask, target, interpolation=cv2.INTER_NEAREST_EXACT)
    return with_channels(image), mask


def check_size(size: Sequence[int]) -> tuple[int, int]:
    """`(height, width)` as a tuple; raises `ValueError` unless it is two positive integers."""
    if len(size) != 2 or any(int(side) != side or side < 1 for side in size):
        raise ValueError(f"`size` must be (height, width), two positive integers. Received: size={size}")
    return int(size[0]), int(size[1])
