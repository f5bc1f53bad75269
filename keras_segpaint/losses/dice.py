"""Dice loss of label maps."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_segpaint.losses.base import LabelMapLoss


@keras.saving.register_keras_serializable(package="keras_segpaint")
class Dice(LabelMapLoss):
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
        sample_weight: Optional weights `(batch, height, width)` or `(batch,)`: how much a pixel adds to each sum.

    Raises:
        ValueError: If labels, logits and weights do not fit each other, `smooth` is negative, or `classes` names a
            class that the logits do not have.

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
    ):
        if smooth < 0:
            raise ValueError(f"`smooth` must be a float >= 0. Received: smooth={smooth}")
        super().__init__(ignore_class, data_format, name)
        self.smooth = smooth
        self.classes = None if classes is None else [int(index) for index in classes]
        self.log = log

    def call(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        labels, logits, counts = self.prepare(y_true, y_pred, sample_weight)
        num_classes = logits.shape[-1]
        if self.classes is not None and not all(0 <= index < num_classes for index in self.classes):
            raise ValueError(
                f"`classes` must be indices of the {num_classes} classes of the logits. Received: {self.classes}"
            )
        counts = ops.expand_dims(counts, -1)
        probabilities = ops.softmax(logits, axis=-1) * counts
        is_class = ops.equal(ops.expand_dims(labels, -1), ops.arange(num_classes, dtype="int32"))
        truth = ops.cast(is_class, "float32")
        intersection = ops.sum(truth * probabilities, axis=(0, 1, 2))
        pixels = ops.sum(truth * counts, axis=(0, 1, 2))
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
