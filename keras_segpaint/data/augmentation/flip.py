"""Mirroring."""

from typing import Any

import numpy as np

from keras_segpaint.data.augmentation.base import Augmentation

__all__ = ["RandomFlip"]


class RandomFlip(Augmentation):
    """Mirrors left and right, or top and bottom, each with probability 1/2.

    Args:
        horizontal: Whether left and right may be exchanged. Defaults to `True`.
        vertical: Whether top and bottom may be exchanged. Defaults to `False`.

    Raises:
        ValueError: If both are `False`.

    Example:
        >>> image, mask = np.zeros((4, 6, 3), np.uint8), np.zeros((4, 6), np.uint8)
        >>> image, mask = RandomFlip()(image, mask, np.random.default_rng(0))
        >>> image.shape, mask.shape
        ((4, 6, 3), (4, 6))
    """

    def __init__(self, horizontal: bool = True, vertical: bool = False):
        if not (horizontal or vertical):
            raise ValueError("`horizontal` or `vertical` must be True. Received: horizontal=False, vertical=False")
        self.horizontal = horizontal
        self.vertical = vertical

    def __call__(
        self, image: np.ndarray, mask: np.ndarray, rng: np.random.Generator, ignore_class: int = 255
    ) -> tuple[np.ndarray, np.ndarray]:
        left_right, top_bottom = rng.random(2) < 0.5
        steps = (
            -1 if self.vertical and top_bottom else 1,
            -1 if self.horizontal and left_right else 1,
        )
        rows, columns = (slice(None, None, step) for step in steps)
        # OpenCV, which may come next, takes no arrays with negative strides.
        return np.ascontiguousarray(image[rows, columns]), np.ascontiguousarray(mask[rows, columns])

    def get_config(self) -> dict[str, Any]:
        return {"horizontal": self.horizontal, "vertical": self.vertical}
