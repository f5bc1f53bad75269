"""Batches of label maps with their images, for networks that make images."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from keras_segpaint.data.augmentation.base import Augmentation
from keras_segpaint.data.augmentation.flip import RandomFlip
from keras_segpaint.data.augmentation.resized_crop import RandomResizedCrop
from keras_segpaint.data.dataset import SegmentationDataset
from keras_segpaint.data.load import load_dataset
from keras_segpaint.data.pipeline import Batch, Pipeline

__all__ = ["SynthesisDataset"]

_LARGEST = (1.0, 1.0)


class SynthesisDataset(Pipeline):
    """Label maps and images of a segmentation data set, cut, scaled and mirrored together.

    A `Pipeline`: everything random depends on the seed, the epoch and the place in the epoch, whatever the number of
    workers, and an unreadable example is replaced by another one, with one warning per file; `skipped` lists them.

    Args:
        dataset: A `SegmentationDataset`, or what `load_dataset` takes.
        batch_size: Samples a batch, at least 1.
        size: `(height, width)` of the samples. Defaults to `(256, 256)`.
        augment: Augmentations of `keras_segpaint.data` that end with samples of one size; `None` for
            `RandomResizedCrop(size)` of nine tenths or more of the image and `RandomFlip()`, or if `fixed` the largest crop
            alone.
        fixed: Whether every epoch has the same samples, for validation. Defaults to `False`.
        with_images: Whether the network sees the images too, as one with an encoder does. Defaults to `False`.
        split: The split, of a data set that is named. Defaults to `"train"`.
        shuffle: Whether every epoch has an order of its own. Defaults to `True`, if `fixed` to `False`.
        seed: Integer >= 0. Defaults to `0`.
        workers: As in `Pipeline`. Defaults to `2`.
        drop_remainder: Whether a last, smaller batch is left out. Defaults to `False`.
        data_format: `"channels_last"`, `"channels_first"`, or `None` for Keras's setting. That of the images.
        cache: Whether decoded examples are kept in memory. Defaults to `False`.

    Batches:
        `(labels, images)`, or `((labels, images), images)` with `with_images`: int32 `(batch, height, width)` as the data set
            has them, pixels to be ignored with its `ignore_class`, which is a label of its own for these networks; and float32
            RGB `(batch, height, width, 3)` in [-1, 1], or channels second.

    Raises:
        ValueError: If an argument is out of range.
        DataError: As in `Pipeline`, or if there is no such data set.

    Example:
        >>> batches = SynthesisDataset("brain", batch_size=2, size=(96, 80), fixed=True, split="val")
        >>> labels, images = batches[0]
        >>> labels.shape, images.shape, float(images.min())
        ((2, 96, 80), (2, 96, 80, 3), -1.0)
    """

    def __init__(
        self,
        dataset: str | SegmentationDataset,
        *,
        batch_size: int,
        size: Sequence[int] = (256, 256),
        augment: Sequence[Augmentation] | None = None,
        fixed: bool = False,
        with_images: bool = False,
        split: str = "train",
        shuffle: bool | None = None,
        seed: int = 0,
        workers: int = 2,
        drop_remainder: bool = False,
        data_format: str | None = None,
        cache: bool = False,
    ):
        if not isinstance(dataset, SegmentationDataset):
            dataset = load_dataset(dataset, split)
        if augment is None:
            crop = RandomResizedCrop(size, _LARGEST if fixed else (0.9, 1.0))
            augment = [crop] if fixed else [crop, RandomFlip()]
        if any(isinstance(step, keras.layers.Layer) for step in augment):
            raise ValueError("`augment` must hold augmentations of `keras_segpaint.data`, no Keras layers.")
        self.fixed = fixed
        self.with_images = with_images
        super().__init__(
            dataset,
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
        images, labels = super().__getitem__(index)
        return ((labels, images), images) if self.with_images else (labels, images)

    def _make_batch(self, epoch: int, batch: int) -> Batch:
        images, labels, unreadable = super()._make_batch(0 if self.fixed else epoch, batch)
        return Batch(images * np.float32(2) - np.float32(1), labels, unreadable)
