"""Pictures of a prediction on its image."""

import numpy as np

from keras_segpaint.viz.palette import colorize

# Pale against strong, so that the two differ without colour vision too.
CORRECT = (200, 228, 212)
WRONG = (214, 40, 57)


def to_rgb(image: np.ndarray) -> np.ndarray:
    """Any image as `uint8` RGB.

    Args:
        image: `(height, width)` or `(height, width, channels)`; `uint8`, or floats in [0, 1]. Of more than three channels
            the first three are shown.

    Returns:
        `uint8` array `(height, width, 3)`.

    Raises:
        ValueError: If the image has another rank.
    """
    image = np.asarray(image)
    if image.ndim == 2:
        image = image[..., None]
    if image.ndim != 3:
        raise ValueError(f"`image` must be (height, width[, channels]). Received: image.shape={image.shape}")
    image = image[..., :3] if image.shape[-1] >= 3 else np.repeat(image[..., :1], 3, axis=-1)
    if image.dtype != np.uint8:
        image = np.round(np.clip(image.astype("float32"), 0.0, 1.0) * 255.0).astype("uint8")
    return image


def overlay(image: np.ndarray, class_map: np.ndarray, palette: np.ndarray, alpha: float = 0.5) -> np.ndarray:
    """Lays the colours of a class map over its image.

    Args:
        image: `(height, width[, channels])`, `uint8` or floats in [0, 1].
        class_map: Integers `(height, width)`.
        palette: `(num_classes, 3)` of 0 to 255.
        alpha: Float in [0, 1], how much of the colours is seen. Defaults to `0.5`.

    Returns:
        `uint8` RGB image `(height, width, 3)`.

    Raises:
        ValueError: If image and class map differ in size, or `alpha` is outside of [0, 1].

    Example:
        >>> overlay(np.zeros((1, 1), "uint8"), np.array([[0]]), np.array([[200, 100, 0]]), alpha=0.5).tolist()
        [[[100, 50, 0]]]
    """
    if not 0.0 <= alpha <= 1.0:
        raise ValueError(f"`alpha` must be between 0 and 1. Received: alpha={alpha}")
    rgb = to_rgb(image)
    if rgb.shape[:2] != np.shape(class_map):
        raise ValueError(
            f"`image` and `class_map` must have the same size. Received: {rgb.shape[:2]} and {np.shape(class_map)}"
        )
    mixed = (1.0 - alpha) * rgb + alpha * colorize(class_map, palette)
    return np.round(mixed).astype("uint8")


def error_map(truth: np.ndarray, prediction: np.ndarray, ignore_class: int | None = 255) -> np.ndarray:
    """Shows where a prediction is right (pale green), wrong (red) or not judged (grey).

    Args:
        truth: Integers `(height, width)`.
        prediction: Integers `(height, width)`.
        ignore_class: Integer, the true label of pixels that are not judged, or `None`. Defaults to `255`.

    Returns:
        `uint8` RGB image `(height, width, 3)`.

    Raises:
        ValueError: If the maps differ in size.

    Example:
        >>> error_map(np.array([[0, 1, 255]]), np.array([[0, 0, 0]]))[0].tolist()
        [[200, 228, 212], [214, 40, 57], [128, 128, 128]]
    """
    truth, prediction = np.asarray(truth), np.asarray(prediction)
    if truth.shape != prediction.shape:
        raise ValueError(
            f"`truth` and `prediction` must have the same size. Received: {truth.shape} and {prediction.shape}"
        )
    verdict = np.where(truth == prediction, 0, 1)
    if ignore_class is not None:
        verdict = np.where(truth == ignore_class, 255, verdict)
    return colorize(verdict, np.array([CORRECT, WRONG]))
