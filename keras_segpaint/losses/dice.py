"""Dice loss of label maps."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import losses, ops

from keras_segpaint.ops.labels import channels_last, sparse_labels
from keras_segpaint.ops.spatial import standardize_data_format


@keras.saving.register_keras_serializable(package="keras_segpaint")
class Dice(losses.Loss):
    """One minus the Dice coefficient between softmax probabilities and integer label maps, averaged over classes.

    For each class the coefficient is `(I + smooth) / ((P + T) / 2 + smooth)`, with `I` the summed probability on the
    class's pixels, `P` its summed probability and `T` its number of pixels, all over the whole batch without ignored
    pixels. A class that does not occur in the batch's labels contributes a loss of zero (and still counts in the
    mean), as in segmentation-models-pytorch. Computed in float32; if every pixel is ignored the loss is zero.

    Args:
        ignore_class: Integer, the label of pixels that do not count, or `None`. Defaults to `255`.
        smooth: Float >= 0. Defaults to `0.0`.
        classes: Sequence of class indices to average over, or `None` for all.
        log: Boolean, use `-log` of the coefficient in place of one minus it. Defaults to `False`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default: the axis of the logits.
        name: String. Defaults to `"dice"`.

    Call arguments:
        y_true: Integers `(batch, height, width)` or `(batch, height, width, 1)`.
        y_pred: Logits `(batch, height, width, num_classes)`.

    Raises:
        ValueError: If labels and logits do not fit each other, or `smooth` is negative.

    References:
        - [V-Net](https://arxiv.org/abs/1606.04797), section 3.

    Example:
        >>> import numpy as np
        >>> loss = Dice(data_format="channels_last")
        >>> round(float(loss(np.array([[[0, 1]]]), np.array([[[[99.0, 0.0], [0.0, 99.0]]]], "float32"))), 4)
        0.0
    """

    def __init__(
        self,
        ignore_class: int | None = 255,
        smooth: float = 0.0,
        classes: Sequence[int] | None = None,
        log: bool = False,
        data_format: str | None = None,
        name: str = "dice",
        **kwargs: Any,
    ):
        if smooth < 0:
            raise ValueError(f"`smooth` must be a float >= 0. Received: smooth={smooth}")
        kwargs.update(reduction=None, dtype="float32")
        super().__init__(name=name, **kwargs)
        self.ignore_class = ignore_class
        self.smooth = smooth
        self.classes = None if classes is None else [int(index) for index in classes]
        self.log = log
        self.data_format = standardize_data_format(data_format)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        logits = channels_last(ops.cast(y_pred, "float32"), self.data_format)
        labels = sparse_labels(y_true, logits.shape)
        probabilities = ops.softmax(logits, axis=-1)
        if self.ignore_class is not None:
            ignored = ops.equal(labels, self.ignore_class)
            probabilities = ops.where(ops.expand_dims(ignored, -1), 0.0, probabilities)
            # A label outside of the classes is a row of zeros.
            labels = ops.where(ignored, -1, labels)
        truth = ops.cast(ops.equal(ops.expand_dims(labels, -1), ops.arange(logits.shape[-1], dtype="int32")), "float32")
        intersection = ops.sum(truth * probabilities, axis=(0, 1, 2))
        pixels = ops.sum(truth, axis=(0, 1, 2))
        mean = (ops.sum(probabilities, axis=(0, 1, 2)) + pixels) / 2.0
        epsilon = 1e-7
        coefficient = (intersection + self.smooth) / ops.maximum(mean + self.smooth, epsilon)
        loss = -ops.log(ops.maximum(coefficient, epsilon)) if self.log else 1.0 - coefficient
        loss = ops.where(pixels > 0, loss, 0.0)
        if self.classes is not None:
            loss = ops.take(loss, ops.convert_to_tensor(self.classes, "int32"), axis=0)
        return ops.mean(loss)

    def get_config(self) -> dict[str, Any]:
        return dict(
            ignore_class=self.ignore_class,
            smooth=self.smooth,
            classes=self.classes,
            log=self.log,
            data_format=self.data_format,
            name=self.name,
        )
