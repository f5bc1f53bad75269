"""Instance masks (every object its own number) turned into classes."""

from pathlib import Path

import numpy as np

from keras_segpaint.data.errors import DataError
from keras_segpaint.data.files import read_mask
from keras_segpaint.data.folder import FolderDataset

__all__ = ["InstanceDataset"]


class InstanceDataset(FolderDataset):
    """Images with instance masks, as in the 2018 Data Science Bowl: 0 is background, every other number one
    object.

    The classes are background and cell, and with `border=True` also the border between touching cells:
    background or cell pixels that have another cell within `border_width` pixels.

    Args:
        root: A folder with `images/` and `instances/`, divided or not, as for `FolderDataset`.
        split: `"train"`, `"val"`, `"test"` or `"all"`; see `FolderDataset`. Defaults to `"all"`.
        instances: The name of the mask folders. Defaults to `"instances"`.
        border: Whether there is a third class, the border between touching cells. Defaults to `False`.
        border_width: How near, in pixels, the next cell is at a border. Defaults to `2`.
        ignore_class: The label that counts nowhere. Defaults to `255`.

    Raises:
        DataError: If folders or files are missing.

    References:
        - [Nucleus segmentation across imaging experiments](https://doi.org/10.1038/s41592-019-0612-7)
        - [U-Net](https://arxiv.org/abs/1505.04597), which separates touching cells.
    """

    def __init__(
        self,
        root: str | Path,
        split: str = "all",
        *,
        instances: str = "instances",
        border: bool = False,
        border_width: int = 2,
        ignore_class: int = 255,
    ):
        class_names = ("background", "cell", "border") if border else ("background", "cell")
        self._border_width = border_width if border else 0
        super().__init__(root, split, masks=instances, class_names=class_names, ignore_class=ignore_class)

    def instances(self, index: int) -> np.ndarray:
        """The instance labels of an image, int32 `(height, width)`; `border_weight_map` is computed from
        them.

        Raises:
            DataError: If the file cannot be read or is coloured.
        """
        return self._read_instances(self.files[index][1])

    def _read_labels(self, path: Path) -> np.ndarray:
        labels = self._read_instances(path)
        classes = (labels > 0).astype(np.uint8)
        if self._border_width:
            classes[touching(labels, self._border_width)] = 2
        return classes

    def _read_instances(self, path: Path) -> np.ndarray:
        mask = read_mask(path)
        if mask.ndim == 3:
            raise DataError(
                f"{path}: the mask has RGB colours where instance numbers are expected. Save it with one channel."
            )
        return mask.astype(np.int32)


def touching(labels: np.ndarray, width: int) -> np.ndarray:
    """Where two instances come within `width` pixels: boolean `(height, width)`.

    Args:
        labels: Instance labels `(height, width)`, 0 is background.
        width: Chessboard distance, at least 1.
    """
    from scipy import ndimage

    size = 2 * width + 1
    highest = ndimage.maximum_filter(labels, size=size, mode="nearest")
    # Background must not count as the lowest neighbour, so it is replaced by a number above all instances.
    lowest = ndimage.minimum_filter(np.where(labels == 0, labels.max() + 1, labels), size=size, mode="nearest")
    return (highest > 0) & (lowest <= labels.max()) & (highest != lowest)
