"""Photographs from and to files, with their depth and transparency."""

from pathlib import Path

import numpy as np

from keras_segpaint.data.errors import DataError

__all__ = ["read_photograph", "write_photograph"]

_DEEP = frozenset({".png", ".tif", ".tiff"})
_LOSSLESS = frozenset({".png", ".tif", ".tiff"})


def read_photograph(path: Path) -> np.ndarray:
    """Reads an image as it is stored, upright.

    Args:
        path: The file.

    Returns:
        uint8 or uint16 `(height, width)` (grey) or `(height, width, channels)`: RGB, or RGB with opacity. Palettes are
        resolved.

    Raises:
        DataError: If the file is missing, truncated, no image, or too large for Pillow; the message names it.
    """
    from PIL import Image, ImageOps

    try:
        with Image.open(path) as file:
            image = ImageOps.exif_transpose(file)
            image.load()
            if path.suffix.lower() in _DEEP and (deep := _sixteen_bits(path)) is not None:
                return deep
            if image.mode.startswith("I"):
                return np.asarray(image).astype(np.uint16)
            if image.mode == "1":
                return np.asarray(image.convert("L"))
            if image.mode not in ("L", "RGB", "RGBA"):
                transparent = image.mode in ("LA", "PA", "RGBa") or "transparency" in image.info
                image = image.convert("RGBA" if transparent else "RGB")
            return np.asarray(image)
    except FileNotFoundError as error:
        raise DataError(f"{path}: the file does not exist.") from error
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise DataError(f"{path}: cannot be read as an image ({error}). Restore the file, or take it away.") from error


def write_photograph(path: Path, image: np.ndarray) -> None:
    """Writes a PNG or TIFF file without loss.

    Args:
        path: The file; its suffix chooses the format.
        image: As `read_photograph` gives it.

    Raises:
        ValueError: If the suffix is that of another format.
    """
    check_lossless(path)
    if image.dtype == np.uint16:
        import cv2

        order = {3: cv2.COLOR_RGB2BGR, 4: cv2.COLOR_RGBA2BGRA}
        cv2.imwrite(str(path), image if image.ndim == 2 else cv2.cvtColor(image, order[image.shape[2]]))
        return
    from PIL import Image

    Image.fromarray(image).save(path)


def check_lossless(path: Path) -> None:
    """Raises `ValueError` unless the suffix is that of a format without loss."""
    if path.suffix.lower() not in _LOSSLESS:
        raise ValueError(
            f"{path}: a filled image is written as {', '.join(sorted(_LOSSLESS))}, since other formats would change the "
            "known pixels."
        )


def _sixteen_bits(path: Path) -> np.ndarray | None:
    """The colours of a file of 16 bits, which Pillow reads as 8; `None` for any other file."""
    import cv2

    pixels = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None or pixels.dtype != np.uint16:
        return None
    if pixels.ndim == 2:
        return pixels
    return cv2.cvtColor(pixels, cv2.COLOR_BGRA2RGBA if pixels.shape[2] == 4 else cv2.COLOR_BGR2RGB)
