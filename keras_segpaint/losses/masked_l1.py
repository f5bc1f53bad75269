"""Mean absolute error inside or outside of the holes."""

from typing import Any, Literal

import keras
from keras import ops

from keras_segpaint.losses.image_base import ImageLoss, Region, check_region, in_region


@keras.saving.register_keras_serializable(package="keras_segpaint")
class MaskedL1(ImageLoss):
    """Mean absolute error over the holes, the known pixels or the whole image.

    Args:
        region: `"hole"`, `"valid"` (the known pixels) or `"image"`. Defaults to `"hole"`.
        average: What the sum of errors is divided by: the number of all values of the batch (`"image"`, as partial
            convolution does) or of those in the region (`"region"`, as DeepFill does; 0 if there is none). Defaults to
            `"image"`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        name: String. Defaults to `"masked_l1"`.

    Call arguments:
        y_true: Images `(batch, height, width, channels)`.
        y_pred: The same shape.
        mask: `(batch, height, width, 1)` or `(batch, height, width)`, 1 is a hole; not needed for `"image"`.

    Raises:
        ValueError: If an argument is none of those named, or the shapes do not fit each other.

    References:
        - [Image Inpainting for Irregular Holes](https://arxiv.org/abs/1804.07723), section 3.3.

    Example:
        >>> import numpy as np
        >>> loss = MaskedL1("hole", data_format="channels_last")
        >>> mask = np.array([[[[1], [0]]]], "float32")
        >>> float(loss(np.zeros((1, 1, 2, 3)), np.ones((1, 1, 2, 3)), mask))
        0.5
    """

    def __init__(
        self,
        region: Region = "hole",
        average: Literal["image", "region"] = "image",
        data_format: str | None = None,
        name: str = "masked_l1",
    ):
        check_region(region)
        if average not in ("image", "region"):
            raise ValueError(f'`average` must be "image" or "region". Received: average={average!r}')
        super().__init__(data_format, name)
        self.region = region
        self.average = average

    def call(self, y_true: Any, y_pred: Any, mask: Any = None) -> Any:
        if self.region == "image":
            y_true, y_pred = self.images(y_true, y_pred)
            return ops.mean(ops.abs(y_true - y_pred))
        y_true, y_pred, mask = self.prepare(y_true, y_pred, mask)
        return masked_mean(ops.abs(y_true - y_pred), in_region(mask, self.region), self.average)

    def get_config(self) -> dict[str, Any]:
        return {"region": self.region, "average": self.average, **super().get_config()}


def masked_mean(values: Any, weights: Any, average: str) -> Any:
    """The mean of `weights * values`, over all values or divided by the mean of the weights."""
    mean = ops.mean(values * weights)
    return mean if average == "image" else mean / ops.maximum(ops.mean(weights), 1e-7)
