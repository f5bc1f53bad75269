"""Masks by the share of their holes."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from keras_segpaint.data.masks.base import MaskGenerator, check_range

__all__ = ["HOLE_RATIOS", "HoleRatioMask", "hole_ratio"]

HOLE_RATIOS = ((0.01, 0.1), (0.1, 0.2), (0.2, 0.3), (0.3, 0.4), (0.4, 0.5), (0.5, 0.6))
"""The buckets of the partial convolution paper; a share belongs to the bucket with `low < share <= high`."""

_TRIES = 200


class HoleRatioMask(MaskGenerator):
    """Masks whose share of holes lies in one of several buckets, every bucket as often as the others.

    The holes of several draws are laid over each other until their share is in the bucket; if they overshoot it, the
    mask is begun anew.

    Args:
        generator: Draws the holes.
        ratios: Buckets `(low, high)`, `low < share <= high`. Defaults to the six of the paper.

    Raises:
        ValueError: If a bucket does not ascend within [0, 1]; when called, if the generator gives no mask for a bucket
            in 200 draws.

    References:
        - [Image Inpainting for Irregular Holes](https://arxiv.org/abs/1804.07723), section 4.1.

    Example:
        >>> from keras_segpaint.data import FreeFormMask
        >>> masks = HoleRatioMask(FreeFormMask(), [(0.3, 0.4)]).draw((64, 64), count=5)
        >>> all(0.3 < hole_ratio(mask) <= 0.4 for mask in masks)
        True
    """

    def __init__(self, generator: MaskGenerator, ratios: Iterable[Sequence[float]] = HOLE_RATIOS):
        self.generator = generator
        self.ratios = tuple(check_range("ratios", bucket, 0, 1) for bucket in ratios)
        if not self.ratios or any(low == high for low, high in self.ratios):
            raise ValueError(f"`ratios` must hold at least one (low, high) with low < high. Received: {self.ratios}")

    def __call__(self, size: Sequence[int], rng: np.random.Generator) -> np.ndarray:
        low, high = self.ratios[rng.integers(len(self.ratios))]
        mask = self.generator(size, rng)
        for _ in range(_TRIES):
            ratio = hole_ratio(mask)
            if low < ratio <= high:
                return mask
            again = self.generator(size, rng)
            mask = again if ratio > high else np.maximum(mask, again)
        raise ValueError(
            f"{self.generator} gave no mask of size {tuple(size)} whose share of holes is in ({low:g}, {high:g}] in "
            f"{_TRIES} draws. Change its arguments, or the buckets in `ratios`."
        )

    def get_config(self) -> dict[str, Any]:
        return {"generator": self.generator, "ratios": self.ratios}


def hole_ratio(mask: Any) -> float:
    """The share of pixels that are holes.

    Args:
        mask: `(height, width)` or `(height, width, 1)`, 1 is a hole.

    Example:
        >>> hole_ratio([[0, 1], [0, 0]])
        0.25
    """
    return float(np.mean(np.asarray(mask) != 0))
