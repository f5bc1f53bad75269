"""Reading images and masks from files.

Pillow reads them: it is as fast as OpenCV here, reads the indices of a palette PNG instead of its colours,
opens only the header where the size is enough, and reports a truncated JPEG, which OpenCV fills with grey
without a word.
"""

import glob
import os
from pathlib import Path

import numpy as np

from keras_segpaint.data.errors import DataError

__all__ = ["IMAGE_SUFFIXES", "find_images", "image_size", "read_image", "read_mask"]

IMAGE_SUFFIXES = frozenset({".bmp", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"})
LOSSY_SUFFIXES = frozenset({".jpg", ".jpeg"})

_ORIENTATION_TAG = 0x0112
_SIDEWAYS = frozenset({5, 6, 7, 8})


def find_images(source: str | os.PathLike) -> list[Path]:
    """The image files that a name stands for.

    Args:
        source: A file, a folder (searched with its subfolders) or a pattern such as `"photos/*.jpg"`.

    Returns:
        Sorted paths.

    Raises:
        FileNotFoundError: If there is no such file or folder, or it holds no image.

    Example:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     for name in ("b.png", "a.jpg", "notes.txt"):
        ...         Path(folder, name).touch()
        ...     [path.name for path in find_images(folder)]
        ['a.jpg', 'b.png']
    """
    path = Path(source)
    if path.is_file():
        return [path]
    if path.is_dir():
        found = [item for item in path.rglob("*") if item.suffix.lower() in IMAGE_SUFFIXES]
        problem = f"has no image ({', '.join(sorted(IMAGE_SUFFIXES))})"
    else:
        matches = map(Path, glob.glob(os.fspath(source), recursive=True))
        found = [item for item in matches if item.is_file() and item.suffix.lower() in IMAGE_SUFFIXES]
        problem = "No such file or folder, and no image matches it as a pattern"
    if not found:
        raise FileNotFoundError(2, problem, str(source))
    return sorted(found)


def read_image(path: Path, channels: int = 3) -> np.ndarray:
    """Reads an image, upright (the orientation noted by a camera is applied).

    Args:
        path: The file.
        channels: `3` for RGB, `1` for grey.

    Returns:
        uint8 array `(height, width, channels)`. 16-bit greys are scaled to 8 bits; transparency is dropped.

    Raises:
        DataError: If the file is missing, truncated or no image; the message names it.
    """
    from PIL import Image, ImageOps

    try:
        with Image.open(path) as file:
            turned = file.getexif().get(_ORIENTATION_TAG, 1) != 1
            image = ImageOps.exif_transpose(file) if turned else file
            if image.mode.startswith("I") or image.mode == "F":
                grey = _to_8_bits(np.asarray(image))
                return np.repeat(grey[..., None], channels, axis=-1)
            pixels = np.asarray(image.convert("RGB" if channels == 3 else "L"))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise DataError(_unreadable(path, error)) from error
    return pixels.reshape(*pixels.shape[:2], channels)


def read_mask(path: Path) -> np.ndarray:
    """Reads a mask as it is stored.

    Args:
        path: A grey (1, 8, 16 or 32 bits) or palette image, whose indices are read, or a colour image.

    Returns:
        Labels `(height, width)` as uint8 or int32; of a colour image, its colours uint8 `(height, width, 3)`.

    Raises:
        DataError: If the file is missing, truncated or no image; the message names it.
    """
    from PIL import Image

    try:
        with Image.open(path) as image:
            if image.mode == "1":
                return np.asarray(image).astype(np.uint8)
            if image.mode in ("L", "P"):
                return np.asarray(image)
            if image.mode.startswith("I"):
                return np.asarray(image).astype(np.int32)
            return np.asarray(image.convert("RGB"))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise DataError(_unreadable(path, error)) from error


def image_size(path: Path, upright: bool = True) -> tuple[int, int]:
    """`(height, width)` from the header of a file, as `read_image` (`upright=True`) or `read_mask` will give
    it.

    Raises:
        DataError: If the file is missing or no image; the message names it.
    """
    from PIL import Image

    try:
        with Image.open(path) as image:
            width, height = image.size
            if upright and image.getexif().get(_ORIENTATION_TAG, 1) in _SIDEWAYS:
                width, height = height, width
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise DataError(_unreadable(path, error)) from error
    return height, width


def _to_8_bits(grey: np.ndarray) -> np.ndarray:
    if grey.dtype == np.uint16 or (np.issubdtype(grey.dtype, np.integer) and grey.max(initial=0) > 255):
        return (np.clip(grey, 0, 65535) >> 8).astype(np.uint8)
    return np.clip(grey, 0, 255).astype(np.uint8)


def _unreadable(path: Path, error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return f"{path}: the file does not exist."
    return f"{path}: cannot be read as an image ({error}). Restore the file, or remove the image and its mask."
