"""An image with holes before and after it was filled."""

import numpy as np

from keras_segpaint.viz.overlay import to_rgb

# A colour that photographs rarely hold.
HOLE = (255, 0, 160)
GAP = 8


def before_and_after(image: np.ndarray, mask: np.ndarray, filled: np.ndarray) -> np.ndarray:
    """Puts an image, the image with its holes painted over, and the filled image side by side.

    Args:
        image: `(height, width)` or `(height, width, channels)`; `uint8`, `uint16`, or floats in [0, 1].
        mask: `(height, width)`, 1 is a hole.
        filled: As `image`.

    Returns:
        `uint8` RGB image `(height, 3 * width + 16, 3)`.

    Raises:
        ValueError: If the three differ in size.

    Example:
        >>> photo = np.zeros((10, 12, 3), np.uint8)
        >>> before_and_after(photo, np.eye(10, 12), photo).shape
        (10, 52, 3)
    """
    if not image.shape[:2] == mask.shape == filled.shape[:2]:
        raise ValueError(
            "`image`, `mask` and `filled` must have the same size. Received: shapes "
            f"{image.shape}, {mask.shape}, {filled.shape}"
        )
    before, after = (_eight_bits(picture) for picture in (image, filled))
    gap = np.full((mask.shape[0], GAP, 3), 255, np.uint8)
    return np.concatenate([before, gap, painted_over(before, mask), gap, after], axis=1)


def painted_over(image: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """A `uint8` RGB image with its holes in one colour; `mask` is `(height, width)`, above 0 a hole."""
    return np.where(mask[..., None] > 0, np.array(HOLE, np.uint8), image)


def _eight_bits(image: np.ndarray) -> np.ndarray:
    if image.dtype == np.uint16:
        image = (image >> 8).astype(np.uint8)
    if image.ndim == 3 and image.shape[-1] == 2:
        image = image[..., 0]
    return to_rgb(image)
