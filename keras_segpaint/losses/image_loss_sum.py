"""Several losses of filled images as one."""

from collections.abc import Sequence
from typing import Any

import keras

from keras_segpaint.losses.image_base import ImageLoss
from keras_segpaint.losses.weighted_terms import WeightedTerms


@keras.saving.register_keras_serializable(package="keras_segpaint")
class ImageLossSum(WeightedTerms, ImageLoss):
    """The weighted sum of losses of images under a mask.

    Args:
        terms: At least one loss of this package that takes `(y_true, y_pred, mask)`.
        weights: One float for each; `None` for 1 each. Defaults to `None`.
        data_format: Not used; the terms have their own.
        name: String. Defaults to `"image_loss_sum"`.

    Call arguments:
        y_true: Images `(batch, height, width, channels)`.
        y_pred: The same shape.
        mask: `(batch, height, width, 1)` or `(batch, height, width)`, 1 is a hole.

    Raises:
        ValueError: If there is no term, or another number of weights.

    Example:
        >>> import numpy as np
        >>> from keras_segpaint.losses import MaskedL1
        >>> last = dict(data_format="channels_last")
        >>> loss = ImageLossSum([MaskedL1("hole", **last), MaskedL1("valid", **last)], [6.0, 1.0])
        >>> mask = np.array([[[[1], [0]]]], "float32")
        >>> float(loss(np.zeros((1, 1, 2, 3)), np.ones((1, 1, 2, 3)), mask))
        3.5
    """

    def __init__(
        self,
        terms: Sequence[ImageLoss],
        weights: Sequence[float] | None = None,
        data_format: str | None = None,
        name: str = "image_loss_sum",
    ):
        super().__init__(data_format, name)
        self.terms = list(terms)
        self.weights = [1.0] * len(self.terms) if weights is None else [float(weight) for weight in weights]
        if not self.terms or len(self.weights) != len(self.terms):
            raise ValueError(
                "`terms` must hold at least one loss, and `weights` one number for each. "
                f"Received: {len(self.terms)} terms, {len(self.weights)} weights"
            )

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "data_format": self.data_format}
