"""Keras and KerasCV augmentation layers inside a pipeline: made reproducible, and checked before they are
used."""

import sys
import threading
from typing import Any

import keras
import numpy as np

from keras_segpaint.data.alignment import agreement, probe_images

__all__ = ["KerasLayerAugmentation"]

_REPLACEMENTS = {
    "RandomRotation": "keras_segpaint.data.RandomRotation",
    "RandomElasticTransform": "keras_segpaint.data.ElasticDeformation",
    "RandomZoom": "keras_segpaint.data.RandomScale followed by RandomCrop",
    "RandomPerspective": "keras_segpaint.data.ElasticDeformation",
    "RandomShear": "keras_segpaint.data.RandomRotation",
    "RandomTranslation": "keras_segpaint.data.RandomCrop",
    "RandomCrop": "keras_segpaint.data.RandomCrop",
    "RandomFlip": "keras_segpaint.data.RandomFlip",
    "RandAugment": "keras_segpaint.data.ColorJitter with RandomFlip and RandomRotation",
}

MINIMUM_AGREEMENT = 0.97
PROBE_BATCHES = 4


class KerasLayerAugmentation:
    """A layer that takes `{"images", "segmentation_masks"}`, applied to a whole batch.

    The layer sees float32 images in [0, 255] (the range that Keras's layers expect by default; give it to
    KerasCV layers as `value_range`) and float32 masks `(batch, height, width, 1)`. The labels are moved up by
    one for it and the ignored label is 0, so what a layer fills with 0 becomes ignored.

    Before it is used, the layer is tried on images whose colours tell their labels. It is refused if image
    and mask are moved differently, if labels are blended, or if it cannot handle masks. A layer that erases
    or recolours parts of the image and leaves the mask alone passes: what it hides is still there.

    Args:
        layer: A `keras.layers.Layer` or KerasCV layer.
        channels: The number of image channels, 1 or 3. Defaults to `3`.

    Raises:
        ValueError: If the layer is refused; the message names the layer, the reason and what to use instead.

    Example:
        >>> flip = KerasLayerAugmentation(keras.layers.RandomFlip())
        >>> images, masks = np.zeros((2, 8, 8, 3), np.float32), np.zeros((2, 8, 8), np.int32)
        >>> images, masks = flip(images, masks, seed=(0, 0, 0), ignore_class=255)
        >>> images.shape, masks.dtype
        ((2, 8, 8, 3), dtype('int32'))
    """

    def __init__(self, layer: keras.layers.Layer, channels: int = 3):
        self.layer = layer
        self._lock = threading.Lock()
        self._check(channels)

    def __call__(
        self, images: np.ndarray, masks: np.ndarray, seed: tuple[int, ...], ignore_class: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Augments a batch.

        Args:
            images: float32 `(batch, height, width, channels)` in [0, 255].
            masks: Integers `(batch, height, width)`.
            seed: Integers that all randomness depends on.
            ignore_class: The ignored label.

        Returns:
            float32 images clipped to [0, 255], and int32 masks.
        """
        shifted = np.where(masks == ignore_class, 0, masks + 1).astype(np.float32)
        images, shifted = self._apply(images, shifted, seed)
        labels = np.rint(shifted).astype(np.int32)
        return np.clip(images, 0.0, 255.0), np.where(labels == 0, ignore_class, labels - 1)

    def _apply(self, images: np.ndarray, masks: np.ndarray, seed: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
        channels_first = getattr(self.layer, "data_format", "channels_last") == "channels_first"
        masks = masks[..., None]
        if channels_first:
            images, masks = (np.moveaxis(array, -1, 1) for array in (images, masks))
        # The seed generators are variables of the layer: another thread must not draw from them in between.
        with self._lock:
            set_seed(self.layer, seed)
            # Inference mode is the default outside `fit`, and the layers do nothing in it.
            result = self.layer({"images": images, "segmentation_masks": masks}, training=True)
            images, masks = (
                keras.ops.convert_to_numpy(result[key]).astype(np.float32) for key in ("images", "segmentation_masks")
            )
        if channels_first:
            images, masks = (np.moveaxis(array, 1, -1) for array in (images, masks))
        if masks.ndim == 4 and masks.shape[-1] == 1:
            masks = masks[..., 0]
        return images, masks

    def _check(self, channels: int) -> None:
        lowest = 1.0
        for batch in range(PROBE_BATCHES):
            images, masks = probe_images(np.random.default_rng(batch), channels)
            try:
                moved_images, moved_masks = self._apply(images, masks + 1.0, (batch,))
            except Exception as error:
                raise ValueError(
                    f"{self._describe()} cannot be used: it fails on images with segmentation masks, with "
                    f"{type(error).__name__}: {str(error)[:300]}. {self._advice()}"
                ) from error
            if moved_masks.shape != moved_images.shape[:3]:
                raise ValueError(
                    f"{self._describe()} cannot be used: it turns masks {masks.shape} into "
                    f"{moved_masks.shape} beside images "
                    f"{moved_images.shape}. {self._advice()}"
                )
            if np.abs(moved_masks - np.rint(moved_masks)).max() > 1e-3 or moved_masks.max() > masks.max() + 1:
                raise ValueError(
                    f"{self._describe()} cannot be used: it blends class labels into values that are no "
                    "labels. "
                    f"{self._advice()}"
                )
            lowest = min(lowest, *agreement(moved_images, np.rint(moved_masks).astype(int) - 1))
            if lowest < MINIMUM_AGREEMENT:
                raise ValueError(
                    f"{self._describe()} cannot be used: it moves image and mask differently. Only "
                    f"{lowest:.0%} of the labels lie "
                    f"where their pixels are (keras {keras.__version__}, {keras.backend.backend()} backend). "
                    f"{self._advice()}"
                )

    def _describe(self) -> str:
        return f"The layer {type(self.layer).__name__} (name={self.layer.name!r})"

    def _advice(self) -> str:
        replacement = _REPLACEMENTS.get(type(self.layer).__name__)
        if replacement is None:
            return "Leave it out, or use the augmentations of `keras_segpaint.data`."
        return f"Use {replacement} instead."


def set_seed(layer: Any, seed: tuple[int, ...]) -> None:
    """Makes the next call of a layer depend on `seed` alone."""
    rng = np.random.default_rng(seed)
    for variable in layer.variables:
        if variable.name == "seed_generator_state":
            variable.assign(np.array([rng.integers(2**31), 0], dtype=variable.dtype))
    if any(base.__module__.startswith("keras_cv.") for base in type(layer).__mro__):
        # KerasCV draws from the global generators of TensorFlow, which it has imported.
        random = sys.modules["tensorflow"].random
        random.set_seed(int(rng.integers(2**31)))
        random.get_global_generator().reset_from_seed(int(rng.integers(2**31)))
