"""The map of structural similarity."""

import math
from typing import Any

import numpy as np
from keras import ops

WINDOW = 11
_SIGMA = 1.5
_K1, _K2 = 0.01, 0.03


def structural_similarity(a: Any, b: Any) -> Any:
    """SSIM of two images in [0, 1] around every pixel whose Gaussian window lies inside of them.

    Args:
        a: float32 `(batch, height, width, channels)`.
        b: The same shape.

    Returns:
        float32 `(batch, height - 10, width - 10, channels)`.

    Raises:
        ValueError: If a side is known to be shorter than the window of 11 pixels.
    """
    if any(side is not None and side < WINDOW for side in a.shape[1:3]):
        raise ValueError(
            f"SSIM needs images of at least {WINDOW} x {WINDOW} pixels. Received: images of shape {tuple(a.shape)}"
        )
    mean_a, mean_b = _blur(a), _blur(b)
    variance_a = _blur(a * a) - mean_a * mean_a
    variance_b = _blur(b * b) - mean_b * mean_b
    covariance = _blur(a * b) - mean_a * mean_b
    luminance = (2 * mean_a * mean_b + _K1**2) / (mean_a * mean_a + mean_b * mean_b + _K1**2)
    return luminance * (2 * covariance + _K2**2) / (variance_a + variance_b + _K2**2)


def _blur(images: Any) -> Any:
    """Weighted means over the window, one channel at a time and rows before columns."""
    offsets = np.arange(WINDOW) - WINDOW // 2
    weights = np.exp(-(offsets**2) / (2 * _SIGMA**2))
    kernel = ops.convert_to_tensor((weights / math.fsum(weights)).astype("float32"))
    channels = images.shape[-1]
    planes = [
        ops.conv(
            ops.conv(images[..., index : index + 1], ops.reshape(kernel, (-1, 1, 1, 1)), data_format="channels_last"),
            ops.reshape(kernel, (1, -1, 1, 1)),
            data_format="channels_last",
        )
        for index in range(channels)
    ]
    return ops.concatenate(planes, axis=-1)
