"""Matthews correlation loss of label maps."""

from typing import Any

import keras
from keras import ops

from keras_segpaint.losses.base import LabelMapLoss
from keras_segpaint.losses.region import region_sums

# Of a variance of shares, which is at most 1: far below that of a single pixel of a batch.
_LEAST_VARIANCE = 1e-9


@keras.saving.register_keras_serializable(package="keras_segpaint")
class MCC(LabelMapLoss):
    """One minus the Matthews correlation coefficient of labels and probabilities, over the whole batch.

    All four fields of the table of truth and prediction count alike, so that a class that is rare cannot be ignored. With
    several logits it is Gorodkin's coefficient of several classes. Computed in float32. The coefficient is undefined where
    the pixels that count are all of one class, or none counts: loss and gradients are zero then. Right predictions that are
    sure give zero.

    Args:
        ignore_class: Integer, the label of pixels that do not count, or `None`. Defaults to `255`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default: the axis of the logits.
        name: String. Defaults to `"mcc"`.

    Call arguments:
        y_true: Integers `(batch, height, width)` or `(batch, height, width, 1)`.
        y_pred: Logits `(batch, height, width, num_classes)`, or `(batch, height, width, 1)` with labels of 0 and 1.
        sample_weight: Optional weights `(batch, height, width)` or `(batch,)`: how much a pixel adds to each sum.

    Raises:
        ValueError: If labels, logits and weights do not fit each other.

    References:
        - [Matthews Correlation Coefficient Loss for Deep Convolutional Networks](https://arxiv.org/abs/2010.13454)
        - Gorodkin, Comparing two K-category assignments by a K-category correlation coefficient, 2004.

    Example:
        >>> import numpy as np
        >>> loss = MCC(data_format="channels_last")
        >>> float(loss(np.array([[[0, 1]]]), np.zeros((1, 1, 2, 1), "float32")))
        1.0
    """

    def __init__(self, ignore_class: int | None = 255, data_format: str | None = None, name: str = "mcc"):
        super().__init__(ignore_class, data_format, name)

    def call(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        labels, logits, counts = self.prepare(y_true, y_pred, sample_weight)
        counts = counts * ops.ones_like(labels, dtype="float32")
        total = ops.sum(counts)
        total = ops.where(ops.equal(total, 0.0), 1.0, total)
        intersection, predicted, pixels = (part / total for part in region_sums(labels, logits, counts))
        if logits.shape[-1] == 1:
            intersection = ops.concatenate([intersection, 1.0 - predicted - pixels + intersection])
            predicted, pixels = (ops.concatenate([part, 1.0 - part]) for part in (predicted, pixels))
        covariance = ops.sum(intersection) - ops.sum(predicted * pixels)
        # 1 - sum(p ** 2), as a sum of small numbers where one share is nearly 1.
        variances = [ops.sum(part * (1.0 - part)) for part in (predicted, pixels)]
        scale = ops.sqrt(ops.maximum(variances[0], _LEAST_VARIANCE) * ops.maximum(variances[1], _LEAST_VARIANCE))
        defined = variances[1] > _LEAST_VARIANCE
        return ops.where(defined, 1.0 - covariance / scale, 0.0)

    def get_config(self) -> dict[str, Any]:
        return dict(ignore_class=self.ignore_class, data_format=self.data_format, name=self.name)
