"""Cross-entropy that counts more near the boundaries of classes."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_segpaint.losses.base import LabelMapLoss
from keras_segpaint.losses.pixelwise import class_weights_of, mean_of, pixel_crossentropy, standardize_class_weights
from keras_segpaint.ops.boundaries import class_boundaries, squared_distance


@keras.saving.register_keras_serializable(package="keras_segpaint")
class BoundaryWeightedCrossentropy(LabelMapLoss):
    """Cross-entropy whose pixels weigh `w_c + w0 * exp(-d ** 2 / (2 * sigma ** 2))`, computed from the label map.

    `d` is the distance in pixels to the nearest pixel at a boundary of classes, one that has another class above, below,
    left or right of it; on these it is 0. Ignored pixels are no boundary. The second term is left out beyond three `sigma`,
    where it is below 0.012 of its height. The mean is divided by the sum of the weights. Computed in float32. If every
    pixel is ignored, loss and gradients are zero; right predictions that are sure give zero; labels of one class give plain
    cross-entropy.

    This is U-Net's weight map as far as a label map tells it. U-Net's own, for gaps between cells that touch, needs to know
    which cell each pixel is of: compute it with `keras_segpaint.data.border_weight_map` and train with
    `fit(images, labels, sample_weight=maps)` under `SparseCrossentropy`, or any other loss of this room.

    Args:
        w0: Float >= 0, the additional weight on a boundary. Defaults to `10.0`.
        sigma: Float in (0, 32], how wide the effect is, in pixels. Defaults to `5.0`.
        class_weights: `w_c`, a sequence of one float per class, or `None` for 1 each. One logit has two classes.
        ignore_class: Integer, the label of pixels that do not count, or `None`. Defaults to `255`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default: the axis of the logits.
        name: String. Defaults to `"boundary_weighted_crossentropy"`.

    Call arguments:
        y_true: Integers `(batch, height, width)` or `(batch, height, width, 1)`.
        y_pred: Logits `(batch, height, width, num_classes)`, or `(batch, height, width, 1)` with labels of 0 and 1.
        sample_weight: Optional weights `(batch, height, width)` or `(batch,)`, multiplied with those of the boundaries.

    Raises:
        ValueError: If an argument is out of range, or labels, logits and weights do not fit each other.

    References:
        - [U-Net](https://arxiv.org/abs/1505.04597), equation 2

    Example:
        >>> import numpy as np
        >>> loss = BoundaryWeightedCrossentropy(w0=1.0, sigma=1.0, data_format="channels_last")
        >>> weights = loss.weight_map(np.array([[[0, 0, 0, 1, 1, 1]]]))
        >>> [round(weight, 2) for weight in np.asarray(weights).ravel().tolist()]
        [1.14, 1.61, 2.0, 2.0, 1.61, 1.14]
    """

    def __init__(
        self,
        w0: float = 10.0,
        sigma: float = 5.0,
        class_weights: Sequence[float] | None = None,
        ignore_class: int | None = 255,
        data_format: str | None = None,
        name: str = "boundary_weighted_crossentropy",
    ):
        if w0 < 0 or not 0 < sigma <= 32:
            raise ValueError(f"`w0` must be >= 0 and `sigma` in (0, 32]. Received: w0={w0}, sigma={sigma}")
        super().__init__(ignore_class, data_format, name)
        self.w0 = w0
        self.sigma = sigma
        self.class_weights = standardize_class_weights(class_weights)

    def call(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        labels, logits, counts = self.prepare(y_true, y_pred, sample_weight)
        by_class = class_weights_of(labels, self.class_weights, logits.shape[-1])
        # `prepare` has put class 0 in place of the ignored one.
        given = ops.reshape(ops.cast(ops.convert_to_tensor(y_true), "int32"), ops.shape(labels))
        return mean_of(pixel_crossentropy(logits, labels), counts * (by_class + self._boundary_term(given)))

    def weight_map(self, labels: Any) -> Any:
        """The weights of label maps without those of the classes, float32.

        Args:
            labels: Integers `(batch, height, width)`.
        """
        return 1.0 + self._boundary_term(ops.cast(ops.convert_to_tensor(labels), "int32"))

    def _boundary_term(self, labels: Any) -> Any:
        reach = max(int(3 * self.sigma), 1)
        distance = squared_distance(class_boundaries(labels, self.ignore_class), reach)
        term = self.w0 * ops.exp(-ops.cast(distance, "float32") / (2 * self.sigma**2))
        return ops.where(distance <= reach**2, term, 0.0)

    def get_config(self) -> dict[str, Any]:
        return dict(
            w0=self.w0,
            sigma=self.sigma,
            class_weights=self.class_weights,
            ignore_class=self.ignore_class,
            data_format=self.data_format,
            name=self.name,
        )
