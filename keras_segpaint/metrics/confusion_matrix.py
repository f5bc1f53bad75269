"""The confusion matrix, accumulated over a data set, and the metrics that read it."""

from typing import Any

import keras
from keras import metrics, ops

from keras_segpaint.ops.labels import channels_last, sparse_labels
from keras_segpaint.ops.spatial import standardize_data_format

# Counts are kept in two int32 parts, since JAX has no int64 by default and float32 stops counting at 2**24.
_LOW_BITS = 24


@keras.saving.register_keras_serializable(package="keras_segpaint")
class ConfusionMatrix(metrics.Metric):
    """Counts pixels by true and predicted class over all batches; exact up to 2**55 pixels.

    The metrics of this room are this one with another `result`: a mean IoU is that of the whole data set, not a mean
    over batches or images.

    Args:
        num_classes: Integer >= 1.
        ignore_class: Integer, the true label of pixels that do not count, or `None`. Defaults to `255`.
        sparse_y_pred: Boolean, predictions are class maps of the labels' shape, not logits. Defaults to `False`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default: the axis of the logits.
        name: String. Defaults to `"confusion_matrix"`.

    Call arguments:
        y_true: Integers `(batch, height, width)` or `(batch, height, width, 1)`; labels outside of the classes are
            not counted.
        y_pred: Logits `(batch, height, width, num_classes)`.
        sample_weight: Optional `(batch, height, width)` or `(batch,)`: pixels of weight 0 are not counted, all others
            count as one.

    Returns:
        From `result`: `(num_classes, num_classes)` float32; row: true class, column: predicted class.

    Raises:
        ValueError: If `num_classes` is not an integer >= 1, or labels and logits do not fit each other.

    Example:
        >>> import numpy as np
        >>> metric = ConfusionMatrix(2, sparse_y_pred=True)
        >>> metric.update_state(np.array([[[0, 1, 255]]]), np.array([[[0, 0, 0]]]))
        >>> np.asarray(metric.result()).tolist()
        [[1.0, 0.0], [1.0, 0.0]]
    """

    def __init__(
        self,
        num_classes: int,
        ignore_class: int | None = 255,
        sparse_y_pred: bool = False,
        data_format: str | None = None,
        name: str = "confusion_matrix",
        **kwargs: Any,
    ):
        if not isinstance(num_classes, int) or num_classes < 1:
            raise ValueError(f"`num_classes` must be an integer >= 1. Received: num_classes={num_classes!r}")
        kwargs["dtype"] = "float32"
        super().__init__(name=name, **kwargs)
        self.num_classes = num_classes
        self.ignore_class = ignore_class
        self.sparse_y_pred = sparse_y_pred
        self.data_format = standardize_data_format(data_format)
        state = dict(shape=(num_classes, num_classes), initializer="zeros", dtype="int32")
        self.low = self.add_variable(name="low", **state)
        self.high = self.add_variable(name="high", **state)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        y_pred = ops.convert_to_tensor(y_pred)
        if self.sparse_y_pred:
            predicted = ops.cast(y_pred, "int32")
            labels = sparse_labels(y_true, (*predicted.shape, 1))
        else:
            logits = channels_last(y_pred, self.data_format)
            labels = sparse_labels(y_true, logits.shape)
            if logits.shape[-1] != self.num_classes:
                raise ValueError(
                    f"The logits must have num_classes={self.num_classes} channels. "
                    f"Received: y_pred.shape={tuple(y_pred.shape)}"
                )
            predicted = ops.cast(ops.argmax(logits, axis=-1), "int32")
        counts = ops.logical_and(_inside(labels, self.num_classes), _inside(predicted, self.num_classes))
        if self.ignore_class is not None:
            counts = ops.logical_and(counts, ops.not_equal(labels, self.ignore_class))
        if sample_weight is not None:
            sample_weight = ops.convert_to_tensor(sample_weight)
            if len(sample_weight.shape) == 1:
                sample_weight = ops.reshape(sample_weight, (-1, 1, 1))
            elif len(sample_weight.shape) == 4:
                sample_weight = ops.squeeze(sample_weight, -1)
            counts = ops.logical_and(counts, ops.not_equal(sample_weight, 0))
        # Pixels that do not count go to one more cell, which is cut off.
        cells = self.num_classes**2
        cell = ops.where(counts, labels * self.num_classes + predicted, cells)
        cell = ops.reshape(cell, (-1,))
        update = ops.segment_sum(ops.ones_like(cell), cell, num_segments=cells + 1)[:cells]
        low = self.low + ops.reshape(update, self.low.shape)
        self.low.assign(low % 2**_LOW_BITS)
        self.high.assign(self.high + low // 2**_LOW_BITS)

    def matrix(self) -> Any:
        """The counts as float32."""
        return ops.cast(self.high, "float32") * float(2**_LOW_BITS) + ops.cast(self.low, "float32")

    def result(self) -> Any:
        return self.matrix()

    def get_config(self) -> dict[str, Any]:
        return dict(
            num_classes=self.num_classes,
            ignore_class=self.ignore_class,
            sparse_y_pred=self.sparse_y_pred,
            data_format=self.data_format,
            name=self.name,
        )


def _inside(labels: Any, num_classes: int) -> Any:
    return ops.logical_and(ops.greater_equal(labels, 0), ops.less(labels, num_classes))
