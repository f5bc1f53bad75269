"""Total variation of images and of filled holes."""

from typing import Any

import keras
from keras import ops

from keras_segpaint.losses.image_base import ImageLoss
from keras_segpaint.ops.images import composite, dilate


@keras.saving.register_keras_serializable(package="keras_segpaint")
class HoleTotalVariation(ImageLoss):
    """Total variation of the composed image where both pixels of a pair lie in the hole grown by one pixel.

    Args:
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        name: String. Defaults to `"hole_total_variation"`.

    Call arguments:
        y_true: Images `(batch, height, width, channels)`.
        y_pred: The same shape.
        mask: `(batch, height, width, 1)` or `(batch, height, width)`, 1 is a hole.

    Raises:
        ValueError: If the shapes do not fit each other.

    References:
        - [Image Inpainting for Irregular Holes](https://arxiv.org/abs/1804.07723), section 3.3.

    Example:
        >>> import numpy as np
        >>> mask = np.array([0, 0, 0, 1], "float32").reshape(1, 1, 4, 1)
        >>> loss = HoleTotalVariation(data_format="channels_last")
        >>> round(float(loss(np.zeros((1, 1, 4, 1)), np.ones((1, 1, 4, 1)), mask)), 4)
        0.3333
    """

    def __init__(self, data_format: str | None = None, name: str = "hole_total_variation"):
        super().__init__(data_format, name)

    def call(self, y_true: Any, y_pred: Any, mask: Any = None) -> Any:
        y_true, y_pred, mask = self.prepare(y_true, y_pred, mask)
        return total_variation(composite(y_true, y_pred, mask), dilate(mask))


def total_variation(images: Any, region: Any = None) -> Any:
    """Mean absolute difference of vertical neighbours plus that of horizontal neighbours.

    Args:
        images: `(batch, height, width, channels)`.
        region: `(batch, height, width, 1)`: pairs count if both are 1. Defaults to every pair. The means are over all
            pairs in either case.

    Returns:
        A scalar; a direction without neighbours adds 0.

    Example:
        >>> import numpy as np
        >>> float(total_variation(np.array([[0.0, 1.0], [0.0, 1.0]]).reshape(1, 2, 2, 1)))
        1.0
    """
    images = ops.cast(ops.convert_to_tensor(images), "float32")
    total = ops.zeros(())
    for before, after in (_vertical, _horizontal):
        differences = ops.abs(images[after] - images[before])
        if 0 in differences.shape[1:3]:
            continue
        if region is not None:
            differences = differences * region[after] * region[before]
        total = total + ops.mean(differences)
    return total


_ALL, _FIRST, _LAST = slice(None), slice(None, -1), slice(1, None)
_vertical = (_ALL, _FIRST), (_ALL, _LAST)
_horizontal = (_ALL, _ALL, _FIRST), (_ALL, _ALL, _LAST)
