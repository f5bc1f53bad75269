"""Label maps that guide a network: checked before they go in."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from keras_segpaint.data.errors import DataError
from keras_segpaint.data.files import read_mask

__all__ = ["IGNORED", "guide_labels", "read_guide_labels"]

# What stands for an ignored pixel in the label maps that guided networks take.
IGNORED = 255


def guide_labels(
    labels: Any, num_classes: int, ignore_class: int = IGNORED, size: Sequence[int] | None = None
) -> np.ndarray:
    """Brings a label map to the form that guided networks take.

    Args:
        labels: Integers `(height, width)` or `(height, width, 1)`, or whole numbers of a floating type.
        num_classes: The number of classes of the network; labels are 0 to `num_classes - 1`.
        ignore_class: The label of pixels of which nothing is said. Defaults to `255`.
        size: `(height, width)` that the map must have; `None` for any.

    Returns:
        int32 `(height, width)`, with 255 where it is ignored.

    Raises:
        ValueError: If the map has colours, another size, or labels that the network does not know; the message names
            them.

    Example:
        >>> guide_labels(np.array([[0, 2], [7, 1]], np.uint8), num_classes=3, ignore_class=7).tolist()
        [[0, 2], [255, 1]]
    """
    labels = np.asarray(labels)
    if labels.ndim == 3 and labels.shape[-1] == 1:
        labels = labels[..., 0]
    if labels.ndim != 2:
        coloured = labels.ndim == 3 and labels.shape[-1] in (3, 4)
        hint = " These are colours: map each to its label first, by `LabelMap`." if coloured else ""
        raise ValueError(
            f"A label map must hold one label for each pixel, (height, width). Received: shape {labels.shape}.{hint}"
        )
    if size is not None and labels.shape != tuple(size):
        own, wanted = (" x ".join(map(str, shape[::-1])) for shape in (labels.shape, tuple(size)))
        raise ValueError(
            f"A label map must have the size of its image. Received: labels of {own} pixels, an image of {wanted}. Resize "
            "the labels (nearest neighbour)."
        )
    numbers = np.issubdtype(labels.dtype, np.integer) or labels.dtype == bool
    if not numbers and not (np.issubdtype(labels.dtype, np.floating) and (labels == np.rint(labels)).all()):
        raise ValueError(f"A label map must hold integers. Received: labels of type {labels.dtype}")
    labels = labels.astype(np.int64)
    ignored = labels == ignore_class
    unknown = np.unique(labels[~ignored & ((labels < 0) | (labels >= num_classes))])
    if unknown.size:
        shown = ", ".join(map(str, unknown[:10].tolist())) + (", ..." if unknown.size > 10 else "")
        raise ValueError(
            f"A label map must hold the classes 0 to {num_classes - 1}, or {ignore_class} for what is ignored. Received: "
            f"the labels {shown}. Change these pixels to a class, or name their label as the ignored one."
        )
    return np.where(ignored, IGNORED, labels).astype(np.int32)


def read_guide_labels(
    path: str | Path, num_classes: int, ignore_class: int = IGNORED, size: Sequence[int] | None = None
) -> np.ndarray:
    """Reads a label map from a grey or palette image and checks it as `guide_labels` does.

    Args:
        path: The file.
        num_classes: As in `guide_labels`.
        ignore_class: As in `guide_labels`.
        size: As in `guide_labels`.

    Raises:
        DataError: If the file is missing, no image, or no such label map; the message names it.

    Example:
        >>> import tempfile
        >>> from PIL import Image
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     Image.new("L", (3, 2), 1).save(f"{folder}/labels.png")
        ...     read_guide_labels(f"{folder}/labels.png", num_classes=2).tolist()
        [[1, 1, 1], [1, 1, 1]]
    """
    stored = read_mask(Path(path))
    try:
        return guide_labels(stored, num_classes, ignore_class, size)
    except ValueError as error:
        raise DataError(f"{path}: {error}") from error
