"""Rectangular holes."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_segpaint.data.augmentation.resize import check_size
from keras_segpaint.data.masks.base import MaskGenerator, check_range

__all__ = ["RectangleMask"]


class RectangleMask(MaskGenerator):
    """One rectangle at a random place inside the image.

    Args:
        height: Lowest and highest height, as fractions of the image's. Defaults to `(0.375, 0.5)`: 96 to 128 of 256
            pixels, as in DeepFill.
        width: The same for the width. Defaults to `(0.375, 0.5)`.
        margin: Fraction of each side next to the border that stays known. Defaults to `0.0`.

    Raises:
        ValueError: If a range does not ascend within [0, 1], or the largest rectangle does not fit between the margins.

    References:
        - [Generative Image Inpainting with Contextual Attention](https://arxiv.org/abs/1801.07892), section 4.

    Example:
        >>> int(RectangleMask(height=(0.5, 0.5), width=(0.25, 0.25)).draw((8, 8), count=1).sum())
        8
    """

    def __init__(
        self,
        height: Sequence[float] = (0.375, 0.5),
        width: Sequence[float] = (0.375, 0.5),
        margin: float = 0.0,
    ):
        self.height = check_range("height", height, 0, 1)
        self.width = check_range("width", width, 0, 1)
        self.margin = float(margin)
        if margin < 0 or max(self.height[1], self.width[1]) + 2 * margin > 1:
            raise ValueError(
                "`margin` must be >= 0, and twice of it must leave room for the largest height and width. "
                f"Received: margin={margin}, height={height}, width={width}"
            )

    def __call__(self, size: Sequence[int], rng: np.random.Generator) -> np.ndarray:
        mask = np.zeros(check_size(size), np.uint8)
        window = []
        for extent, limits in zip(mask.shape, (self.height, self.width), strict=True):
            border = int(self.margin * extent)
            length = min(max(round(extent * rng.uniform(*limits)), 1), extent - 2 * border)
            start = border + int(rng.integers(extent - 2 * border - length + 1))
            window.append(slice(start, start + length))
        mask[tuple(window)] = 1
        return mask

    def get_config(self) -> dict[str, Any]:
        return {"height": self.height, "width": self.width, "margin": self.margin}
