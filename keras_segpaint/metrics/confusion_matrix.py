"""The confusion matrix, accumulated over a data set, and the metrics that read it."""

from typing import Any

import keras
import numpy as np
from keras import metrics, ops

from keras_segpaint.metrics.pixel_counts import add_counts, exact_counts, float_counts
from keras_segpaint.ops.fusion import fused
from keras_segpaint.ops.labels import channels_last, sparse_labels
from keras_segpaint.ops.spatial import standardize_data_format


@keras.saving.register_keras_serializable(package="keras_segpaint")
class ConfusionMatrix(metrics.Metric):
    """Counts pixels by true and predicted class over all batches.

    Up to 2**55 pixels nothing is lost: `counts()` gives them exactly, `result()` as float32.

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
        y_pred: Logits `(batch, height, width, num_classes)`; of two classes also `(batch, height, width, 1)`, the logit of
            class 1.
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
    ):
        if not isinstance(num_classes, int) or num_classes < 1:
            raise ValueError(f"`num_classes` must be an integer >= 1. Received: num_classes={num_classes!r}")
        super().__init__(name=name, dtype="float32")
        self.num_classes = num_classes
        self.ignore_class = ignore_class
        self.sparse_y_pred = sparse_y_pred
        self.data_format = standardize_data_format(data_format)
        state = dict(shape=(num_classes, num_classes), initializer="zeros", dtype="int32")
        self.low = self.add_variable(name="low", **state)
        self.high = self.add_variable(name="high", **state)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        labels, y_pred = prepare(y_true, y_pred, self.num_classes, self.sparse_y_pred, self.data_format)
        if sample_weight is not None:
            # -1 is a label that never counts, whatever the ignored class.
            labels = ops.where(pixels_of_weight_zero(sample_weight), -1, labels)
        update = fused(self._count, _no_gradient, (y_pred, labels))
        add_counts(self.low, self.high, ops.reshape(update, self.low.shape))

    def _count(self, y_pred: Any, labels: Any) -> Any:
        """Pixels in each cell of the matrix, row by row."""
        predicted = y_pred if self.sparse_y_pred else class_map(y_pred)
        counts = ops.logical_and(inside(labels, self.num_classes), inside(predicted, self.num_classes))
        if self.ignore_class is not None:
            counts = ops.logical_and(counts, ops.not_equal(labels, self.ignore_class))
        # Pixels that do not count go to one more cell, which is cut off.
        cells = self.num_classes**2
        cell = ops.reshape(ops.where(counts, labels * self.num_classes + predicted, cells), (-1,))
        return ops.segment_sum(ops.ones_like(cell), cell, num_segments=cells + 1)[:cells]

    def counts(self) -> np.ndarray:
        """The exact counts as `int64`, for `scores`; not within a compiled function."""
        return exact_counts(self.low, self.high)

    def matrix(self) -> Any:
        """The counts as a float32 tensor, rounded to seven digits."""
        return float_counts(self.low, self.high)

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


def prepare(y_true: Any, y_pred: Any, num_classes: int, sparse_y_pred: bool, data_format: str) -> tuple[Any, Any]:
    """Labels, and class maps or logits with their channels at the end, of one form.

    Raises:
        ValueError: If they do not fit each other or the number of classes.
    """
    y_pred = ops.convert_to_tensor(y_pred)
    if sparse_y_pred:
        y_pred = ops.cast(y_pred, "int32")
        if len(y_pred.shape) == 4 and y_pred.shape[-1] == 1:
            y_pred = ops.squeeze(y_pred, -1)
        return sparse_labels(y_true, (*y_pred.shape, 1)), y_pred
    y_pred = channels_last(y_pred, data_format)
    labels = sparse_labels(y_true, y_pred.shape)
    if y_pred.shape[-1] != num_classes and (y_pred.shape[-1], num_classes) != (1, 2):
        raise ValueError(
            f"The logits must have num_classes={num_classes} channels. "
            f"Received: y_pred of shape {tuple(y_pred.shape)} (channels last)"
        )
    return labels, y_pred


def class_map(logits: Any) -> Any:
    """The most probable class of each pixel, int32; of one logit class 1 where it is above 0."""
    if logits.shape[-1] == 1:
        return ops.cast(ops.squeeze(logits, -1) > 0, "int32")
    return ops.cast(ops.argmax(logits, axis=-1), "int32")


def inside(labels: Any, num_classes: int) -> Any:
    """Which labels are in `[0, num_classes)`."""
    return ops.logical_and(ops.greater_equal(labels, 0), ops.less(labels, num_classes))


def counted(labels: Any, ignore_class: int | None, sample_weight: Any) -> Any:
    """Which labels are neither ignored nor of weight 0."""
    counts = ops.ones_like(labels, dtype="bool") if ignore_class is None else ops.not_equal(labels, ignore_class)
    if sample_weight is not None:
        counts = ops.logical_and(counts, ops.logical_not(pixels_of_weight_zero(sample_weight)))
    return counts


def pixels_of_weight_zero(sample_weight: Any) -> Any:
    """Booleans that can be broadcast to `(batch, height, width)`."""
    weights = ops.convert_to_tensor(sample_weight)
    if len(weights.shape) == 1:
        weights = ops.reshape(weights, (-1, 1, 1))
    elif len(weights.shape) == 4 and weights.shape[-1] == 1:
        weights = ops.squeeze(weights, -1)
    if len(weights.shape) != 3:
        raise ValueError(
            "`sample_weight` must be one weight for each image, (batch,), or for each pixel, (batch, height, width). "
            f"Received: sample_weight.shape={tuple(weights.shape)}"
        )
    return ops.equal(weights, 0)


def _no_gradient(inputs: Any, outputs: Any, upstream: Any) -> Any:
    return ops.zeros_like(inputs[0])
