"""Tversky and focal Tversky losses of label maps."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_segpaint.losses.region import EPSILON, RegionLoss


@keras.saving.register_keras_serializable(package="keras_segpaint")
class Tversky(RegionLoss):
    """One minus the Tversky index between probabilities and integer label maps, averaged over classes.

    For each class the index is `(TP + smooth) / (TP + alpha * FP + beta * FN + smooth)`, with the summed probability on the
    class's pixels, on other pixels, and what is missing on its pixels, all over the whole batch without ignored pixels.
    `beta > alpha` punishes missed pixels more than false alarms; both 0.5 is `Dice`, both 1 is `Jaccard`. A class that does
    not occur in the batch's labels contributes a loss of zero (and still counts in the mean). Computed in float32; if
    every pixel is ignored, loss and gradients are zero, and right predictions that are sure give zero.

    Args:
        alpha: Float >= 0, the weight of false positives. Defaults to `0.3`.
        beta: Float >= 0, the weight of false negatives. Defaults to `0.7`.
        ignore_class: Integer, the label of pixels that do not count, or `None`. Defaults to `255`.
        smooth: Float >= 0. Defaults to `0.0`.
        classes: Sequence of indices of logits to average over, or `None` for all. Defaults to `None`.
        log: Boolean, use `-log` of the index in place of one minus it. Defaults to `False`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default: the axis of the logits.
        name: String. Defaults to `"tversky"`.

    Call arguments:
        y_true: Integers `(batch, height, width)` or `(batch, height, width, 1)`.
        y_pred: Logits `(batch, height, width, num_classes)`, softmax, or `(batch, height, width, 1)`, sigmoid, with
            labels of 0 and 1.
        sample_weight: Optional weights `(batch, height, width)` or `(batch,)`: how much a pixel adds to each sum.

    Raises:
        ValueError: If an argument is out of range, or labels, logits and weights do not fit each other.

    References:
        - [Tversky loss function for image segmentation using 3D fully convolutional deep networks](https://arxiv.org/abs/1706.05721)

    Example:
        >>> import numpy as np
        >>> loss = Tversky(alpha=0.0, beta=1.0, classes=[1], data_format="channels_last")
        >>> logits = np.array([[[[99.0, 0.0], [0.0, 0.0]]]], "float32")
        >>> float(loss(np.array([[[0, 1]]]), logits))
        0.5
    """

    def __init__(
        self,
        alpha: float = 0.3,
        beta: float = 0.7,
        ignore_class: int | None = 255,
        smooth: float = 0.0,
        classes: Sequence[int] | None = None,
        log: bool = False,
        data_format: str | None = None,
        name: str = "tversky",
    ):
        if alpha < 0 or beta < 0:
            raise ValueError(f"`alpha` and `beta` must be floats >= 0. Received: alpha={alpha}, beta={beta}")
        super().__init__(ignore_class, smooth, classes, log, data_format, name)
        self.alpha = alpha
        self.beta = beta

    def overlap(self, intersection: Any, predicted: Any, pixels: Any) -> tuple[Any, Any]:
        false_positive, false_negative = predicted - intersection, pixels - intersection
        return intersection, intersection + self.alpha * false_positive + self.beta * false_negative

    def get_config(self) -> dict[str, Any]:
        return {"alpha": self.alpha, "beta": self.beta, **super().get_config()}


@keras.saving.register_keras_serializable(package="keras_segpaint")
class FocalTversky(Tversky):
    """The Tversky loss to the power of `gamma`, which moves the weight to classes and batches that are hard.

    The power is of the mean over classes, as in segmentation-models-pytorch; the paper's is of each class's loss, which is
    the same for one logit. `gamma` is what the paper writes as `1 / gamma`. A loss below 1e-7 and its gradient are zero,
    since a power below 1 has no slope at 0.

    Args:
        alpha: Float >= 0, the weight of false positives. Defaults to `0.3`.
        beta: Float >= 0, the weight of false negatives. Defaults to `0.7`.
        gamma: Float > 0. Defaults to `0.75`.
        ignore_class: Integer, the label of pixels that do not count, or `None`. Defaults to `255`.
        smooth: Float >= 0. Defaults to `0.0`.
        classes: Sequence of indices of logits to average over, or `None` for all. Defaults to `None`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default: the axis of the logits.
        name: String. Defaults to `"focal_tversky"`.

    Call arguments, and what absent classes, ignored pixels and one logit mean, are those of `Tversky`.

    Raises:
        ValueError: If an argument is out of range, or labels, logits and weights do not fit each other.

    References:
        - [A Novel Focal Tversky loss function with improved Attention U-Net for lesion segmentation](https://arxiv.org/abs/1810.07842)

    Example:
        >>> import numpy as np
        >>> loss = FocalTversky(alpha=0.0, beta=1.0, gamma=2.0, classes=[1], data_format="channels_last")
        >>> logits = np.array([[[[99.0, 0.0], [0.0, 0.0]]]], "float32")
        >>> float(loss(np.array([[[0, 1]]]), logits))
        0.25
    """

    def __init__(
        self,
        alpha: float = 0.3,
        beta: float = 0.7,
        gamma: float = 0.75,
        ignore_class: int | None = 255,
        smooth: float = 0.0,
        classes: Sequence[int] | None = None,
        data_format: str | None = None,
        name: str = "focal_tversky",
    ):
        if gamma <= 0:
            raise ValueError(f"`gamma` must be a float > 0. Received: gamma={gamma}")
        super().__init__(alpha, beta, ignore_class, smooth, classes, False, data_format, name)
        self.gamma = gamma

    def call(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        loss = super().call(y_true, y_pred, sample_weight)
        # The inner choice keeps the infinite slope at 0 out of the gradient, which the outer one would multiply by 0.
        large = loss > EPSILON
        return ops.where(large, ops.power(ops.where(large, loss, 1.0), self.gamma), 0.0)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["log"]
        return {**config, "gamma": self.gamma}
