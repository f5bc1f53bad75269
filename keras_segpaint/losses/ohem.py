"""Cross-entropy of the pixels that are hardest."""

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_segpaint.losses.base import LabelMapLoss
from keras_segpaint.losses.pixelwise import class_weights_of, mean_of, pixel_crossentropy, standardize_class_weights


@keras.saving.register_keras_serializable(package="keras_segpaint")
class OHEMCrossentropy(LabelMapLoss):
    """Mean cross-entropy of the hard pixels of a batch (online hard example mining).

    Hard are the pixels whose right class has a probability of at most `threshold`, and at least the `min_kept` pixels of
    lowest probability; pixels that tie with the last of them are kept, too. Computed in float32, in programs of fixed size.
    If every pixel is ignored, loss and gradients are zero; right predictions that are sure give zero; classes that do not
    occur play no role but in the softmax.

    Args:
        threshold: Float in [0, 1]. With 0 the `min_kept` hardest pixels alone are kept. Defaults to `0.7`.
        min_kept: Integer >= 1, pixels of the batch (all of them if it has fewer that count), or a float in (0, 1], the share
            of the pixels that count. Defaults to `100_000`, as CCNet has it for eight images of 769 x 769 pixels on four
            devices, where it is counted on each.
        class_weights: Sequence of one float per class, or `None`: of the mean over the kept pixels, as in
            `SparseCrossentropy`. One logit has two classes.
        ignore_class: Integer, the label of pixels that do not count, or `None`. Defaults to `255`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default: the axis of the logits.
        name: String. Defaults to `"ohem_crossentropy"`.

    Call arguments:
        y_true: Integers `(batch, height, width)` or `(batch, height, width, 1)`.
        y_pred: Logits `(batch, height, width, num_classes)`, or `(batch, height, width, 1)` with labels of 0 and 1.
        sample_weight: Optional weights `(batch, height, width)` or `(batch,)`: of the mean over the kept pixels; pixels of
            weight 0 are never kept.

    Raises:
        ValueError: If an argument is out of range, or labels, logits and weights do not fit each other.

    References:
        - [Training Region-based Object Detectors with Online Hard Example Mining](https://arxiv.org/abs/1604.03540)
        - [CCNet](https://arxiv.org/abs/1811.11721), section 4.2

    Example:
        >>> import numpy as np
        >>> loss = OHEMCrossentropy(threshold=0.7, min_kept=1, data_format="channels_last")
        >>> logits = np.array([[[[0.0, 0.0], [9.0, 0.0]]]], "float32")
        >>> round(float(loss(np.array([[[0, 0]]]), logits)), 4)
        0.6931
    """

    def __init__(
        self,
        threshold: float = 0.7,
        min_kept: int | float = 100_000,
        class_weights: Sequence[float] | None = None,
        ignore_class: int | None = 255,
        data_format: str | None = None,
        name: str = "ohem_crossentropy",
    ):
        if not 0 <= threshold <= 1:
            raise ValueError(f"`threshold` must be a float in [0, 1]. Received: threshold={threshold}")
        share = isinstance(min_kept, float)
        if not (0 < min_kept <= 1 if share else min_kept >= 1):
            raise ValueError(
                "`min_kept` must be a number of pixels, an integer >= 1, or a share of them, a float in (0, 1]. "
                f"Received: min_kept={min_kept}"
            )
        super().__init__(ignore_class, data_format, name)
        self.threshold = threshold
        self.min_kept = min_kept
        self.class_weights = standardize_class_weights(class_weights)

    def call(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        labels, logits, counts = self.prepare(y_true, y_pred, sample_weight)
        counts = counts * ops.ones_like(labels, dtype="float32")
        crossentropy = pixel_crossentropy(logits, labels)
        kept = ops.logical_and(counts > 0, ops.stop_gradient(crossentropy) >= self._cutoff(crossentropy, counts))
        weights = counts * class_weights_of(labels, self.class_weights, logits.shape[-1])
        return mean_of(crossentropy, ops.where(kept, weights, 0.0))

    def _cutoff(self, crossentropy: Any, counts: Any) -> Any:
        """The cross-entropy from which on pixels are kept."""
        at_threshold = -math.log(self.threshold) if self.threshold > 0 else math.inf
        counted = ops.reshape(counts > 0, (-1,))
        # Pixels that do not count come before all others.
        values = ops.sort(ops.where(counted, ops.reshape(ops.stop_gradient(crossentropy), (-1,)), -1.0))
        pixels = ops.shape(values)[0]
        if isinstance(self.min_kept, float):
            number = ops.sum(ops.cast(counted, "float32")) * self.min_kept
            kept = ops.cast(ops.floor(number + 1e-3), "int32")
        else:
            kept = ops.convert_to_tensor(self.min_kept, "int32")
        kept = ops.clip(kept, 1, pixels)
        return ops.minimum(ops.take(values, pixels - kept), at_threshold)

    def get_config(self) -> dict[str, Any]:
        return dict(
            threshold=self.threshold,
            min_kept=self.min_kept,
            class_weights=self.class_weights,
            ignore_class=self.ignore_class,
            data_format=self.data_format,
            name=self.name,
        )
