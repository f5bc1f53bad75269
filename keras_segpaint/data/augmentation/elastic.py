"""U-Net's elastic deformation."""

from typing import Any

import numpy as np

from keras_segpaint.data.augmentation.base import Augmentation, with_channels

__all__ = ["ElasticDeformation"]


class ElasticDeformation(Augmentation):
    """Moves pixels by a smooth random field: random vectors on a coarse grid, interpolated bicubically.

    Pixels that come from outside are black in the image and `ignore_class` in the mask.

    Args:
        grid: The number of grid points a side, at least 2. Defaults to `3`, the paper's.
        sigma: The standard deviation of the vectors in pixels, positive. Defaults to `10`, the paper's.

    Raises:
        ValueError: If an argument is out of range.

    References:
        - [U-Net](https://arxiv.org/abs/1505.04597), section 3.1

    Example:
        >>> image, mask = np.zeros((32, 48, 1), np.uint8), np.zeros((32, 48), np.uint8)
        >>> image, mask = ElasticDeformation(sigma=4.0)(image, mask, np.random.default_rng(0))
        >>> image.shape, mask.shape
        ((32, 48, 1), (32, 48))
    """

    def __init__(self, grid: int = 3, sigma: float = 10.0):
        if grid < 2:
            raise ValueError(f"`grid` must be an integer >= 2. Received: grid={grid}")
        if sigma <= 0:
            raise ValueError(f"`sigma` must be positive. Received: sigma={sigma}")
        self.grid = int(grid)
        self.sigma = float(sigma)

    def __call__(
        self, image: np.ndarray, mask: np.ndarray, rng: np.random.Generator, ignore_class: int = 255
    ) -> tuple[np.ndarray, np.ndarray]:
        import cv2

        height, width = mask.shape
        coarse = rng.normal(0.0, self.sigma, (2, self.grid, self.grid)).astype(np.float32)
        x, y = (cv2.resize(vectors, (width, height), interpolation=cv2.INTER_CUBIC) for vectors in coarse)
        x += np.arange(width, dtype=np.float32)
        y += np.arange(height, dtype=np.float32)[:, None]
        image = cv2.remap(image, x, y, cv2.INTER_LINEAR)
        mask = cv2.remap(mask, x, y, cv2.INTER_NEAREST, borderValue=ignore_class)
        return with_channels(image), mask

    def get_config(self) -> dict[str, Any]:
        return {"grid": self.grid, "sigma": self.sigma}
