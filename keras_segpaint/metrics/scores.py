"""The usual numbers, from a confusion matrix."""

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Scores:
    """Segmentation scores of a data set; `nan` where a class has no pixel to judge by.

    `class_accuracy` is the recall of each class.
    """

    iou: np.ndarray
    class_accuracy: np.ndarray
    precision: np.ndarray
    dice: np.ndarray
    mean_iou: float
    mean_dice: float
    pixel_accuracy: float
    mean_accuracy: float
    frequency_weighted_iou: float


def scores(confusion: Any) -> Scores:
    """Computes all scores from one confusion matrix.

    Args:
        confusion: `(num_classes, num_classes)` pixel counts; row: true class, column: predicted class.

    Returns:
        The scores. Classes that occur neither in the truth nor in the prediction are left out of the means.

    Raises:
        ValueError: If the matrix is not square.

    References:
        - [Fully Convolutional Networks](https://arxiv.org/abs/1411.4038), section 5.

    Example:
        >>> round(scores([[3, 1], [0, 4]]).mean_iou, 4)
        0.775
    """
    matrix = np.asarray(confusion, dtype="float64")
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"`confusion` must be a square matrix. Received: confusion.shape={matrix.shape}")
    correct = np.diagonal(matrix)
    truth, predicted = matrix.sum(1), matrix.sum(0)
    iou = _ratio(correct, truth + predicted - correct)
    dice = _ratio(2 * correct, truth + predicted)
    class_accuracy = _ratio(correct, truth)
    total = truth.sum()
    return Scores(
        iou=iou,
        class_accuracy=class_accuracy,
        precision=_ratio(correct, predicted),
        dice=dice,
        mean_iou=_mean(iou),
        mean_dice=_mean(dice),
        pixel_accuracy=float(correct.sum() / total) if total else float("nan"),
        mean_accuracy=_mean(class_accuracy),
        frequency_weighted_iou=float(np.nansum(truth * iou) / total) if total else float("nan"),
    )


def count_confusion(truth: Any, predicted: Any, num_classes: int, ignore_class: int | None) -> np.ndarray:
    """The confusion matrix of class maps, without the pixels whose true label is ignored or no class.

    Args:
        truth: Integers.
        predicted: Integers of the same shape, in `[0, num_classes)` where they count.
        num_classes: Integer >= 1.
        ignore_class: Integer, the true label of pixels that do not count, or `None`.

    Returns:
        int64 `(num_classes, num_classes)`; row: true class, column: predicted class.

    Example:
        >>> count_confusion([0, 1, 1, 255], [0, 0, 1, 1], 2, ignore_class=255).tolist()
        [[1, 0], [1, 1]]
    """
    truth = np.asarray(truth).astype(np.int64)
    counted = (truth >= 0) & (truth < num_classes)
    if ignore_class is not None:
        counted &= truth != ignore_class
    cells = truth[counted] * num_classes + np.asarray(predicted)[counted].astype(np.int64)
    return np.bincount(cells, minlength=num_classes**2).reshape(num_classes, num_classes)


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    return np.divide(part, whole, out=np.full_like(whole, np.nan), where=whole > 0)


def _mean(values: np.ndarray) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else float("nan")
