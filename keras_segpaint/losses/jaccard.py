"""Jaccard loss of label maps."""

from collections.abc import Sequence
from typing import Any

import keras

from keras_segpaint.losses.region import RegionLoss


@keras.saving.register_keras_serializable(package="keras_segpaint")
class Jaccard(RegionLoss):
    """One minus the Jaccard coefficient (IoU) between probabilities and integer label maps, averaged over classes.

    For each class the coefficient is `(I + smooth) / (P + T - I + smooth)`, with `I` the summed probability on the
    class's pixels, `P` its summed probability and `T` its number of pixels, all over the whole batch without ignored
    pixels. A class that does not occur in the batch's labels contributes a loss of zero (and still counts in the
    mean), as in segmentation-models-pytorch. With one logit the coefficient is that of class 1, zero where no pixel is of
    it. Computed in float32; if every pixel is ignored, loss and gradients are zero, and right predictions that are sure
    give zero.

    Args:
        ignore_class: Integer, the label of pixels that do not count, or `None`. Defaults to `255`.
        smooth: Float >= 0. Defaults to `0.0`.
        classes: Sequence of indices of logits to average over, or `None` for all. Defaults to `None`.
        log: Boolean, use `-log` of the coefficient in place of one minus it. Defaults to `False`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default: the axis of the logits.
        name: String. Defaults to `"jaccard"`.

    Call arguments:
        y_true: Integers `(batch, height, width)` or `(batch, height, width, 1)`.
        y_pred: Logits `(batch, height, width, num_classes)`, softmax, or `(batch, height, width, 1)`, sigmoid, with
            labels of 0 and 1.
        sample_weight: Optional weights `(batch, height, width)` or `(batch,)`: how much a pixel adds to each sum.

    Raises:
        ValueError: If labels, logits and weights do not fit each other, `smooth` is negative, or `classes` names a
            class that the logits do not have.

    References:
        - Rahman and Wang, Optimizing Intersection-Over-Union in Deep Neural Networks for Image Segmentation, ISVC 2016.

    Example:
        >>> import numpy as np
        >>> loss = Jaccard(data_format="channels_last")
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
        name: str = "jaccard",
    ):
        super().__init__(ignore_class, smooth, classes, log, data_format, name)

    def overlap(self, intersection: Any, predicted: Any, pixels: Any) -> tuple[Any, Any]:
        return intersection, predicted + pixels - intersection
