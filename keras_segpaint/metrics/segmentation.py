"""IoU, accuracy, Dice score, precision and recall over a data set."""

from typing import Any

import keras
from keras import ops

from keras_segpaint.metrics.confusion_matrix import ConfusionMatrix


class _FromConfusionMatrix(ConfusionMatrix):
    """A number read from the confusion matrix; the name of the class in snake case is the default name."""

    default_name = ""

    def __init__(
        self,
        num_classes: int,
        ignore_class: int | None = 255,
        sparse_y_pred: bool = False,
        data_format: str | None = None,
        name: str | None = None,
    ):
        super().__init__(num_classes, ignore_class, sparse_y_pred, data_format, name or self.default_name)


@keras.saving.register_keras_serializable(package="keras_segpaint")
class PerClassIoU(_FromConfusionMatrix):
    """Intersection over union of every class: `(num_classes,)`, `nan` for classes without a pixel.

    Arguments are those of `ConfusionMatrix`.

    Example:
        >>> import numpy as np
        >>> metric = PerClassIoU(2, sparse_y_pred=True)
        >>> metric.update_state(np.array([[[0, 1, 1]]]), np.array([[[0, 0, 1]]]))
        >>> np.asarray(metric.result()).tolist()
        [0.5, 0.5]
    """

    default_name = "per_class_iou"

    def result(self) -> Any:
        return _iou(self.matrix())


@keras.saving.register_keras_serializable(package="keras_segpaint")
class MeanIoU(_FromConfusionMatrix):
    """Mean intersection over union of the classes that occur in the truth or the prediction; 0 before any pixel.

    Arguments are those of `ConfusionMatrix`.

    Example:
        >>> import numpy as np
        >>> metric = MeanIoU(3, sparse_y_pred=True)
        >>> metric.update_state(np.array([[[0, 1, 1]]]), np.array([[[0, 0, 1]]]))
        >>> float(metric.result())
        0.5
    """

    default_name = "mean_iou"

    def result(self) -> Any:
        return _mean(_iou(self.matrix()))


@keras.saving.register_keras_serializable(package="keras_segpaint")
class PixelAccuracy(_FromConfusionMatrix):
    """Share of the counted pixels whose class is right.

    Arguments are those of `ConfusionMatrix`.

    Example:
        >>> import numpy as np
        >>> metric = PixelAccuracy(2, sparse_y_pred=True)
        >>> metric.update_state(np.array([[[0, 1, 255, 1]]]), np.array([[[0, 0, 0, 0]]]))
        >>> round(float(metric.result()), 4)
        0.3333
    """

    default_name = "pixel_accuracy"

    def result(self) -> Any:
        matrix = self.matrix()
        return _ratio(ops.sum(ops.diagonal(matrix)), ops.sum(matrix))


@keras.saving.register_keras_serializable(package="keras_segpaint")
class MeanAccuracy(_FromConfusionMatrix):
    """Mean over the classes in the truth of the share of their pixels that are right.

    Arguments are those of `ConfusionMatrix`.

    Example:
        >>> import numpy as np
        >>> metric = MeanAccuracy(2, sparse_y_pred=True)
        >>> metric.update_state(np.array([[[0, 1, 1, 1]]]), np.array([[[0, 0, 1, 1]]]))
        >>> round(float(metric.result()), 4)
        0.8333
    """

    default_name = "mean_accuracy"

    def result(self) -> Any:
        matrix = self.matrix()
        truth = ops.sum(matrix, axis=1)
        return _mean(_known_ratio(ops.diagonal(matrix), truth))


@keras.saving.register_keras_serializable(package="keras_segpaint")
class FrequencyWeightedIoU(_FromConfusionMatrix):
    """Intersection over union, averaged with the classes' shares of the true pixels as weights.

    Arguments are those of `ConfusionMatrix`.

    Example:
        >>> import numpy as np
        >>> metric = FrequencyWeightedIoU(2, sparse_y_pred=True)
        >>> metric.update_state(np.array([[[0, 1, 1, 1]]]), np.array([[[0, 0, 1, 1]]]))
        >>> round(float(metric.result()), 4)
        0.625
    """

    default_name = "frequency_weighted_iou"

    def result(self) -> Any:
        matrix = self.matrix()
        truth = ops.sum(matrix, axis=1)
        iou = _iou(matrix)
        return _ratio(ops.sum(ops.where(truth > 0, truth * iou, 0.0)), ops.sum(truth))


@keras.saving.register_keras_serializable(package="keras_segpaint")
class PerClassDice(_FromConfusionMatrix):
    """Dice score (F1) of every class: `(num_classes,)`, `nan` for classes neither in the truth nor in the prediction.

    Arguments are those of `ConfusionMatrix`.

    Example:
        >>> import numpy as np
        >>> metric = PerClassDice(3, sparse_y_pred=True)
        >>> metric.update_state(np.array([[[0, 1, 1]]]), np.array([[[0, 0, 1]]]))
        >>> [round(score, 4) for score in np.asarray(metric.result()).tolist()]
        [0.6667, 0.6667, nan]
    """

    default_name = "per_class_dice"

    def result(self) -> Any:
        return _dice(self.matrix())


@keras.saving.register_keras_serializable(package="keras_segpaint")
class DiceScore(_FromConfusionMatrix):
    """Mean Dice score (F1) of the classes that occur in the truth or the prediction; 0 before any pixel.

    It is that of the whole data set, not a mean over batches or images. Arguments are those of `ConfusionMatrix`.

    Example:
        >>> import numpy as np
        >>> metric = DiceScore(3, sparse_y_pred=True)
        >>> metric.update_state(np.array([[[0, 1, 1]]]), np.array([[[0, 0, 1]]]))
        >>> round(float(metric.result()), 4)
        0.6667
    """

    default_name = "dice_score"

    def result(self) -> Any:
        return _mean(_dice(self.matrix()))


@keras.saving.register_keras_serializable(package="keras_segpaint")
class PerClassPrecision(_FromConfusionMatrix):
    """Share of the pixels predicted as each class that are of it: `(num_classes,)`, `nan` for classes never predicted.

    Arguments are those of `ConfusionMatrix`.

    Example:
        >>> import numpy as np
        >>> metric = PerClassPrecision(2, sparse_y_pred=True)
        >>> metric.update_state(np.array([[[0, 1, 1]]]), np.array([[[0, 0, 1]]]))
        >>> np.asarray(metric.result()).tolist()
        [0.5, 1.0]
    """

    default_name = "per_class_precision"

    def result(self) -> Any:
        matrix = self.matrix()
        return _known_ratio(ops.diagonal(matrix), ops.sum(matrix, axis=0))


@keras.saving.register_keras_serializable(package="keras_segpaint")
class PerClassRecall(_FromConfusionMatrix):
    """Share of the pixels of each class that are predicted as it: `(num_classes,)`, `nan` for classes not in the truth.

    Arguments are those of `ConfusionMatrix`.

    Example:
        >>> import numpy as np
        >>> metric = PerClassRecall(2, sparse_y_pred=True)
        >>> metric.update_state(np.array([[[0, 1, 1]]]), np.array([[[0, 0, 1]]]))
        >>> np.asarray(metric.result()).tolist()
        [1.0, 0.5]
    """

    default_name = "per_class_recall"

    def result(self) -> Any:
        matrix = self.matrix()
        return _known_ratio(ops.diagonal(matrix), ops.sum(matrix, axis=1))


def _ratio(part: Any, whole: Any) -> Any:
    return part / ops.maximum(whole, 1.0)


def _known_ratio(part: Any, whole: Any) -> Any:
    """`nan` where there is nothing to judge by."""
    return ops.where(whole > 0, _ratio(part, whole), float("nan"))


def _iou(matrix: Any) -> Any:
    correct = ops.diagonal(matrix)
    return _known_ratio(correct, ops.sum(matrix, axis=0) + ops.sum(matrix, axis=1) - correct)


def _dice(matrix: Any) -> Any:
    return _known_ratio(2.0 * ops.diagonal(matrix), ops.sum(matrix, axis=0) + ops.sum(matrix, axis=1))


def _mean(values: Any) -> Any:
    known = ops.logical_not(ops.isnan(values))
    return _ratio(ops.sum(ops.where(known, values, 0.0)), ops.sum(ops.cast(known, "float32")))
