"""What fills holes: a network, or a classical method, behind one interface."""

from typing import Any, Literal, get_args

import keras
import numpy as np

from keras_segpaint.extras import require
from keras_segpaint.inference.flips import FLIPS, check_flips
from keras_segpaint.inference.images import channels_first, input_size

__all__ = ["METHODS", "ClassicalFiller", "Filler", "Method", "NetworkFiller"]

Method = Literal["telea", "ns", "biharmonic"]
METHODS: tuple[str, ...] = get_args(Method)

_RADIUS = 3


class Filler:
    """Fills the holes of batches of one size.

    Attributes:
        multiple: Height and width must be multiples of it.
        smallest: Height and width must be at least this.
        fixed_size: The only `(height, width)` that is taken, `None` where any will do.
        num_classes: How many classes the label maps have that guide it, `None` if none do.
        needs_known: Whether an image without any known pixel cannot be filled.
    """

    multiple = 1
    smallest = 1
    fixed_size: tuple[int | None, int | None] = (None, None)
    needs_known = False
    num_classes: int | None = None

    def fill(self, images: np.ndarray, masks: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray:
        """Filled images, float32 in [-1, 1].

        Args:
            images: float32 `(batch, height, width, 3)` in [-1, 1], 0 in the holes.
            masks: float32 `(batch, height, width, 1)`, 1 is a hole.
            labels: int32 `(batch, height, width, 1)`, where `num_classes` is a number.
        """
        raise NotImplementedError


class NetworkFiller(Filler):
    """An inpainting model with the inputs image and mask, or with labels as the third.

    Args:
        model: The model.
        flips: As `Inpainter` takes it.
    """

    def __init__(self, model: keras.Model, flips: str | bool = False):
        check_flips(flips)
        inputs = getattr(model, "inputs", None) or ()
        guided = len(inputs) == 3 and getattr(model, "guidance", None) == "input"
        if len(inputs) != 2 and not guided:
            raise ValueError(
                "`model` must be an inpainting model with two inputs, the image and the mask, or one that is guided by "
                f"label maps, its third. Received: {model.name} with {len(inputs)} inputs"
            )
        self.num_classes = model.num_classes if guided else None
        self.model = model.predictor() if hasattr(model, "predictor") else model
        self.multiple = int(getattr(model, "size_multiple", 8))
        self.smallest = int(getattr(model, "smallest_size", 1))
        self._first = channels_first(model)
        self.fixed_size = input_size(model)
        # Of (batch, height, width, channels), for each pass.
        self._turned = [tuple(axis + 1 for axis in axes) for axes in FLIPS[flips]]

    def fill(self, images: np.ndarray, masks: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray:
        given = [images, masks] if labels is None else [images, masks, labels]
        total = np.zeros_like(images)
        for axes in self._turned:
            total += np.flip(self._fill([np.flip(array, axes) for array in given]), axes)
        return total / np.float32(len(self._turned))

    def _fill(self, given: list[np.ndarray]) -> np.ndarray:
        images = given[0]
        inputs = [array.transpose(0, 3, 1, 2) if self._first else array for array in given]
        inputs = [np.ascontiguousarray(array) for array in inputs]
        filled = np.asarray(self.model.predict_on_batch(inputs), np.float32)
        if self._first:
            filled = filled.transpose(0, 2, 3, 1)
        if filled.shape != images.shape:
            raise ValueError(
                f"`model` must give images of the size of its input, {images.shape}. Received: output of shape "
                f"{filled.shape}"
            )
        if not np.isfinite(filled).all():
            raise ValueError(
                f"{self.model.name} gave NaN or infinite values. Its weights may have diverged in training."
            )
        return filled


class ClassicalFiller(Filler):
    """Telea's or the Navier-Stokes method of OpenCV (on 8 bits), or scikit-image's biharmonic equation.

    References:
        - Telea 2004, An image inpainting technique based on the fast marching method.
        - Bertalmio et al. 2001, Navier-Stokes, fluid dynamics, and image and video inpainting.
        - Damelin and Hoang 2018, On surface completion and image inpainting by biharmonic functions.
    """

    needs_known = True

    def __init__(self, method: str):
        if method not in METHODS:
            raise ValueError(f"`method` must be one of {', '.join(METHODS)}. Received: method={method!r}")
        self.method = method
        if method == "biharmonic":
            self._restoration = require("skimage.restoration", "inpaint", "The biharmonic method")

    def fill(self, images: np.ndarray, masks: np.ndarray, labels: np.ndarray | None = None) -> np.ndarray:
        return np.stack([self._fill_one(*pair) for pair in zip(images, masks[..., 0], strict=True)])

    def _fill_one(self, image: np.ndarray, mask: np.ndarray) -> np.ndarray:
        unit = (image + 1) / 2
        if self.method == "biharmonic":
            filled: Any = self._restoration.inpaint_biharmonic(unit, mask > 0, channel_axis=-1)
            return np.clip(filled * 2 - 1, -1, 1).astype(np.float32)
        import cv2

        flag = cv2.INPAINT_TELEA if self.method == "telea" else cv2.INPAINT_NS
        pixels = np.rint(unit * 255).astype(np.uint8)
        filled = cv2.inpaint(pixels, (mask > 0).astype(np.uint8), _RADIUS, flag)
        return filled.astype(np.float32) / np.float32(127.5) - 1
