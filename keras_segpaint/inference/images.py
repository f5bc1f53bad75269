"""Between images as people have them and batches as networks take them."""

from typing import Any

import keras
import numpy as np

__all__ = ["forward", "input_channels", "input_size", "resize_map", "to_float"]

_GREY_WEIGHTS = np.array([0.299, 0.587, 0.114], np.float32)
_TOP = {np.dtype(np.uint8): 255, np.dtype(np.uint16): 65535}


def to_float(image: Any, channels: int) -> np.ndarray:
    """An image as float32 in [0, 1] with as many channels as a network takes.

    Args:
        image: uint8, uint16, or floating in [0, 1]; `(height, width)` or `(height, width, channels)` with 1, 3 or 4
            channels, of which the fourth (transparency) is dropped.
        channels: `1` or `3` convert between grey and RGB; any other number must be that of the image.

    Returns:
        float32 `(height, width, channels)`.

    Raises:
        ValueError: If shape, type or range are not as above.

    Example:
        >>> to_float(np.full((2, 2), 51, np.uint8), channels=3)[0, 0].tolist() == [np.float32(0.2)] * 3
        True
    """
    return with_channels(in_unit_range(checked(image, channels)), channels)


def checked(image: Any, channels: int) -> np.ndarray:
    """An image as `(height, width, channels)`, of its own type, without a copy; `ValueError` if it is none."""
    image = np.asarray(image)
    if image.ndim == 2:
        image = image[..., None]
    if image.ndim != 3 or 0 in image.shape:
        raise ValueError(
            f"`image` must have the shape (height, width) or (height, width, channels). Received: shape {image.shape}"
        )
    if np.issubdtype(image.dtype, np.floating):
        low, high = float(image.min()), float(image.max())
        if not (-1e-3 <= low and high <= 1 + 1e-3):
            raise ValueError(
                f"`image` of a floating type must be in [0, 1]. Received: values in [{low:g}, {high:g}]. Divide by "
                "255 or give uint8."
            )
    elif image.dtype not in _TOP:
        raise ValueError(f"`image` must be uint8, uint16, or floating in [0, 1]. Received: dtype {image.dtype}")
    have = image.shape[2]
    if have != channels and not (channels in (1, 3) and have in (1, 3, 4)):
        raise ValueError(f"`image` must have {channels} channels, as the model takes. Received: {have} channels")
    return image


def in_unit_range(image: np.ndarray) -> np.ndarray:
    """A checked image, or a part of one, as float32 in [0, 1]."""
    if image.dtype == np.float32:
        return image
    result = image.astype(np.float32)
    if image.dtype in _TOP:
        result /= np.float32(_TOP[image.dtype])
    return result


def with_channels(image: np.ndarray, channels: int) -> np.ndarray:
    """A checked image, or a part of one, with as many channels as a network takes."""
    have = image.shape[2]
    if have == channels:
        return image
    if have == 1:
        return np.repeat(image, channels, axis=2)
    colours = image[..., :3]
    return colours if channels == 3 else (colours @ _GREY_WEIGHTS)[..., None]


def to_bytes(image: np.ndarray) -> np.ndarray:
    """A checked image as uint8 RGB."""
    if image.dtype != np.uint8:
        image = np.rint(np.clip(in_unit_range(image), 0, 1) * 255).astype(np.uint8)
    return with_channels(image, 3)


def resize_map(values: np.ndarray, size: tuple[int, int], area: bool = True) -> np.ndarray:
    """Resizes a float32 map to `size = (height, width)`: area averages when both sides shrink, else bilinear."""
    import cv2

    if values.shape[:2] == tuple(size):
        return values
    shrinks = area and size[0] <= values.shape[0] and size[1] <= values.shape[1]
    interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    # OpenCV takes at most four channels at a time in some of its resizers.
    parts = [
        cv2.resize(
            np.ascontiguousarray(values[..., index : index + 4]), (size[1], size[0]), interpolation=interpolation
        )
        for index in range(0, values.shape[2], 4)
    ]
    return np.concatenate([part.reshape(*size, -1) for part in parts], axis=2)


def channels_first(model: keras.Model) -> bool:
    """Whether a model takes `(batch, channels, height, width)`."""
    return getattr(model, "data_format", keras.config.image_data_format()) == "channels_first"


def input_channels(model: keras.Model) -> int:
    """How many channels a model takes; those of an inpainting network's image, mask and sketch together."""
    axis = 1 if channels_first(model) else -1
    return sum(tensor.shape[axis] for tensor in model.inputs)


def input_size(model: keras.Model) -> tuple[int | None, int | None]:
    """The height and width that a model was built for, `None` where any will do."""
    shape = model.inputs[0].shape
    rows, columns = shape[2:] if channels_first(model) else shape[1:3]
    return rows, columns


def forward(model: keras.Model, images: np.ndarray) -> np.ndarray:
    """Logits `(batch, height, width, classes)` of images `(batch, height, width, channels)` in either data format."""
    first = channels_first(model)
    output = model.predict_on_batch(np.ascontiguousarray(images.transpose(0, 3, 1, 2)) if first else images)
    logits = np.asarray(output["logits"] if isinstance(output, dict) else output)
    return logits.transpose(0, 2, 3, 1) if first else logits
