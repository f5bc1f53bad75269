"""How far a network's confidence is from its accuracy."""

from typing import Any

import keras
from keras import metrics, ops

from keras_segpaint.metrics.confusion_matrix import class_map, counted
from keras_segpaint.metrics.pixel_counts import add_counts, float_counts
from keras_segpaint.ops.labels import channels_last, sparse_labels
from keras_segpaint.ops.spatial import standardize_data_format

# Pixels are added up in so many groups and these then, since float32 loses digits in one long sum.
_GROUPS = 256


@keras.saving.register_keras_serializable(package="keras_segpaint")
class ExpectedCalibrationError(metrics.Metric):
    """Mean over the pixels of the difference between confidence and accuracy in the pixel's bin of confidence.

    The confidence is the probability of the class that is predicted. Bins of equal width, the upper edge included, split
    [0, 1]; counts, right predictions and confidence are added up over the data set: the result is that of all pixels in one
    pass. It is 0 before any pixel.

    Args:
        bins: Integer >= 1. Defaults to `15`.
        ignore_class: Integer, the true label of pixels that do not count, or `None`. Defaults to `255`.
        from_logits: Boolean, `False` if predictions are probabilities. Defaults to `True`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default: the axis of the predictions.
        name: String. Defaults to `"expected_calibration_error"`.

    Call arguments:
        y_true: Integers `(batch, height, width)` or `(batch, height, width, 1)`.
        y_pred: Logits or probabilities `(batch, height, width, num_classes)`, or `(batch, height, width, 1)`, of class 1
            against class 0.
        sample_weight: Optional `(batch, height, width)` or `(batch,)`: pixels of weight 0 are not counted, all others
            count as one.

    Raises:
        ValueError: If `bins` is not an integer >= 1, or labels and predictions do not fit each other.

    References:
        - [On Calibration of Modern Neural Networks](https://arxiv.org/abs/1706.04599), section 2

    Example:
        >>> import numpy as np
        >>> metric = ExpectedCalibrationError(from_logits=False, data_format="channels_last")
        >>> probabilities = np.array([[[[0.75, 0.25], [0.75, 0.25]]]])
        >>> metric.update_state(np.array([[[0, 1]]]), probabilities)
        >>> float(metric.result())
        0.25
    """

    def __init__(
        self,
        bins: int = 15,
        ignore_class: int | None = 255,
        from_logits: bool = True,
        data_format: str | None = None,
        name: str = "expected_calibration_error",
    ):
        if not isinstance(bins, int) or bins < 1:
            raise ValueError(f"`bins` must be an integer >= 1. Received: bins={bins!r}")
        super().__init__(name=name, dtype="float32")
        self.bins = bins
        self.ignore_class = ignore_class
        self.from_logits = from_logits
        self.data_format = standardize_data_format(data_format)
        # Pixels and right ones, in two parts of int32 as in `ConfusionMatrix`.
        counts = dict(shape=(2, bins), initializer="zeros", dtype="int32")
        self.low = self.add_variable(name="low", **counts)
        self.high = self.add_variable(name="high", **counts)
        # Confidence above the lower edge of the bin: small numbers, which add up with little loss.
        self.excess = self.add_variable(name="excess", shape=(bins,), initializer="zeros", dtype="float32")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        y_pred = channels_last(ops.cast(ops.convert_to_tensor(y_pred), "float32"), self.data_format)
        labels = sparse_labels(y_true, y_pred.shape)
        counts = counted(labels, self.ignore_class, sample_weight)
        confidence, predicted = self._confidence(y_pred)
        bin_of = ops.clip(ops.cast(ops.ceil(confidence * self.bins), "int32") - 1, 0, self.bins - 1)
        excess = confidence - ops.cast(bin_of, "float32") / self.bins
        # Pixels that do not count go to one more bin.
        bin_of = ops.reshape(ops.where(counts, bin_of, self.bins), (-1,))
        right = ops.reshape(ops.cast(ops.equal(labels, predicted), "int32"), (-1,))
        group = ops.arange(ops.shape(bin_of)[0], dtype="int32") % _GROUPS
        segment = group * (self.bins + 1) + bin_of
        found = ops.stack([self._sum(ops.ones_like(right), segment), self._sum(right, segment)])
        add_counts(self.low, self.high, found)
        self.excess.assign(self.excess + self._sum(ops.reshape(excess, (-1,)), segment))

    def _confidence(self, y_pred: Any) -> tuple[Any, Any]:
        """The probability of the predicted class, and that class."""
        if y_pred.shape[-1] == 1:
            probability = ops.squeeze(ops.sigmoid(y_pred) if self.from_logits else y_pred, -1)
            above = y_pred if self.from_logits else y_pred - 0.5
            return ops.maximum(probability, 1.0 - probability), class_map(above)
        probabilities = ops.softmax(y_pred, axis=-1) if self.from_logits else y_pred
        return ops.max(probabilities, axis=-1), class_map(y_pred)

    def _sum(self, values: Any, segment: Any) -> Any:
        """Sums over the pixels of each bin."""
        sums = ops.segment_sum(values, segment, num_segments=_GROUPS * (self.bins + 1))
        return ops.sum(ops.reshape(sums, (_GROUPS, self.bins + 1)), axis=0)[: self.bins]

    def by_bin(self) -> tuple[Any, Any, Any]:
        """Pixels, accuracy and mean confidence of each bin, float32 `(bins,)`: a reliability diagram; 0 in empty bins."""
        counts = float_counts(self.low, self.high)
        pixels, right = counts[0], counts[1]
        divisor = ops.maximum(pixels, 1.0)
        edges = ops.arange(self.bins, dtype="float32") / self.bins
        confidence = ops.where(pixels > 0, edges + self.excess / divisor, 0.0)
        return pixels, right / divisor, confidence

    def result(self) -> Any:
        pixels, accuracy, confidence = self.by_bin()
        return ops.sum(pixels * ops.abs(accuracy - confidence)) / ops.maximum(ops.sum(pixels), 1.0)

    def get_config(self) -> dict[str, Any]:
        return dict(
            bins=self.bins,
            ignore_class=self.ignore_class,
            from_logits=self.from_logits,
            data_format=self.data_format,
            name=self.name,
        )
