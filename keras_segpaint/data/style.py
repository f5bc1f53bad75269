"""Batches of contents and styles, for `fit`."""

import os
from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_segpaint.data.augmentation.base import Augmentation
from keras_segpaint.data.augmentation.resize import check_size
from keras_segpaint.data.augmentation.resized_crop import RandomResizedCrop
from keras_segpaint.data.dataset import SegmentationDataset
from keras_segpaint.data.load_photographs import load_photographs
from keras_segpaint.data.pipeline import Batch, Pipeline

__all__ = ["StyleDataset"]

# Keeps the draws of styles apart from those of contents.
_STYLES = 2


class StyleDataset(Pipeline):
    """Pairs of a content and a style image, drawn and cut at random.

    An epoch goes through the contents once; each gets a style drawn at random, another one in each epoch. A
    `Pipeline`: everything random depends on the seed, the epoch and the place in the epoch, whatever the number of
    workers, and an unreadable image of either kind is replaced by another one, with one warning per file; `skipped`
    lists them.

    Args:
        contents: Photographs, as in `load_photographs`: a folder, a pattern such as `"photos/*.jpg"`, `"skimage"`,
            `"tfds:NAME"`, or several of these with commas between them. Or a `SegmentationDataset`, whose labels are not
            used.
        styles: The pictures whose style is wanted, likewise.
        batch_size: Pairs a batch, at least 1.
        size: `(height, width)` of the samples. Defaults to `(256, 256)`.
        resize: Integer >= the larger of `size`: the smaller side of an image before the sample is cut out of it. Defaults
            to `512`.
        fixed: Whether every epoch has the same samples in the same pairs, for validation. Defaults to `False`.
        augment: Augmentations of `keras_segpaint.data` for contents and styles in place of that cut; they must end with
            samples of one size. Defaults to `None`.
        shuffle: Whether every epoch has an order of its own. Defaults to `True`, if `fixed` to `False`.
        seed: Integer >= 0. Defaults to `0`.
        workers: As in `Pipeline`. Defaults to `2`.
        drop_remainder: Whether a last, smaller batch is left out. Defaults to `False`.
        data_format: `"channels_last"`, `"channels_first"`, or `None` for Keras's setting.
        cache: Whether decoded images are kept in memory. Defaults to `False`.

    Batches:
        `((contents, styles),)`: both float32 `(batch, height, width, 3)` in [0, 1], or channels second; no targets, since
        `StyleTransfer` has losses of its own.

    Raises:
        ValueError: If an argument is out of range.
        FileNotFoundError: If a folder or pattern stands for no image.
        DataError: As in `Pipeline`.

    Example:
        >>> batches = StyleDataset("skimage", "skimage", batch_size=4, size=(32, 48), resize=64)
        >>> ((contents, styles),) = batches[0]
        >>> len(batches), contents.shape, styles.shape
        (2, (4, 32, 48, 3), (4, 32, 48, 3))
    """

    def __init__(
        self,
        contents: str | os.PathLike | SegmentationDataset,
        styles: str | os.PathLike | SegmentationDataset,
        *,
        batch_size: int,
        size: Sequence[int] = (256, 256),
        resize: int = 512,
        fixed: bool = False,
        augment: Sequence[Augmentation] | None = None,
        shuffle: bool | None = None,
        seed: int = 0,
        workers: int = 2,
        drop_remainder: bool = False,
        data_format: str | None = None,
        cache: bool = False,
    ):
        size = check_size(size)
        if resize < max(size):
            raise ValueError(
                f"`resize` must be at least the larger side of `size`, {max(size)}. Received: resize={resize!r}"
            )
        if augment is None:
            share = max(size) / resize
            # Cutting first and resizing the part gives the same sample.
            augment = [RandomResizedCrop(size, (share, share))]
        shared: dict[str, Any] = dict(batch_size=batch_size, augment=augment, seed=seed, channels=3, cache=cache)
        self.fixed = fixed
        self._styles = Pipeline(_opened(styles), workers=0, **shared)
        super().__init__(
            _opened(contents),
            shuffle=not fixed if shuffle is None else shuffle,
            workers=workers,
            drop_remainder=drop_remainder,
            data_format=data_format,
            **shared,
        )

    def __getitem__(self, index: int) -> Any:
        return (super().__getitem__(index),)

    def _make_batch(self, epoch: int, batch: int) -> Batch:
        epoch = 0 if self.fixed else epoch
        contents, labels, unreadable = super()._make_batch(epoch, batch)
        first = batch * self.batch_size
        styles, problems = zip(*(self._style(epoch, first + number) for number in range(len(labels))), strict=True)
        pixels = np.stack(styles) * np.float32(1 / 255)
        if self.data_format == "channels_first":
            pixels = np.ascontiguousarray(np.moveaxis(pixels, -1, 1))
        return Batch(contents, pixels, unreadable + sum(problems, ()))

    def _style(self, epoch: int, place: int) -> tuple[np.ndarray, tuple[tuple[str, str], ...]]:
        """The style at a place in the epoch."""
        rng = np.random.default_rng((self.seed, epoch, place, _STYLES))
        source = self._styles
        example, problems = source._read(int(rng.integers(len(source.dataset))), rng)
        image, mask = example.image, example.mask
        for augmentation in source._augmentations:
            image, mask = augmentation(image, mask, rng, source.dataset.ignore_class)
        return image, tuple(problems)


def _opened(source: str | os.PathLike | SegmentationDataset) -> SegmentationDataset:
    return source if isinstance(source, SegmentationDataset) else load_photographs(os.fspath(source))
