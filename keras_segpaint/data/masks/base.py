"""The contract of a mask generator."""

from collections.abc import Sequence

import numpy as np

from keras_segpaint.data.augmentation.resize import check_size
from keras_segpaint.data.configurable import Configurable

__all__ = ["MaskGenerator", "check_range"]


class MaskGenerator(Configurable):
    """Draws masks of holes.

    Called as `generator(size, rng)` with `size = (height, width)` in pixels and a `numpy.random.Generator` that all
    randomness is drawn from. Returns uint8 `(height, width)`: 1 is a hole, 0 is known.

    Example:
        >>> class LeftHalf(MaskGenerator):
        ...     def __call__(self, size, rng):
        ...         return (np.arange(size[1]) < size[1] // 2).astype(np.uint8) * np.ones((size[0], 1), np.uint8)
        >>> LeftHalf().draw((2, 4), count=3, seed=0).shape
        (3, 2, 4)
    """

    def __call__(self, size: Sequence[int], rng: np.random.Generator) -> np.ndarray:
        raise NotImplementedError

    def draw(self, size: Sequence[int], count: int, seed: int = 0) -> np.ndarray:
        """Masks of one seed, uint8 `(count, height, width)`.

        Mask `i` depends on the seed and on `i` alone: the first masks of a longer draw are those of a shorter one.

        Raises:
            ValueError: If `size` is not two positive integers, or `count` or `seed` is negative.
        """
        height, width = check_size(size)
        if count < 0 or seed < 0:
            raise ValueError(f"`count` and `seed` must be integers >= 0. Received: count={count}, seed={seed}")
        masks = np.empty((count, height, width), np.uint8)
        for index in range(count):
            masks[index] = self((height, width), np.random.default_rng((seed, index)))
        return masks


def check_range(name: str, values: Sequence[float], low: float, high: float) -> tuple[float, float]:
    """`(lowest, highest)` as floats; raises `ValueError` unless they ascend within `[low, high]`."""
    if len(values) != 2 or not low <= values[0] <= values[1] <= high:
        raise ValueError(
            f"`{name}` must be (lowest, highest), ascending, within [{low:g}, {high:g}]. Received: {name}={values}"
        )
    return float(values[0]), float(values[1])
