"""Batches of photographs with holes, for `fit`."""

import os
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from keras_segpaint.data.augmentation.base import Augmentation
from keras_segpaint.data.augmentation.flip import RandomFlip
from keras_segpaint.data.augmentation.resized_crop import RandomResizedCrop
from keras_segpaint.data.dataset import SegmentationDataset
from keras_segpaint.data.masks import FreeFormMask, MaskGenerator
from keras_segpaint.data.photographs import open_photographs
from keras_segpaint.data.pipeline import Batch, Pipeline

__all__ = ["InpaintingDataset"]

# Keeps the draws of masks apart from those of crops and flips.
_MASKS = 1


class InpaintingDataset(Pipeline):
    """Photographs, cut, scaled and mirrored at random, with a mask of holes for each.

    A `Pipeline`: everything random depends on the seed, the epoch and the place in the epoch, whatever the number of
    workers, and an unreadable photograph is replaced by another one, with one warning per file; `skipped` lists them.

    Args:
        photographs: A folder, a pattern such as `"photos/*.jpg"`, `"skimage"`, `"tfds:NAME"`, or a
            `SegmentationDataset`, whose labels are not used.
        masks: Draws the holes. Defaults to `FreeFormMask()`.
        batch_size: Samples a batch, at least 1.
        size: `(height, width)` of the samples. Defaults to `(256, 256)`.
        augment: Augmentations of `keras_segpaint.data` that end with samples of one size; `None` for
            `RandomResizedCrop(size)` and `RandomFlip()`, or if `fixed` the largest crop alone.
        fixed: Whether every epoch has the same samples and the same masks, for validation. Defaults to `False`.
        split: The split of a TFDS data set. Defaults to `"train"`.
        shuffle: Whether every epoch has an order of its own. Defaults to `True`, if `fixed` to `False`.
        seed: Integer >= 0. Defaults to `0`.
        workers: As in `Pipeline`. Defaults to `2`.
        drop_remainder: Whether a last, smaller batch is left out. Defaults to `False`.
        data_format: `"channels_last"`, `"channels_first"`, or `None` for Keras's setting.
        cache: Whether decoded photographs are kept in memory. Defaults to `False`.

    Batches:
        `((images, masks), images, masks)`: what the network takes, what it should give, and the masks once more where
        Keras passes sample weights, for the losses and metrics of this package. Images are float32
        `(batch, height, width, 3)` in [-1, 1] without holes (the network cuts them), masks float32
        `(batch, height, width, 1)`, 1 is a hole; or channels second.

    Raises:
        ValueError: If an argument is out of range.
        FileNotFoundError: If a folder or pattern stands for no image.
        DataError: As in `Pipeline`.

    Example:
        >>> from keras_segpaint.data import RectangleMask
        >>> batches = InpaintingDataset("skimage", RectangleMask(), batch_size=2, size=(32, 48), fixed=True)
        >>> (images, masks), target, weights = batches[0]
        >>> len(batches), images.shape, masks.shape
        (3, (2, 32, 48, 3), (2, 32, 48, 1))
    """

    def __init__(
        self,
        photographs: str | os.PathLike | SegmentationDataset,
        masks: MaskGenerator | None = None,
        *,
        batch_size: int,
        size: Sequence[int] = (256, 256),
        augment: Sequence[Augmentation] | None = None,
        fixed: bool = False,
        split: str = "train",
        shuffle: bool | None = None,
        seed: int = 0,
        workers: int = 2,
        drop_remainder: bool = False,
        data_format: str | None = None,
        cache: bool = False,
    ):
        if masks is not None and not isinstance(masks, MaskGenerator):
            raise ValueError(f"`masks` must be a mask generator of `keras_segpaint.data`. Received: masks={masks!r}")
        if not isinstance(photographs, SegmentationDataset):
            photographs = open_photographs(photographs, split)
        if augment is None:
            largest_only = (1.0, 1.0)
            augment = [RandomResizedCrop(size, largest_only)] if fixed else [RandomResizedCrop(size), RandomFlip()]
        if any(isinstance(step, keras.layers.Layer) for step in augment):
            raise ValueError("`augment` must hold augmentations of `keras_segpaint.data`, no Keras layers.")
        self.masks = masks or FreeFormMask()
        self.fixed = fixed
        super().__init__(
            photographs,
            batch_size=batch_size,
            augment=augment,
            shuffle=not fixed if shuffle is None else shuffle,
            seed=seed,
            workers=workers,
            drop_remainder=drop_remainder,
            data_format=data_format,
            channels=3,
            cache=cache,
        )

    def __getitem__(self, index: int) -> Any:
        images, masks = super().__getitem__(index)
        return (images, masks), images, masks

    def _make_batch(self, epoch: int, batch: int) -> Batch:
        epoch = 0 if self.fixed else epoch
        images, labels, unreadable = super()._make_batch(epoch, batch)
        masks = self._holes(epoch, batch, labels)
        return Batch(images * np.float32(2) - np.float32(1), masks, unreadable)

    def _holes(self, epoch: int, batch: int, labels: np.ndarray) -> np.ndarray:
        """A mask of holes for each sample of a batch, of the size of its labels."""
        height, width = labels.shape[1:]
        masks = np.empty((len(labels), height, width, 1), np.float32)
        for number in range(len(labels)):
            place = batch * self.batch_size + number
            masks[number, ..., 0] = self.masks(
                (height, width), np.random.default_rng((self.seed, epoch, place, _MASKS))
            )
        if self.data_format == "channels_first":
            masks = masks.transpose(0, 3, 1, 2)
        return masks
