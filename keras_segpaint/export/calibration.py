"""The representative images from which the ranges of an integer file are taken."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from keras_segpaint.export.files import to_dtype

__all__ = ["calibration_images"]


def calibration_images(images: Iterable[Any] | None, shape: tuple[int | None, ...], fills: bool) -> np.ndarray:
    """Calibration images as float32 in [0, 1], `(batch, height, width, channels)`.

    The converter takes each tensor's range from what it sees. That of the input has to be [0, 1], whatever the images
    show, for 255 to stand for 1: the first image has a black and a white pixel in its corners, known ones if there are holes.

    Args:
        images: uint8, or floating in [0, 1], an array or one image after another.
        shape: `(1, height, width, channels)` of the model's input.
        fills: Whether the fourth channel is a mask of holes.

    Raises:
        ValueError: If there are none, or shape or range are wrong.

    Example:
        >>> calibration_images(np.full((1, 2, 2, 1), 51, np.uint8), (1, 2, 2, 1), False).ravel().astype(float).round(1).tolist()
        [0.0, 0.2, 0.2, 1.0]
    """
    if images is None:
        raise ValueError(
            '`calibration` must be given for precision="int8": some ten to a hundred images like those that the file '
            f"will see, uint8 or floating in [0, 1], of the shape (batch, {', '.join(map(str, shape[1:]))})."
        )
    found = [_in_unit_range(np.asarray(image), shape[1:]) for image in images]
    if not found:
        raise ValueError("`calibration` must hold at least one image. Received: none")
    result = np.stack(found)
    for corner, value in ((0, 0.0), (-1, 1.0)):
        result[0, corner, corner, :3] = value
        if fills:
            result[0, corner, corner, 3] = 0.0
    return result


def _in_unit_range(image: np.ndarray, shape: tuple[int | None, ...]) -> np.ndarray:
    if image.shape != shape:
        raise ValueError(
            f"`calibration` must hold images of the shape ({', '.join(map(str, shape))}). "
            f"Received: shape {image.shape}. Resize them first."
        )
    unit = np.issubdtype(image.dtype, np.floating) and -1e-3 <= image.min() and image.max() <= 1 + 1e-3
    if image.dtype != np.uint8 and not unit:
        raise ValueError(
            "`calibration` must hold uint8 images, or floating ones in [0, 1]. "
            f"Received: {image.dtype} in [{image.min()}, {image.max()}]"
        )
    return to_dtype(image)
