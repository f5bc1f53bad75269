"""Batches for `fit`, on any backend, reproducible whatever the number of workers."""

import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import numpy as np

from keras_segpaint.data.augmentation.base import Augmentation
from keras_segpaint.data.augmentation.resize import check_size, resize_pair
from keras_segpaint.data.dataset import Example, SegmentationDataset
from keras_segpaint.data.epoch_reader import EpochReader
from keras_segpaint.data.errors import DataError
from keras_segpaint.data.keras_layers import KerasLayerAugmentation

__all__ = ["Pipeline"]


class Batch(NamedTuple):
    """A finished batch and the messages about examples that had to be replaced."""

    images: np.ndarray
    masks: np.ndarray
    unreadable: tuple[tuple[str, str], ...]


class Pipeline(keras.utils.PyDataset):
    """Turns a data set into batches: reads, resizes, augments, and does so ahead of the training step.

    Everything random about a sample depends on `seed`, the epoch and its place in the epoch, and on nothing
    else: the batches are the same for any number of workers, and a run that is continued with `epoch` set
        sees what an
    uninterrupted one would have seen. The order of an epoch is the pipeline's own; the shuffling of batches
    that `fit` does by default has no effect on it.

    An example that cannot be read is replaced by another one of the data set, with one warning per file;
    `skipped` lists them.

    Args:
        dataset: Where the examples come from.
        batch_size: Samples a batch, at least 1.
        size: `(height, width)` to which every example is resized before it is augmented; `None` keeps the
            sizes.
        augment: `keras_segpaint.data` augmentations, then Keras or KerasCV layers that take `{"images",
            "segmentation_masks"}`; these are applied to whole batches and checked first, see
            `KerasLayerAugmentation`.
        shuffle: Whether every epoch has an order of its own. Defaults to `False`.
        seed: Integer >= 0. Defaults to `0`.
        workers: Threads that prepare batches ahead; with `0` a batch is made when it is asked for. Defaults
            to `2`.
        drop_remainder: Whether a last, smaller batch is left out. Defaults to `False`.
        data_format: `"channels_last"`, `"channels_first"`, or `None` for Keras's setting. That of the images
            given out.
        channels: `1` or `3` converts every image to grey or RGB; `None` keeps the channels. Defaults to
            `None`.
        cache: Whether decoded (and resized) examples are kept in memory. Defaults to `False`.

    Batches:
        `(images, masks)`: float32 `(batch, height, width, channels)` in [0, 1], or channels second, and int32
        `(batch, height, width)`.

    Raises:
        ValueError: If an argument is out of range, or a layer in `augment` is refused.
        DataError: If the data set gives no batch, samples of a batch differ in size, or no example can be
            read.

    Example:
        >>> from keras_segpaint.data import BrainTemplate, RandomFlip
        >>> pipeline = Pipeline(BrainTemplate("val"), batch_size=4, size=(96, 80), augment=[RandomFlip()])
        >>> images, masks = pipeline[0]
        >>> len(pipeline), images.shape, str(masks.dtype)
        (3, (4, 96, 80, 1), 'int32')
    """

    def __init__(
        self,
        dataset: SegmentationDataset,
        *,
        batch_size: int,
        size: Sequence[int] | None = None,
        augment: Sequence[Augmentation | keras.layers.Layer] = (),
        shuffle: bool = False,
        seed: int = 0,
        workers: int = 2,
        drop_remainder: bool = False,
        data_format: str | None = None,
        channels: int | None = None,
        cache: bool = False,
    ):
        # Keras's own queue of workers keeps batches of an abandoned epoch and hands them out in the next one,
        # so the batches are prepared ahead here, and Keras reads them one after the other.
        super().__init__(workers=1)
        if batch_size < 1:
            raise ValueError(f"`batch_size` must be an integer >= 1. Received: batch_size={batch_size}")
        if seed < 0 or workers < 0:
            raise ValueError(f"`seed` and `workers` must be >= 0. Received: seed={seed}, workers={workers}")
        if channels not in (None, 1, 3):
            raise ValueError(f"`channels` must be 1, 3 or None. Received: channels={channels}")
        if data_format not in (None, "channels_last", "channels_first"):
            raise ValueError(
                '`data_format` must be "channels_last", "channels_first" or None. '
                f"Received: data_format={data_format!r}"
            )
        self.dataset = dataset
        self.batch_size = batch_size
        self.size = None if size is None else check_size(size)
        self.shuffle = shuffle
        self.seed = seed
        self.drop_remainder = drop_remainder
        self.data_format = data_format or keras.config.image_data_format()
        self.channels = channels
        self.skipped: list[str] = []
        self._batches = self._count_batches()
        self._augmentations, self._layers = self._divide(augment)
        self._cache: dict[int, Example] | None = {} if cache else None
        if workers > 1:
            # Several workers fill the cores, and OpenCV's own threads beside them cost 13 % to 22 % of the throughput
            # on two cores. The setting is one for the whole process.
            import cv2

            cv2.setNumThreads(0)
        self._reader = EpochReader(self._make_batch, self._batches, workers)
        self._epoch = 0
        self._order: np.ndarray | None = None

    @property
    def epoch(self) -> int:
        """The epoch that the next batches belong to. `fit` advances it; set it to continue a run, or in a
        loop of one's own."""
        return self._epoch

    @epoch.setter
    def epoch(self, epoch: int) -> None:
        self._epoch = int(epoch)
        self._reader.reset()

    def __len__(self) -> int:
        return self._batches

    def __getitem__(self, index: int) -> Any:
        batch = self._finished(index)
        return batch.images, batch.masks

    def _finished(self, index: int) -> Any:
        """A batch, after the warnings about what had to be replaced in it."""
        if not 0 <= index < self._batches:
            raise IndexError(f"The pipeline has {self._batches} batches. Received: index={index}")
        batch = self._reader.read(self._epoch, index)
        for name, message in batch.unreadable:
            if name not in self.skipped:
                self.skipped.append(name)
                warnings.warn(f"Skipped an unreadable example, another takes its place. {message}", stacklevel=3)
        return batch

    def on_epoch_begin(self) -> None:
        self._reader.begin()

    def on_epoch_end(self) -> None:
        if self._reader.end():
            self.epoch += 1

    def _count_batches(self) -> int:
        count = len(self.dataset) / self.batch_size
        batches = int(count) if self.drop_remainder else -int(-count // 1)
        if batches == 0:
            raise DataError(
                f"{self.dataset.name} has {len(self.dataset)} examples, which is no batch of "
                f"{self.batch_size}. Lower `batch_size`, "
                "leave `drop_remainder` off, or check that the folder holds images."
            )
        return batches

    def _divide(
        self, augment: Sequence[Augmentation | keras.layers.Layer]
    ) -> tuple[list[Augmentation], list[KerasLayerAugmentation]]:
        ours: list[Augmentation] = []
        layers: list[KerasLayerAugmentation] = []
        for augmentation in augment:
            if isinstance(augmentation, Augmentation):
                if layers:
                    raise ValueError(
                        "`augment` must have Keras layers after all others, since they see whole batches. "
                        f"Received: {augmentation} "
                        f"after {layers[-1].layer.name}"
                    )
                ours.append(augmentation)
            elif isinstance(augmentation, keras.layers.Layer):
                channels = self.channels or self.dataset[0].image.shape[-1]
                layers.append(KerasLayerAugmentation(augmentation, channels))
            else:
                raise ValueError(
                    "`augment` must hold augmentations of `keras_segpaint.data` and Keras layers. "
                    f"Received: {augmentation!r}"
                )
        return ours, layers

    def _make_batch(self, epoch: int, batch: int) -> Batch:
        start = batch * self.batch_size
        stop = min(start + self.batch_size, len(self.dataset))
        order = self._indices(epoch)
        images, masks, unreadable = [], [], []
        for place in range(start, stop):
            rng = np.random.default_rng((self.seed, epoch, place))
            example, problems = self._read(int(order[place]), rng)
            unreadable += problems
            image, mask = example.image, example.mask
            for augmentation in self._augmentations:
                image, mask = augmentation(image, mask, rng, self.dataset.ignore_class)
            images.append(image)
            masks.append(mask)
        shapes = sorted({image.shape for image in images})
        if len(shapes) > 1:
            raise DataError(
                "The samples of a batch must have one size. Received: sizes "
                f"{', '.join(map(str, shapes[:3]))}. Pass "
                "`size=(height, width)`, end `augment` with `RandomCrop` or `Resize`, or use `batch_size=1`."
            )
        pixels, labels = self._apply_layers(np.stack(images), np.stack(masks), (self.seed, epoch, batch))
        if self.data_format == "channels_first":
            pixels = np.ascontiguousarray(np.moveaxis(pixels, -1, 1))
        return Batch(pixels, labels, tuple(unreadable))

    def _apply_layers(
        self, images: np.ndarray, masks: np.ndarray, seed: tuple[int, int, int]
    ) -> tuple[np.ndarray, np.ndarray]:
        if self._layers:
            images = images.astype(np.float32)
            for number, layer in enumerate(self._layers):
                images, masks = layer(images, masks, (*seed, number), self.dataset.ignore_class)
        return np.multiply(images, np.float32(1 / 255), dtype=np.float32), masks.astype(np.int32)

    def _indices(self, epoch: int) -> np.ndarray:
        if not self.shuffle:
            return np.arange(len(self.dataset))
        return np.random.default_rng((self.seed, epoch)).permutation(len(self.dataset))

    def _read(self, index: int, rng: np.random.Generator) -> tuple[Example, list[tuple[str, str]]]:
        """An example ready to be augmented, or, if it cannot be read, another one drawn with `rng`."""
        problems: list[tuple[str, str]] = []
        for _ in range(20):
            try:
                return self._prepared(index), problems
            except DataError as error:
                problems.append((self.dataset.example_name(index), str(error)))
                index = int(rng.integers(len(self.dataset)))
        raise DataError(
            f"{self.dataset.name}: no readable example found in 20 tries. The last problem: {problems[-1][1]}"
        )

    def _prepared(self, index: int) -> Example:
        if self._cache is not None and index in self._cache:
            return self._cache[index]
        image, mask, name = self.dataset[index]
        image = convert_channels(image, self.channels)
        if self.size is not None:
            image, mask = resize_pair(image, mask, self.size)
        example = Example(image, mask, name)
        if self._cache is not None:
            self._cache[index] = example
        return example


def convert_channels(image: np.ndarray, channels: int | None) -> np.ndarray:
    """An image with one (grey) or three (RGB) channels; `None` leaves it as it is."""
    if channels in (None, image.shape[-1]):
        return image
    import cv2

    if channels == 1:
        return cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None]
    return cv2.cvtColor(image, cv2.COLOR_GRAY2RGB)
