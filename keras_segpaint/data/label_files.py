"""Label maps from files of any kind, checked against what a network knows."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from keras_segpaint.data.errors import DataError
from keras_segpaint.data.files import LOSSY_SUFFIXES, read_mask

__all__ = ["check_labels", "read_labels"]

# What pictures of label maps show where nothing is known.
_IGNORED = (128, 128, 128)
_SHOWN = 5


def read_labels(
    path: Path,
    num_labels: int,
    ignore_class: int | None = 255,
    palette: np.ndarray | Sequence[Sequence[int]] | None = None,
) -> np.ndarray:
    """Reads a label map as ids.

    Args:
        path: A grey or palette image, whose values are the ids, or an RGB image in the colours of `palette`.
        num_labels: Integer; ids are `0` to `num_labels - 1`.
        ignore_class: The id of pixels of which nothing is known, in RGB also (128, 128, 128); `None` if there is none.
        palette: `(num_labels, 3)`, the colours of the ids, or `None`.

    Returns:
        int32 `(height, width)`.

    Raises:
        DataError: If the file cannot be read, or holds ids or colours that are not among these; the message names the file,
            the ids or colours, and what is allowed.

    Example:
        >>> import tempfile
        >>> from PIL import Image
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = Path(folder, "labels.png")
        ...     Image.fromarray(np.array([[[255, 0, 0], [0, 0, 0]]], "uint8")).save(path)
        ...     read_labels(path, 2, palette=[(0, 0, 0), (255, 0, 0)]).tolist()
        [[1, 0]]
    """
    pixels = read_mask(path)
    if pixels.ndim == 3:
        return _of_colours(path, pixels, ignore_class, palette)
    try:
        check_labels(pixels, num_labels, ignore_class)
    except ValueError as error:
        lossy = (
            " A JPEG changes the ids it stores: save label maps as PNG."
            if path.suffix.lower() in LOSSY_SUFFIXES
            else ""
        )
        raise DataError(f"{path}: {error}{lossy}") from error
    return pixels.astype(np.int32)


def check_labels(labels: np.ndarray, num_labels: int, ignore_class: int | None) -> None:
    """Raises `ValueError` unless all labels are in `[0, num_labels)` or `ignore_class`."""
    found = np.unique(labels)
    wrong = found[((found < 0) | (found >= num_labels)) & (found != ignore_class)]
    if not wrong.size:
        return
    shown = ", ".join(map(str, wrong[:_SHOWN].tolist())) + (", ..." if wrong.size > _SHOWN else "")
    ignored = "" if ignore_class is None else f" and {ignore_class} (nothing known)"
    raise ValueError(
        f"the label map holds the ids {shown}; allowed are 0 to {num_labels - 1}{ignored}, as in the images that the network "
        "was trained on. Map the ids to these."
    )


def _of_colours(
    path: Path,
    pixels: np.ndarray,
    ignore_class: int | None,
    palette: np.ndarray | Sequence[Sequence[int]] | None,
) -> np.ndarray:
    colours, places = np.unique(pixels.reshape(-1, 3), axis=0, return_inverse=True)
    some = ", ".join(str(tuple(colour)) for colour in colours[:_SHOWN].tolist())
    if palette is None or not len(palette):
        raise DataError(
            f"{path}: the label map has RGB colours (such as {some}), and a model file does not say which label each stands "
            "for. Give the folder of the model's run, which has the palette, or save the map with one channel of ids."
        )
    rows = [tuple(int(part) for part in colour) for colour in palette]
    if len(set(rows)) < len(rows):
        raise DataError(f"{path}: the palette of the run has one colour for several labels. Save the map as ids.")
    known = {colour: label for label, colour in enumerate(rows)}
    if ignore_class is not None:
        known.setdefault(_IGNORED, ignore_class)
    labels = [known.get(tuple(colour), -1) for colour in colours.tolist()]
    unknown = [tuple(colour) for colour, label in zip(colours.tolist(), labels, strict=True) if label == -1]
    if unknown:
        shown = ", ".join(map(str, unknown[:_SHOWN])) + (", ..." if len(unknown) > _SHOWN else "")
        raise DataError(
            f"{path}: the label map has colours without a label: {shown}. The labels' colours are "
            f"{', '.join(map(str, known))}. Use these, without smoothing at borders, or save the map with one channel of ids."
        )
    return np.array(labels, np.int32)[places].reshape(pixels.shape[:2])
