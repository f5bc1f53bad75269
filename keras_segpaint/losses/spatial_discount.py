"""L1 that counts less the farther a pixel of a hole is from what is known."""

from typing import Any, Literal

import keras
import numpy as np
from keras import ops

from keras_segpaint.losses.image_base import ImageLoss


@keras.saving.register_keras_serializable(package="keras_segpaint")
class SpatiallyDiscountedL1(ImageLoss):
    """Mean absolute error in the holes, each pixel weighted by `gamma` to the power of its distance to a known one.

    The distance is that of a chessboard's king: for the rectangles of the paper the weight is its `gamma ** l`, with `l`
    the distance to the nearest side, and holes of any form have one too.

    Args:
        gamma: Float in (0, 1]. Defaults to `0.99`, as in the paper; the authors' configuration has 0.9.
        average: As in `MaskedL1`. Defaults to `"image"`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        name: String. Defaults to `"spatially_discounted_l1"`.

    Call arguments:
        y_true: Images `(batch, height, width, channels)`.
        y_pred: The same shape.
        mask: `(batch, height, width, 1)` or `(batch, height, width)`, 1 is a hole.

    Raises:
        ValueError: If an argument is out of range, or the shapes do not fit each other.

    References:
        - [Generative Image Inpainting with Contextual Attention](https://arxiv.org/abs/1801.07892), section 3.2.

    Example:
        >>> import numpy as np
        >>> loss = SpatiallyDiscountedL1(gamma=0.5, data_format="channels_last")
        >>> mask = np.array([0, 1, 1, 1], "float32").reshape(1, 1, 4, 1)
        >>> float(loss(np.zeros((1, 1, 4, 1)), np.ones((1, 1, 4, 1)), mask)) == (0.5 + 0.25 + 0.125) / 4
        True
    """

    def __init__(
        self,
        gamma: float = 0.99,
        average: Literal["image", "region"] = "image",
        data_format: str | None = None,
        name: str = "spatially_discounted_l1",
    ):
        if not 0 < gamma <= 1:
            raise ValueError(f"`gamma` must be in (0, 1]. Received: gamma={gamma}")
        if average not in ("image", "region"):
            raise ValueError(f'`average` must be "image" or "region". Received: average={average!r}')
        super().__init__(data_format, name)
        self.gamma = float(gamma)
        self.average = average

    def call(self, y_true: Any, y_pred: Any, mask: Any = None) -> Any:
        y_true, y_pred, mask = self.prepare(y_true, y_pred, mask)
        errors = ops.abs(y_true - y_pred) * spatial_discount(mask, self.gamma)
        mean = ops.mean(errors)
        return mean if self.average == "image" else mean / ops.maximum(ops.mean(mask), 1e-7)

    def get_config(self) -> dict[str, Any]:
        return {"gamma": self.gamma, "average": self.average, **super().get_config()}


def spatial_discount(mask: Any, gamma: float = 0.99) -> Any:
    """Weights `gamma ** distance` to the nearest known pixel (chessboard distance), 0 outside of the holes.

    The pixels next to a known one have distance 1; the border of the image is not a known pixel. Where no pixel is known
    the distance is that of the farthest corner.

    Args:
        mask: `(batch, height, width, 1)`, 1 is a hole.
        gamma: Float in (0, 1].

    Returns:
        float32 of the same shape.

    References:
        - [Generative Image Inpainting with Contextual Attention](https://arxiv.org/abs/1801.07892), section 3.2.

    Example:
        >>> import numpy as np
        >>> weights = spatial_discount(np.array([0, 1, 1, 0], "float32").reshape(1, 1, 4, 1), gamma=0.5)
        >>> np.asarray(weights).ravel().tolist()
        [0.0, 0.5, 0.5, 0.0]
    """
    mask = ops.stop_gradient(ops.cast(ops.convert_to_tensor(mask), "float32"))
    height, width = ops.shape(mask)[1:3]
    farthest = ops.maximum(height, width)

    def goes_on(known: Any, distance: Any, steps: Any) -> Any:
        return ops.logical_and(ops.any(known < 0.5), steps < farthest)

    def grow(known: Any, distance: Any, steps: Any) -> tuple[Any, Any, Any]:
        distance = distance + (1.0 - known)
        return ops.max_pool(known, 3, strides=1, padding="same", data_format="channels_last"), distance, steps + 1

    start = (1.0 - mask, ops.zeros_like(mask), ops.zeros((), "int32"))
    _, distance, _ = ops.while_loop(goes_on, grow, start)
    return mask * ops.power(gamma, distance)


def rectangle_discount(size: tuple[int, int], gamma: float = 0.99) -> np.ndarray:
    """The weights of one rectangle as the authors' code of DeepFill v1 computes them.

    They are those of `spatial_discount` but for their count of distances: 0 in the first row and column, 1 in the last.

    Args:
        size: Height and width of the rectangle.
        gamma: Float in (0, 1].

    Returns:
        float32 `(height, width)`.

    Example:
        >>> rectangle_discount((3, 3), 0.5).tolist()
        [[1.0, 1.0, 1.0], [1.0, 0.5, 0.5], [1.0, 0.5, 0.5]]
    """
    rows, columns = (np.minimum(np.arange(extent), extent - np.arange(extent)) for extent in size)
    return np.float32(gamma) ** np.minimum(rows[:, None], columns[None]).astype(np.float32)
