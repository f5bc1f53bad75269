"""Parts of images brought to the sizes that a model takes, and back."""

from dataclasses import dataclass

import numpy as np

from keras_segpaint.inference.fillers import Filler
from keras_segpaint.inference.images import resize_map

__all__ = ["Patch", "fitted"]


@dataclass(frozen=True)
class Patch:
    """What goes through a model for a part of an image.

    Args:
        image: float32 `(height, width, 3)` in [-1, 1], 0 in the holes.
        mask: float32 `(height, width)`, 1 is a hole.
        inside: Height and width of the part without padding.
        original: Height and width of the part in the image.
        labels: int32 `(height, width)`, the label map that guides a model; `None` for other models.
    """

    image: np.ndarray
    mask: np.ndarray
    inside: tuple[int, int]
    original: tuple[int, int]
    labels: np.ndarray | None = None

    def restored(self, filled: np.ndarray) -> np.ndarray:
        """The model's output at the size of the part in the image."""
        if self.inside != self.original:
            # Enlarging mixes neighbours, and what a model gives outside of the holes is no part of the result.
            filled = np.where(self.mask[..., None] > 0, filled, self.image)
        return resize_map(np.ascontiguousarray(filled[: self.inside[0], : self.inside[1]]), self.original)


def fitted(
    part: np.ndarray, holes: np.ndarray, filler: Filler, max_pixels: int, labels: np.ndarray | None = None
) -> Patch:
    """A part of an image at a size that the model takes: mirrored beyond its borders, or made smaller.

    Args:
        part: float32 `(height, width, 3)` in [-1, 1].
        holes: uint8 `(height, width)`, 1 is a hole.
        filler: What sizes are taken.
        max_pixels: The most pixels that go through the model.
        labels: int32 `(height, width)`, or `None`.
    """
    original = holes.shape
    part = np.where(holes[..., None] > 0, np.float32(0), part)
    mask = holes.astype(np.float32)
    inside = tuple(
        min(extent, fixed or extent)
        for extent, fixed in zip(_within(original, max_pixels, filler.multiple), filler.fixed_size, strict=True)
    )
    if inside != original:
        part, mask = _shrunk(part, mask, inside)
    target = tuple(
        fixed or -(-max(extent, filler.smallest) // filler.multiple) * filler.multiple
        for extent, fixed in zip(inside, filler.fixed_size, strict=True)
    )
    margins = [(0, size - extent) for size, extent in zip(target, inside, strict=True)]
    return Patch(
        image=np.pad(part, (*margins, (0, 0)), mode="symmetric"),
        mask=np.pad(mask, margins, mode="symmetric"),
        inside=(inside[0], inside[1]),
        original=(original[0], original[1]),
        labels=None if labels is None else np.pad(_nearest(labels, inside), margins, mode="symmetric"),
    )


def _nearest(labels: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
    """A label map at another size, each pixel with the label at its centre."""
    places = [((2 * np.arange(to) + 1) * have) // (2 * to) for have, to in zip(labels.shape, size, strict=True)]
    return labels[np.ix_(*places)]


def _within(size: tuple[int, ...], max_pixels: int, multiple: int) -> tuple[int, ...]:
    """The size, scaled down to at most `max_pixels`, in multiples if it had to be."""
    factor = (max_pixels / (size[0] * size[1])) ** 0.5
    if factor >= 1:
        return size
    return tuple(max(int(extent * factor) // multiple * multiple, min(multiple, extent)) for extent in size)


def _shrunk(part: np.ndarray, mask: np.ndarray, size: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """A smaller image whose pixels are means of known pixels, and a mask of those that touch a hole."""
    target = (size[0], size[1])
    known = resize_map(1 - mask[..., None], target).reshape(target)
    values = resize_map(part, target)
    holes = (known < 1 - 1e-4).astype(np.float32)
    return np.where(holes[..., None] > 0, np.float32(0), values), holes
