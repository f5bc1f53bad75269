"""The class of every pixel of an image of any size."""

from typing import Any

import keras
import numpy as np

from keras_segpaint.inference.images import forward, input_channels, input_size, resize_map, to_float
from keras_segpaint.models import UNet

__all__ = ["predict", "predict_logits", "softmax"]

_VALID_UNET_BORDER = 92


def predict(model: keras.Model, image: Any, size: tuple[int, int] | None = None) -> np.ndarray:
    """Predicts the class of every pixel.

    Args:
        model: A segmentation model that gives logits.
        image: uint8, or floating in [0, 1]; `(height, width)` or `(height, width, channels)` with 1, 3 or 4 channels.
            Grey and RGB are converted to what the model takes, transparency is dropped.
        size: `(height, width)` to which the image is resized for the network; the logits are resized back. Defaults
            to the size that the model was built for, or else the image's own.

    Returns:
        Class map `(height, width)` of the image's size; uint8, or int32 beyond 256 classes.

    Raises:
        ValueError: If the image is not as above.

    Example:
        >>> from keras_segpaint.models import UNet
        >>> predict(UNet(3, base_filters=2), np.zeros((21, 30, 3), "uint8")).shape
        (21, 30)
    """
    return class_map(predict_logits(model, image, size))


def predict_logits(model: keras.Model, image: Any, size: tuple[int, int] | None = None) -> np.ndarray:
    """Predicts the logits of every pixel.

    An unpadded U-Net, whose logits are smaller than its input, gets the image mirrored beyond its borders, as in its
    paper.

    Args:
        model: As in `predict`.
        image: As in `predict`.
        size: As in `predict`.

    Returns:
        float32 `(height, width, num_classes)` of the image's height and width.

    Raises:
        ValueError: If the image is not as above.

    Example:
        >>> from keras_segpaint.models import UNet
        >>> predict_logits(UNet(3, base_filters=2), np.zeros((21, 30, 3), "uint8"), size=(16, 16)).shape
        (21, 30, 3)
    """
    pixels = to_float(image, input_channels(model))
    original = pixels.shape[:2]
    rows, columns = input_size(model)
    unpadded = isinstance(model, UNet) and model.get_config()["padding"] == "valid"
    if size is None and rows is not None and columns is not None:
        # The logits of an unpadded network cover its input without the border.
        border = 2 * _VALID_UNET_BORDER if unpadded else 0
        size = rows - border, columns - border
    if size is not None:
        pixels = resize_map(pixels, size)
    height, width = pixels.shape[:2]
    if unpadded:
        pixels = _mirrored(pixels)
    logits = forward(model, pixels[None])[0][:height, :width]
    return resize_map(np.ascontiguousarray(logits, np.float32), original)


def class_map(logits: np.ndarray) -> np.ndarray:
    """The class of the highest logit."""
    return np.argmax(logits, axis=-1).astype(np.uint8 if logits.shape[-1] <= 256 else np.int32)


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities from logits along the last axis.

    Example:
        >>> softmax(np.array([0.0, 0.0])).tolist()
        [0.5, 0.5]
    """
    exponentials = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


def _mirrored(pixels: np.ndarray) -> np.ndarray:
    """An image with a mirrored border, of a size that an unpadded U-Net takes, whose logits begin at its corner."""
    border = _VALID_UNET_BORDER
    margins = []
    for extent in pixels.shape[:2]:
        target, _ = UNet.valid_size(extent + 2 * border)
        margins.append((border, target - extent - border))
    return np.pad(pixels, (*margins, (0, 0)), mode="symmetric")
