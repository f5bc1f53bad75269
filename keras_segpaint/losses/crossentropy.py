"""Cross-entropy of label maps, with an ignored class and class weights."""

from collections.abc import Sequence
from typing import Any

import keras

from keras_segpaint.losses.base import LabelMapLoss
from keras_segpaint.losses.pixelwise import class_weights_of, mean_of, pixel_crossentropy, standardize_class_weights


@keras.saving.register_keras_serializable(package="keras_segpaint")
class SparseCrossentropy(LabelMapLoss):
    """Cross-entropy of logits against integer label maps: softmax, or sigmoid where there is one logit.

    The mean is over the pixels that count: those not of the ignored class and, with a `sample_weight`, weighted by it.
    With class weights it is the weighted mean, divided by the sum of the weights of these pixels, as
    `torch.nn.CrossEntropyLoss` has it. If no pixel counts, the loss and its gradients are zero. Computed in float32.

    Args:
        ignore_class: Integer, the label of pixels that do not count, or `None`. Defaults to `255`.
        class_weights: Sequence of one float per class, or `None`. `keras_segpaint.data` computes the usual ones. One logit
            has two classes.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default: the axis of the logits.
        name: String. Defaults to `"sparse_crossentropy"`.

    Call arguments:
        y_true: Integers `(batch, height, width)` or `(batch, height, width, 1)`.
        y_pred: Logits `(batch, height, width, num_classes)`, or `(batch, height, width, 1)` with labels of 0 and 1: the
            logit of class 1.
        sample_weight: Optional weights `(batch, height, width)` or `(batch,)`. U-Net's map of the gaps between cells is
            given here: `fit(images, labels, sample_weight=maps)`, each map by `keras_segpaint.data.border_weight_map`.

    Raises:
        ValueError: If labels, logits and weights do not fit each other, or there are not as many class weights as classes.

    Example:
        >>> import numpy as np
        >>> loss = SparseCrossentropy(data_format="channels_last")
        >>> float(loss(np.array([[[0, 255]]]), np.array([[[[0.0, 0.0], [9.0, 0.0]]]], "float32"))).__round__(4)
        0.6931
    """

    def __init__(
        self,
        ignore_class: int | None = 255,
        class_weights: Sequence[float] | None = None,
        data_format: str | None = None,
        name: str = "sparse_crossentropy",
    ):
        super().__init__(ignore_class, data_format, name)
        self.class_weights = standardize_class_weights(class_weights)

    def call(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        labels, logits, counts = self.prepare(y_true, y_pred, sample_weight)
        counts = counts * class_weights_of(labels, self.class_weights, logits.shape[-1])
        return mean_of(pixel_crossentropy(logits, labels), counts)

    def get_config(self) -> dict[str, Any]:
        return dict(
            ignore_class=self.ignore_class,
            class_weights=self.class_weights,
            data_format=self.data_format,
            name=self.name,
        )
