"""Turning."""

from typing import Any

import numpy as np

from keras_segpaint.data.augmentation.base import Augmentation, with_channels

__all__ = ["RandomRotation"]


class RandomRotation(Augmentation):
    """Turns about the centre by a random angle; the size stays.

    Corners that come from outside are black in the image and `ignore_class` in the mask.

    Args:
        degrees: The largest angle, in (0, 180]; drawn uniformly from `[-degrees, degrees]`. Defaults to `10`.

    Raises:
        ValueError: If `degrees` is out of range.

    Example:
        >>> image, mask = np.zeros((4, 6, 3), np.uint8), np.zeros((4, 6), np.uint8)
        >>> image, mask = RandomRotation(30)(image, mask, np.random.default_rng(0))
        >>> image.shape, mask.shape
        ((4, 6, 3), (4, 6))
    """

    def __init__(self, degrees: float = 10.0):
        if not 0 < degrees <= 180:
            raise ValueError(f"`degrees` must be in (0, 180]. Received: degrees={degrees}")
        self.degrees = float(degrees)

    def __call__(
        self, image: np.ndarray, mask: np.ndarray, rng: np.random.Generator, ignore_class: int = 255
    ) -> tuple[np.ndarray, np.ndarray]:
        import cv2

        height, width = mask.shape
        angle = rng.uniform(-self.degrees, self.degrees)
        matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), angle, 1.0)
        image = cv2.warpAffine(image, matrix, (width, height), flags=cv2.INTER_LINEAR)
        mask = cv2.warpAffine(mask, matrix, (width, height), flags=cv2.INTER_NEAREST, borderValue=ignore_class)
        return with_channels(image), mask

    def get_config(self) -> dict[str, Any]:
        return {"degrees": self.degrees}
