"""Focal loss of label maps."""

from collections.abc import Sequence
from typing import Any, Literal

import keras
from keras import ops

from keras_segpaint.losses.base import LabelMapLoss
from keras_segpaint.losses.pixelwise import class_weights_of, mean_of, pixel_crossentropy, standardize_class_weights
from keras_segpaint.losses.region import EPSILON


@keras.saving.register_keras_serializable(package="keras_segpaint")
class Focal(LabelMapLoss):
    """Cross-entropy times `(1 - p) ** gamma`, with `p` the probability of the right class: easy pixels count little.

    Three forms: one logit, with a sigmoid; several with a softmax over the classes (`activation="softmax"`), which with
    `gamma=0` is `SparseCrossentropy`; several with a sigmoid each, one class against all others, averaged over classes
    (`activation="sigmoid"`), as the paper and segmentation-models-pytorch have it. The mean is over the pixels that count;
    with class weights, too, it is divided by their number, not by the sum of the weights. Computed in float32. If no pixel
    counts, loss and gradients are zero; right predictions that are sure give zero; a class that does not occur adds nothing
    of its own under a softmax, and its false alarms under sigmoids.

    Args:
        gamma: Float >= 0. Defaults to `2.0`.
        alpha: Float in [0, 1], the weight of the positive answer of a sigmoid, `1 - alpha` that of the negative one;
            `None` for 1 each. A softmax has `class_weights` in its place. Defaults to `None`.
        normalized: Boolean, divide by the sum of `(1 - p) ** gamma` over the pixels in place of their number, so that the
            loss stays large when most pixels are easy; the divisor is a constant to the gradient. The value is that of
            segmentation-models-pytorch's `normalized=True` with `reduction="sum"`. Defaults to `False`.
        class_weights: Sequence of one float per class, or `None`: the weight of pixels of each class. One logit has two
            classes.
        activation: `"softmax"` or `"sigmoid"`, for several logits. Defaults to `"softmax"`.
        ignore_class: Integer, the label of pixels that do not count, or `None`. Defaults to `255`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default: the axis of the logits.
        name: String. Defaults to `"focal"`.

    Call arguments:
        y_true: Integers `(batch, height, width)` or `(batch, height, width, 1)`.
        y_pred: Logits `(batch, height, width, num_classes)`, or `(batch, height, width, 1)` with labels of 0 and 1.
        sample_weight: Optional weights `(batch, height, width)` or `(batch,)`, of a weighted mean.

    Raises:
        ValueError: If an argument is out of range, `alpha` is given with a softmax, labels, logits and weights do not fit
            each other, or there are not as many class weights as classes.

    References:
        - [Focal Loss for Dense Object Detection](https://arxiv.org/abs/1708.02002)
        - [AdaptIS](https://arxiv.org/abs/1909.07829), section 3.3 (normalised)

    Example:
        >>> import numpy as np
        >>> loss = Focal(gamma=2.0, data_format="channels_last")
        >>> round(float(loss(np.array([[[1, 255]]]), np.zeros((1, 1, 2, 2), "float32"))), 4)  # log(2) / 4
        0.1733
    """

    def __init__(
        self,
        gamma: float = 2.0,
        alpha: float | None = None,
        normalized: bool = False,
        class_weights: Sequence[float] | None = None,
        activation: Literal["softmax", "sigmoid"] = "softmax",
        ignore_class: int | None = 255,
        data_format: str | None = None,
        name: str = "focal",
    ):
        if gamma < 0:
            raise ValueError(f"`gamma` must be a float >= 0. Received: gamma={gamma}")
        if alpha is not None and not 0 <= alpha <= 1:
            raise ValueError(f"`alpha` must be a float in [0, 1] or None. Received: alpha={alpha}")
        if activation not in ("softmax", "sigmoid"):
            raise ValueError(f'`activation` must be "softmax" or "sigmoid". Received: activation={activation!r}')
        super().__init__(ignore_class, data_format, name)
        self.gamma = gamma
        self.alpha = alpha
        self.normalized = normalized
        self.class_weights = standardize_class_weights(class_weights)
        self.activation = activation

    def call(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        labels, logits, counts = self.prepare(y_true, y_pred, sample_weight)
        channels = logits.shape[-1]
        weights = class_weights_of(labels, self.class_weights, channels)
        one_each = channels > 1 and self.activation == "sigmoid"
        if one_each:
            # Every class is a map of its own, of two classes.
            labels = ops.cast(ops.equal(ops.expand_dims(labels, -1), ops.arange(channels, dtype="int32")), "int32")
            logits = ops.expand_dims(logits, -1)
            counts = ops.expand_dims(counts, -1) * ops.ones_like(labels, dtype="float32")
            weights = weights if self.class_weights is None else ops.expand_dims(weights, -1)
        elif self.alpha is not None and channels > 1:
            raise ValueError(
                "`alpha` weighs the two answers of a sigmoid. For a softmax give `class_weights`, or "
                f'activation="sigmoid". Received: alpha={self.alpha} for {channels} logits'
            )
        crossentropy = pixel_crossentropy(logits, labels)
        factor = self._factor(crossentropy)
        values = crossentropy if factor is None else crossentropy * factor
        if self.alpha is not None:
            values = values * ops.where(ops.equal(labels, 1), self.alpha, 1.0 - self.alpha)
        values = values * weights
        if self.normalized and factor is not None:
            mean_factor = ops.stop_gradient(mean_of(factor, counts))
            return mean_of(values, counts) / ops.maximum(mean_factor, EPSILON)
        return mean_of(values, counts)

    def _factor(self, crossentropy: Any) -> Any:
        """`(1 - p) ** gamma`, or `None` for 1."""
        if self.gamma == 0:
            return None
        # Not below EPSILON: a power below 1 has no slope at 0.
        return ops.power(ops.maximum(-ops.expm1(-crossentropy), EPSILON), self.gamma)

    def get_config(self) -> dict[str, Any]:
        return dict(
            gamma=self.gamma,
            alpha=self.alpha,
            normalized=self.normalized,
            class_weights=self.class_weights,
            activation=self.activation,
            ignore_class=self.ignore_class,
            data_format=self.data_format,
            name=self.name,
        )
