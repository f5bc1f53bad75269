"""Colours for class maps."""

import numpy as np

__all__ = ["default_palette"]


def default_palette(count: int) -> np.ndarray:
    """Distinct RGB colours by the bit-interleaving rule of the Pascal VOC palette; the first is black.

    Args:
        count: The number of colours, at least 1.

    Returns:
        uint8 array `(count, 3)`.

    Example:
        >>> default_palette(3).tolist()
        [[0, 0, 0], [128, 0, 0], [0, 128, 0]]
    """
    index = np.arange(count)
    palette = np.zeros((count, 3), np.int64)
    for bit in range(8):
        for channel in range(3):
            palette[:, channel] |= ((index >> (3 * bit + channel)) & 1) << (7 - bit)
    return palette.astype(np.uint8)
