"""CamVid in the layout of the SegNet tutorial."""

from pathlib import Path

import numpy as np

from keras_segpaint.data.folder import FolderDataset

__all__ = ["CamVid"]

CLASS_NAMES = (
    "sky",
    "building",
    "pole",
    "road",
    "pavement",
    "tree",
    "sign",
    "fence",
    "car",
    "pedestrian",
    "bicyclist",
)
UNLABELLED = 11
PUBLISHED_CLASS_WEIGHTS = (
    0.2595,
    0.1826,
    4.5640,
    0.1417,
    0.9051,
    0.3826,
    9.6446,
    1.8418,
    0.6823,
    6.2478,
    7.3614,
)
PALETTE = np.array(
    [
        (128, 128, 128),
        (128, 0, 0),
        (192, 192, 128),
        (128, 64, 128),
        (60, 40, 222),
        (128, 128, 0),
        (192, 128, 128),
        (64, 64, 128),
        (64, 0, 128),
        (64, 64, 0),
        (0, 128, 192),
    ],
    np.uint8,
)


class CamVid(FolderDataset):
    """CamVid road scenes with 11 classes, in the folders `train` and `trainannot`, `val` and `valannot`,
    `test` and `testannot`.

    The label 11 (unlabelled) becomes `ignore_class`.

    Args:
        root: The folder that holds the folders named above.
        split: `"train"`, `"val"`, `"test"` or `"all"`. Defaults to `"train"`.
        ignore_class: The label of unlabelled pixels. Defaults to `255`.

    Raises:
        DataError: If folders or files are missing.

    Attributes:
        published_class_weights: The weights that the authors of SegNet published for the classes. They
            counted other label images than those of the usual distribution: `median_frequency_weights` gives
            values up to 1.2 times as large, and 3.8 instead of 9.6 for the signs.

    References:
        - Brostow et al. 2009, Semantic object classes in video: a high-definition ground truth database.
        - [SegNet](https://arxiv.org/abs/1511.00561), which chose the 11 classes and the split.
    """

    published_class_weights = PUBLISHED_CLASS_WEIGHTS

    def __init__(self, root: str | Path, split: str = "train", *, ignore_class: int = 255):
        label_map = {label: label for label in range(len(CLASS_NAMES))} | {UNLABELLED: ignore_class}
        super().__init__(root, split, class_names=CLASS_NAMES, ignore_class=ignore_class, label_map=label_map)
        self.name = "CamVid"
        self.palette = PALETTE
