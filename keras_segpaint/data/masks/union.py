"""Holes of several generators in one mask."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from keras_segpaint.data.masks.base import MaskGenerator

__all__ = ["MaskUnion"]


class MaskUnion(MaskGenerator):
    """A hole wherever one of the generators has one.

    Args:
        generators: At least one generator. DeepFill v2 is trained with `[RectangleMask(), FreeFormMask()]`.

    Raises:
        ValueError: If there is no generator.

    References:
        - [Free-Form Image Inpainting with Gated Convolution](https://arxiv.org/abs/1806.03589).

    Example:
        >>> from keras_segpaint.data import FreeFormMask, RectangleMask
        >>> MaskUnion([RectangleMask(), FreeFormMask()]).draw((64, 64), count=1).mean() > 0.13
        np.True_
    """

    def __init__(self, generators: Iterable[MaskGenerator]):
        self.generators = tuple(generators)
        if not self.generators or not all(isinstance(item, MaskGenerator) for item in self.generators):
            raise ValueError(f"`generators` must hold at least one MaskGenerator. Received: {self.generators}")

    def __call__(self, size: Sequence[int], rng: np.random.Generator) -> np.ndarray:
        return np.maximum.reduce([generator(size, rng) for generator in self.generators])

    def get_config(self) -> dict[str, Any]:
        return {"generators": self.generators}
