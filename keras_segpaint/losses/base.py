"""What the losses of label maps share."""

from numbers import Real
from typing import Any

import keras
from keras import losses, ops

from keras_segpaint.ops.labels import channels_last, sparse_labels
from keras_segpaint.ops.spatial import standardize_data_format


class LabelMapLoss(losses.Loss):
    """A loss of logits against integer label maps that gives one number for the batch.

    A subclass takes its mean over the pixels that count, so Keras has nothing left to reduce: its reductions would
    divide by the number of all pixels, ignored ones included. Losses are added and multiplied by numbers:
    `0.5 * Dice() + SparseCrossentropy()` is a `LossSum`.
    """

    def __init__(self, ignore_class: int | None, data_format: str | None, name: str):
        super().__init__(name=name, reduction=None, dtype="float32")
        self.ignore_class = ignore_class
        self.data_format = standardize_data_format(data_format)

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        # Keras would turn the labels into floats first and multiply the finished mean by the weights.
        with keras.name_scope(self.name):
            return self.call(y_true, y_pred, sample_weight)

    def __add__(self, other: Any) -> "LabelMapLoss":
        from keras_segpaint.losses.loss_sum import LossSum

        return LossSum([self, other]) if isinstance(other, LabelMapLoss) else NotImplemented

    def __radd__(self, other: Any) -> "LabelMapLoss":
        # `sum` starts from 0.
        return self if isinstance(other, int) and other == 0 else NotImplemented

    def __mul__(self, weight: Any) -> "LabelMapLoss":
        from keras_segpaint.losses.loss_sum import LossSum

        return LossSum([self], [float(weight)]) if isinstance(weight, Real) else NotImplemented

    __rmul__ = __mul__

    def prepare(self, y_true: Any, y_pred: Any, sample_weight: Any) -> tuple[Any, Any, Any]:
        """Brings a call's arguments to one form.

        Returns:
            `(labels, logits, counts)`: `int32` labels `(batch, height, width)` with class 0 in place of the ignored
            class; float32 logits, channels last; how much each pixel counts, float32 `(batch, height, width)`.
        """
        logits = channels_last(ops.cast(y_pred, "float32"), self.data_format)
        labels = sparse_labels(y_true, logits.shape)
        counts = ops.ones_like(labels, dtype="float32")
        if self.ignore_class is not None:
            ignored = ops.equal(labels, self.ignore_class)
            counts = ops.where(ignored, 0.0, counts)
            labels = ops.where(ignored, 0, labels)
        if sample_weight is not None:
            counts = counts * _pixel_weights(sample_weight, labels.shape)
        return labels, logits, counts


def _pixel_weights(sample_weight: Any, shape: tuple[Any, ...]) -> Any:
    weights = ops.cast(ops.convert_to_tensor(sample_weight), "float32")
    if len(weights.shape) == 1:
        return ops.reshape(weights, (-1, 1, 1))
    if len(weights.shape) == 4 and weights.shape[-1] == 1:
        weights = ops.squeeze(weights, -1)
    known = zip(weights.shape[1:], shape[1:], strict=False)
    if len(weights.shape) != 3 or any(None not in sizes and sizes[0] != sizes[1] for sizes in known):
        raise ValueError(
            "`sample_weight` must be one weight for each image, (batch,), or for each pixel, (batch, height, width). "
            f"Received: sample_weight.shape={tuple(weights.shape)} for labels of shape {tuple(shape)}"
        )
    return weights
