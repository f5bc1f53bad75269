"""How often every class occurs in a data set: what the class-weight formulas are computed from."""

from dataclasses import dataclass

import numpy as np

__all__ = ["ClassCounts"]


@dataclass(frozen=True)
class ClassCounts:
    """Pixels per class, and in which images each class occurs.

    Args:
        pixels: Integer array `(num_classes,)`: labelled pixels of each class over the whole data set.
        images_with_class: Integer array `(num_classes,)`: the number of images in which the class occurs.
        labelled_pixels_of_images: Integer array `(num_classes,)`: for each class, the labelled pixels (of any
            class) of the images in which it occurs.
        all_pixels_of_images: The same with the ignored pixels counted as well.
        ignored: The number of ignored pixels.
        images: The number of images.

    Example:
        >>> masks = [np.array([[0, 0], [1, 255]]), np.array([[0, 0], [0, 0]])]
        >>> counts = ClassCounts.of_masks(masks, num_classes=2, ignore_class=255)
        >>> counts.pixels.tolist(), counts.labelled_pixels_of_images.tolist(), counts.ignored
        ([6, 1], [7, 3], 1)
    """

    pixels: np.ndarray
    images_with_class: np.ndarray
    labelled_pixels_of_images: np.ndarray
    all_pixels_of_images: np.ndarray
    ignored: int
    images: int

    @classmethod
    def of_masks(cls, masks, num_classes: int, ignore_class: int) -> "ClassCounts":
        """Counts the labels of an iterable of integer masks; labels that are not in `[0, num_classes)` are
        ignored."""
        rows = []
        for mask in masks:
            valid = mask[(mask != ignore_class) & (mask >= 0) & (mask < num_classes)]
            histogram = np.bincount(valid.ravel().astype(np.int64), minlength=num_classes)
            rows.append(np.append(histogram, mask.size - valid.size))
        table = np.array(rows, np.int64).reshape(-1, num_classes + 1)
        return cls.of_table(table)

    @classmethod
    def of_table(cls, table: np.ndarray) -> "ClassCounts":
        """From one row per image: the pixels of each class, and of the ignored ones in the last column."""
        pixels = table[:, :-1]
        present = pixels > 0
        return cls(
            pixels=pixels.sum(axis=0),
            images_with_class=present.sum(axis=0),
            labelled_pixels_of_images=(present * pixels.sum(axis=1, keepdims=True)).sum(axis=0),
            all_pixels_of_images=(present * table.sum(axis=1, keepdims=True)).sum(axis=0),
            ignored=int(table[:, -1].sum()),
            images=len(table),
        )
