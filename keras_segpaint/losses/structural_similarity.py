"""Structural dissimilarity of filled images."""

from typing import Any

import keras

from keras_segpaint.losses.image_base import ImageLoss, Region, check_region, in_region
from keras_segpaint.losses.masked_l1 import masked_mean
from keras_segpaint.ops.images import check_value_range, composite, to_unit
from keras_segpaint.ops.structural_similarity import WINDOW, structural_similarity


@keras.saving.register_keras_serializable(package="keras_segpaint")
class StructuralSimilarityLoss(ImageLoss):
    """One minus the structural similarity, averaged over the windows in the holes, the known pixels or everywhere.

    The window is the paper's Gaussian of 11 x 11 pixels with a standard deviation of 1.5. A window belongs to the region
    of its centre; centres less than 5 pixels from the border are left out, as in `metrics.SSIM`. The mean is over all
    windows of a region in the batch, and 0 where there is none. As a filled image keeps its known pixels, these are put
    back before the images are compared; a network that is to continue edges across the border of a hole learns it from
    the windows that see both sides.

    Args:
        region: `"hole"`, `"valid"` (the known pixels) or `"image"`. Defaults to `"hole"`.
        value_range: Lowest and highest value of the images. Defaults to `(-1.0, 1.0)`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        name: String. Defaults to `"structural_similarity_loss"`.

    Call arguments:
        y_true: Images `(batch, height, width, channels)` of at least 11 x 11 pixels, within `value_range`.
        y_pred: The same shape.
        mask: `(batch, height, width, 1)` or `(batch, height, width)`, 1 is a hole.

    Raises:
        ValueError: If an argument is none of those named, the images are smaller than the window, there is no mask, or
            the shapes do not fit each other.

    References:
        - Wang et al. 2004, Image quality assessment: from error visibility to structural similarity.
        - [Loss Functions for Neural Networks for Image Processing](https://arxiv.org/abs/1511.08861)

    Example:
        >>> import numpy as np
        >>> images = np.random.default_rng(0).uniform(-1, 1, (1, 16, 16, 3))
        >>> loss = StructuralSimilarityLoss(data_format="channels_last")
        >>> round(abs(float(loss(images, images, np.ones((1, 16, 16, 1))))), 4)
        0.0
    """

    def __init__(
        self,
        region: Region = "hole",
        value_range: tuple[float, float] = (-1.0, 1.0),
        data_format: str | None = None,
        name: str = "structural_similarity_loss",
    ):
        check_region(region)
        super().__init__(data_format, name)
        self.region = region
        self.value_range = check_value_range(value_range)

    def call(self, y_true: Any, y_pred: Any, mask: Any = None) -> Any:
        y_true, y_pred, mask = self.prepare(y_true, y_pred, mask)
        truth = to_unit(y_true, self.value_range)
        filled = composite(truth, to_unit(y_pred, self.value_range), mask)
        border = WINDOW // 2
        counted = in_region(mask, self.region)[:, border:-border, border:-border]
        return masked_mean(1.0 - structural_similarity(truth, filled), counted, "region")

    def get_config(self) -> dict[str, Any]:
        return {"region": self.region, "value_range": self.value_range, **super().get_config()}
