"""What the losses of filled images share."""

from typing import Any, Literal

import keras
from keras import losses, ops

from keras_segpaint.ops.images import hole_mask_like
from keras_segpaint.ops.labels import channels_last
from keras_segpaint.ops.spatial import standardize_data_format

Region = Literal["hole", "valid", "image"]


class ImageLoss(losses.Loss):
    """A loss of images against images under a mask of holes that gives one number for the batch, in float32.

    The mask comes where Keras passes sample weights, so `fit` takes batches `(inputs, images, masks)`.
    """

    def __init__(self, data_format: str | None, name: str):
        super().__init__(name=name, reduction=None, dtype="float32")
        self.data_format = standardize_data_format(data_format)

    def __call__(self, y_true: Any, y_pred: Any, mask: Any = None) -> Any:
        # Keras would multiply the finished mean by the mask.
        with keras.name_scope(self.name):
            return self.call(y_true, y_pred, mask)

    def prepare(self, y_true: Any, y_pred: Any, mask: Any) -> tuple[Any, Any, Any]:
        """Both images in float32 and the mask `(batch, height, width, 1)`, all channels last.

        Raises:
            ValueError: If the shapes do not fit each other, or there is no mask.
        """
        if mask is None:
            raise ValueError(
                f"`{self.name}` needs the mask of holes: call it with (y_true, y_pred, mask), or give `fit` batches "
                "(inputs, images, masks)."
            )
        y_true, y_pred = self.images(y_true, y_pred)
        return y_true, y_pred, hole_mask_like(mask, y_true, self.data_format)

    def images(self, y_true: Any, y_pred: Any) -> tuple[Any, Any]:
        """Both images in float32, channels last."""
        y_true, y_pred = (channels_last(ops.cast(images, "float32"), self.data_format) for images in (y_true, y_pred))
        if len(y_true.shape) != 4 or tuple(y_true.shape[1:]) != tuple(y_pred.shape[1:]):
            raise ValueError(
                "Both images must have the same shape (batch, height, width, channels). "
                f"Received: y_true.shape={tuple(y_true.shape)}, y_pred.shape={tuple(y_pred.shape)}"
            )
        return y_true, y_pred

    def get_config(self) -> dict[str, Any]:
        return {"data_format": self.data_format, "name": self.name}


def in_region(mask: Any, region: Region) -> Any:
    """1 where pixels belong to a region."""
    if region == "hole":
        return mask
    return 1.0 - mask if region == "valid" else ops.ones_like(mask)


def check_region(region: str) -> None:
    """Raises `ValueError` for an unknown region."""
    if region not in ("hole", "valid", "image"):
        raise ValueError(f'`region` must be "hole", "valid" or "image". Received: region={region!r}')
