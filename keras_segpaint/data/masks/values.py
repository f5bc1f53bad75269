"""What the values of a mask mean: one form out of the many that masks come in."""

from pathlib import Path
from typing import Any

import numpy as np

from keras_segpaint.data.errors import DataError

__all__ = ["hole_mask", "read_hole_mask"]


def hole_mask(values: Any, hole_value: int = 1, threshold: float = 0.5) -> np.ndarray:
    """Brings a mask to the form that the package works with.

    Args:
        values: `(height, width)` or `(height, width, 1)`: Boolean; 0 and 1 of any type; 0 to 255 (uint8), 0 to 65535
            (uint16), or a floating type in [0, 1].
        hole_value: What a hole is in `values`: `1` or `255` for bright holes, `0` for dark ones. Defaults to `1`.
        threshold: In (0, 1]. A pixel between dark and bright is a hole if it is at least this much of the way to the
            value of a hole. Defaults to `0.5`.

    Returns:
        uint8 `(height, width)`: 1 is a hole, 0 is known.

    Raises:
        ValueError: If shape, type, range, `hole_value` or `threshold` are not as above.

    Example:
        >>> hole_mask(np.array([[0, 100, 255]], np.uint8)).tolist()
        [[0, 0, 1]]
        >>> hole_mask(np.array([[0, 100, 255]], np.uint8), hole_value=0).tolist()
        [[1, 1, 0]]
    """
    values = np.asarray(values)
    check_polarity(hole_value, threshold)
    if values.ndim == 3 and values.shape[-1] == 1:
        values = values[..., 0]
    if values.ndim != 2 or 0 in values.shape:
        raise ValueError(
            "A mask must have the shape (height, width) or (height, width, 1). Received: a mask of shape "
            f"{values.shape}. Of a colour picture of a mask, give one channel."
        )
    top = _top(values)
    # Compared with the bound in the values' own type: no second copy of a large mask in float.
    if hole_value == 0:
        return (values <= (1 - threshold) * top).astype(np.uint8)
    return (values >= threshold * top).astype(np.uint8)


def read_hole_mask(path: str | Path, *, hole_value: int, threshold: float = 0.5) -> np.ndarray:
    """Reads a mask of holes from an image file.

    A colour image is read as grey. Of an image with transparency that has one colour everywhere, the opacity is the mask.

    Args:
        path: The file.
        hole_value: `1` or `255` if holes are bright in the file, `0` if they are dark. Both are in use, so there is no
            default.
        threshold: As in `hole_mask`.

    Returns:
        uint8 `(height, width)`: 1 is a hole, 0 is known.

    Raises:
        DataError: If the file is missing, truncated or no image; the message names it.
        ValueError: If `hole_value` or `threshold` are not as above.

    Example:
        >>> import tempfile
        >>> from PIL import Image
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     Image.new("L", (3, 2), 255).save(f"{folder}/mask.png")
        ...     read_hole_mask(f"{folder}/mask.png", hole_value=255).shape
        (2, 3)
    """
    from PIL import Image

    check_polarity(hole_value, threshold)
    try:
        with Image.open(path) as image:
            if image.mode == "1":
                values = np.asarray(image)
            elif image.mode.startswith("I"):
                values = np.asarray(image).astype(np.uint16)
            elif image.mode == "F":
                values = np.asarray(image)
            else:
                values = _grey(image)
    except FileNotFoundError as error:
        raise DataError(f"{path}: the file does not exist.") from error
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise DataError(f"{path}: cannot be read as a mask ({error}). Save it again as a grey PNG.") from error
    try:
        return hole_mask(values, hole_value, threshold)
    except ValueError as error:
        raise DataError(f"{path}: {error}") from error


def check_polarity(hole_value: int, threshold: float) -> None:
    """Raises `ValueError` unless `hole_value` and `threshold` are among the values allowed."""
    if hole_value not in (0, 1, 255):
        raise ValueError(
            "`hole_value` must be 1 or 255 (holes are bright) or 0 (holes are dark). "
            f"Received: hole_value={hole_value!r}"
        )
    if not 0 < threshold <= 1:
        raise ValueError(f"`threshold` must be in (0, 1]. Received: threshold={threshold}")


def _top(values: np.ndarray) -> float:
    """The value of a bright pixel."""
    if values.dtype == bool:
        return 1.0
    low, high = float(values.min()), float(values.max())
    if np.issubdtype(values.dtype, np.floating) and low >= 0 and high <= 1:
        return 1.0
    if np.issubdtype(values.dtype, np.integer) and low >= 0 and high <= 65535:
        if high <= 1:
            return 1.0
        if values.dtype == np.uint16 or high > 255:
            return 65535.0
        return 255.0
    raise ValueError(
        "A mask must be Boolean, hold integers of 0 to 1, 0 to 255 or (uint16) 0 to 65535, or be of a floating type in "
        f"[0, 1] without NaN. Received: a mask of type {values.dtype} with values in [{low:g}, {high:g}]"
    )


def _grey(image: Any) -> np.ndarray:
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        pixels = np.asarray(image.convert("RGBA"))
        one_colour = (pixels[..., :3] == pixels[0, 0, :3]).all()
        if one_colour and pixels[..., 3].min() != pixels[..., 3].max():
            return pixels[..., 3]
        image = image.convert("RGB")
    return np.asarray(image.convert("L"))
