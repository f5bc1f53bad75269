"""An image of any kind, its parts as a network takes them, and its filled holes in its own type."""

import numpy as np

__all__ = ["Picture"]

_GREY_WEIGHTS = np.array([0.299, 0.587, 0.114], np.float32)
_TOP = {np.dtype(np.uint8): 255, np.dtype(np.uint16): 65535}


class Picture:
    """An image with its mask, checked, and a copy of it whose holes are filled part by part.

    Args:
        image: uint8, uint16, or floating in [0, 1]; `(height, width)` or `(height, width, channels)` with 1 (grey), 2
            (grey and opacity), 3 (RGB) or 4 (RGB and opacity) channels.
        mask: uint8 `(height, width)`, 1 is a hole. What the image holds there does not matter: it may be NaN.

    Raises:
        ValueError: If shape or type of the image are not as above, or a known pixel is NaN or out of range.
    """

    def __init__(self, image: np.ndarray, mask: np.ndarray):
        check_form(image)
        if image.shape[:2] != mask.shape:
            sizes = [" x ".join(map(str, shape[1::-1])) for shape in (mask.shape, image.shape)]
            raise ValueError(
                f"`mask` must have the size of the image. Received: a mask of {sizes[0]} pixels, an image of {sizes[1]}. "
                "Resize the mask (nearest neighbour)."
            )
        self._top = _TOP.get(image.dtype, 1)
        self._planes = image[..., None] if image.ndim == 2 else image
        self._colours = 3 if self._planes.shape[-1] >= 3 else 1
        if self._top == 1:
            check_values(self._planes, mask)
        self.result = image.copy()

    def part(self, rows: slice, columns: slice) -> np.ndarray:
        """float32 RGB `(height, width, 3)` in [-1, 1]; opacity is dropped."""
        # What the holes of a floating image hold may be anything.
        with np.errstate(over="ignore", invalid="ignore"):
            colours = self._planes[rows, columns, : self._colours].astype(np.float32)
            colours *= np.float32(2 / self._top)
            colours -= 1
        return np.repeat(colours, 3, axis=-1) if self._colours == 1 else colours

    def fill(self, rows: slice, columns: slice, filled: np.ndarray, share: np.ndarray) -> None:
        """Writes into the result where `share` is above 0; other pixels and the opacity keep their bits.

        Args:
            rows: Rows of the image.
            columns: Columns of the image.
            filled: float32 RGB in [-1, 1].
            share: float32 `(height, width)` in [0, 1]: how much of the new value counts against the old one.
        """
        where = share > 0
        new = np.clip((filled[where] + 1) / 2, 0, 1)
        if self._colours == 1:
            new = (new @ _GREY_WEIGHTS)[:, None]
        weight = share[where][:, None]
        partial = weight[:, 0] < 1
        old = self._planes[rows, columns, : self._colours][where]
        new[partial] = weight[partial] * new[partial] + (1 - weight[partial]) * (old[partial] / self._top)
        if self._top > 1:
            new = np.rint(new * self._top)
        target = self.result[rows, columns]
        if target.ndim == 2:
            target[where] = new[:, 0].astype(target.dtype)
        else:
            target[where, : self._colours] = new.astype(target.dtype)


def check_form(image: np.ndarray) -> None:
    """Raises `ValueError` unless shape and type are those of an image."""
    channels = image.shape[2] if image.ndim == 3 else 1
    if image.ndim not in (2, 3) or channels not in (1, 2, 3, 4) or 0 in image.shape:
        raise ValueError(
            "`image` must have the shape (height, width) or (height, width, channels) with 1 to 4 channels and at least "
            f"one pixel. Received: shape {image.shape}"
        )
    if image.dtype not in _TOP and not np.issubdtype(image.dtype, np.floating):
        raise ValueError(f"`image` must be uint8, uint16, or floating in [0, 1]. Received: dtype {image.dtype}")


def check_values(planes: np.ndarray, mask: np.ndarray) -> None:
    """Raises `ValueError` if a known pixel of a floating image is NaN, infinite or outside of [0, 1]."""
    # A comparison with NaN is false.
    wrong = ~((planes >= -1e-3) & (planes <= 1 + 1e-3)).all(axis=-1)
    wrong &= mask == 0
    if not wrong.any():
        return
    row, column = np.argwhere(wrong)[0]
    raise ValueError(
        f"`image` of a floating type must be in [0, 1] outside of the holes. Received: {int(wrong.sum())} known pixels "
        f"that are NaN or out of range, the first in row {row}, column {column}: {planes[row, column].tolist()}. Mark "
        "them as holes, divide by 255, or give uint8."
    )
