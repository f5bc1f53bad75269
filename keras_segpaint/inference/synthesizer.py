"""Making images from label maps of any size."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from keras_segpaint.data.augmentation.resize import check_size
from keras_segpaint.data.label_files import check_labels
from keras_segpaint.inference.images import channels_first, resize_map, to_float

__all__ = ["Synthesizer"]


class Synthesizer:
    """Makes an image for each label map.

    A label map of a size that the network does not take is continued at its right and bottom border, and the image is cut to
    the size of the label map.

    Args:
        model: A network from label maps, or from label maps and codes of styles, to images in [-1, 1], such as
            `SPADEGenerator`; or an `AdversarialSynthesis`, whose encoder reads styles from images.
        size: `(height, width)` to which label maps are resized first, by nearest neighbours; `None` keeps their size.
            Defaults to `None`.
        seed: Integer >= 0, of the style that is drawn where a network takes one and no image gives it: the same one for all
            label maps. Defaults to `0`.

    Call arguments:
        labels: Integers `(height, width)`: ids of the data set that the network was trained on, its `ignore_class` where
            nothing is known. Or several: an array `(batch, height, width)` or a list of maps of any sizes.
        style: An image as `Segmenter` takes it whose style the made ones get, or `None`.

    Returns:
        uint8 `(height, width, 3)`, or a list of them for a list, an array for an array.

    Raises:
        ValueError: If labels are none that the network knows, a network of a fixed size gets another one, or a style is given
            to a network without an encoder.

    Example:
        >>> from keras_segpaint.models import CRN
        >>> make = Synthesizer(CRN(3, filters=(4, 4), data_format="channels_last"))
        >>> make(np.zeros((37, 50), int)).shape
        (37, 50, 3)
    """

    def __init__(self, model: keras.Model, *, size: Sequence[int] | None = None, seed: int = 0):
        if seed < 0:
            raise ValueError(f"`seed` must be an integer >= 0. Received: seed={seed}")
        self.encoder = getattr(model, "encoder", None)
        self.model: keras.Model = getattr(model, "generator", model)
        self.size = None if size is None else check_size(size)
        self.seed = seed
        inputs = self.model.inputs
        if [len(tensor.shape) for tensor in inputs] not in ([3], [3, 2]):
            raise ValueError(
                "`model` must be a network from label maps (batch, height, width), and codes of styles, to images. "
                f"Received: {self.model.name} with inputs of shape {[tuple(tensor.shape) for tensor in inputs]}"
            )
        self._fixed = tuple(inputs[0].shape[1:])
        self._multiple = int(getattr(self.model, "size_multiple", 1))
        self._smallest = int(getattr(self.model, "smallest_size", 1))

    def __call__(self, labels: Any, style: Any = None) -> Any:
        code = self._code(style)
        if isinstance(labels, list | tuple):
            return [self._make(np.asarray(one), code) for one in labels]
        labels = np.asarray(labels)
        if labels.ndim == 3 and labels.shape[-1] != 1:
            return np.stack([self._make(one, code) for one in labels])
        return self._make(labels, code)

    def _make(self, labels: np.ndarray, code: np.ndarray | None) -> np.ndarray:
        if labels.ndim == 3 and labels.shape[-1] == 1:
            labels = labels[..., 0]
        if labels.ndim != 2 or 0 in labels.shape or not np.issubdtype(labels.dtype, np.integer):
            raise ValueError(
                f"`labels` must be integers of shape (height, width). Received: {labels.dtype} of shape {labels.shape}"
            )
        check_labels(labels, self.num_labels, self.ignore_class)
        if self.size is not None:
            labels = _nearest(labels, self.size)
        height, width = labels.shape
        padded = np.pad(labels, self._margins(height, width), mode="edge")[None].astype(np.int32)
        made = np.asarray(self.model.predict_on_batch(padded if code is None else [padded, code]), np.float32)[0]
        if channels_first(self.model):
            made = made.transpose(1, 2, 0)
        if not np.isfinite(made).all():
            raise ValueError(
                f"{self.model.name} gave NaN or infinite values. Its weights may have diverged in training."
            )
        return np.rint((made[:height, :width].clip(-1, 1) + 1) * 127.5).astype(np.uint8)

    def _margins(self, height: int, width: int) -> list[tuple[int, int]]:
        """What is added to a label map so that the network takes it."""
        margins = []
        for extent, fixed in zip((height, width), self._fixed, strict=True):
            if fixed is not None and extent != fixed:
                raise ValueError(
                    f"{self.model.name} makes images of {self._fixed[0]} x {self._fixed[1]} alone. Received: a label map of "
                    f"{height} x {width}. Resize it: size={self._fixed}, or --size {self._fixed[0]}x{self._fixed[1]}."
                )
            least = max(extent, self._smallest)
            margins.append((0, fixed - extent if fixed else -(-least // self._multiple) * self._multiple - extent))
        return margins

    @property
    def num_labels(self) -> int:
        """How many labels the network knows."""
        return int(self.model.get_config()["num_labels"])

    @property
    def ignore_class(self) -> int | None:
        """The label of pixels of which nothing is known."""
        return self.model.get_config()["ignore_class"]

    def _code(self, style: Any) -> np.ndarray | None:
        """The code of a style, of an image or drawn."""
        if style is not None and self.encoder is None:
            raise ValueError(
                f"`style` is for networks that were trained with an encoder; {self.model.name} comes without one. Train with "
                "--set encoder.name=SPADEEncoder, and give the run."
            )
        if len(self.model.inputs) == 1:
            return None
        size = self.model.inputs[1].shape[-1]
        if style is None:
            return np.random.default_rng(self.seed).standard_normal((1, size)).astype(np.float32)
        return self._encoded(style)

    def _encoded(self, style: Any) -> np.ndarray:
        encoder: Any = self.encoder
        image = to_float(style, 3) * np.float32(2) - np.float32(1)
        first = channels_first(encoder)
        shape = encoder.inputs[0].shape
        rows, columns = shape[2:] if first else shape[1:3]
        image = resize_map(image, (rows or image.shape[0], columns or image.shape[1]))[None]
        outputs = encoder.predict_on_batch(np.ascontiguousarray(image.transpose(0, 3, 1, 2)) if first else image)
        return np.asarray(outputs["mean"], np.float32)


def _nearest(labels: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Labels of another size: of each pixel that whose centre is nearest."""
    rows, columns = (
        ((2 * np.arange(want) + 1) * have // (2 * want)) for have, want in zip(labels.shape, size, strict=True)
    )
    return labels[rows[:, None], columns]
