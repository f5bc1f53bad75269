"""Labels for networks whose logits are smaller than the image."""

import math
from typing import Any

import keras
import numpy as np

__all__ = ["FittedLabels", "fit_labels"]


def fit_labels(labels: np.ndarray, size: tuple[int, int], crop: bool) -> np.ndarray:
    """Brings labels to the size of the logits.

    Args:
        labels: Integers `(batch, height, width)`.
        size: `(height, width)` of the logits, not larger than the labels.
        crop: `True` cuts the centre out (unpadded convolutions), `False` takes the nearest label (strided networks).

    Returns:
        Integers `(batch, *size)`.

    Example:
        >>> fit_labels(np.arange(16).reshape(1, 4, 4), (2, 2), crop=True)[0].tolist()
        [[5, 6], [9, 10]]
        >>> fit_labels(np.arange(16).reshape(1, 4, 4), (2, 2), crop=False)[0].tolist()
        [[5, 7], [13, 15]]
    """
    if crop:
        top, left = ((have - want) // 2 for have, want in zip(labels.shape[1:], size, strict=True))
        return labels[:, top : top + size[0], left : left + size[1]]
    # The source pixel that holds the centre of the target pixel.
    rows, columns = (
        (2 * np.arange(want) + 1) * have // (2 * want) for have, want in zip(labels.shape[1:], size, strict=True)
    )
    return labels[:, rows[:, None], columns]


class FittedLabels(keras.utils.PyDataset):
    """Batches of another data set with labels brought to the size of a network's logits.

    Args:
        batches: A `keras_segpaint.data.Pipeline`.
        stride: The network's logits have `ceil(extent / stride)` rows and columns, taken by nearest label. Defaults
            to `1`.
        margin: Rows and columns that the network's logits lack, cut from the labels. Defaults to `0`.
    """

    def __init__(self, batches: Any, stride: int = 1, margin: int = 0):
        super().__init__(workers=batches.workers, use_multiprocessing=False, max_queue_size=batches.max_queue_size)
        self.batches = batches
        self.stride = stride
        self.margin = margin

    def __len__(self) -> int:
        return len(self.batches)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        images, labels = self.batches[index]
        height, width = (math.ceil(extent / self.stride) - self.margin for extent in labels.shape[1:])
        return images, fit_labels(labels, (height, width), crop=self.margin > 0)

    def on_epoch_begin(self) -> None:
        self.batches.on_epoch_begin()

    def on_epoch_end(self) -> None:
        self.batches.on_epoch_end()
