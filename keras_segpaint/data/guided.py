"""Batches of images with holes and their label maps, for `fit`."""

from typing import Any, Literal, NamedTuple

import numpy as np

from keras_segpaint.data.dataset import SegmentationDataset, label_problem
from keras_segpaint.data.errors import DataError
from keras_segpaint.data.guides import IGNORED
from keras_segpaint.data.inpainting import InpaintingDataset
from keras_segpaint.data.masks import MaskGenerator
from keras_segpaint.data.pipeline import Pipeline

__all__ = ["GuidedInpaintingDataset"]


class GuidedBatch(NamedTuple):
    """A finished batch, its label maps, and the messages about examples that had to be replaced."""

    images: np.ndarray
    masks: np.ndarray
    labels: np.ndarray
    unreadable: tuple[tuple[str, str], ...]


class GuidedInpaintingDataset(InpaintingDataset):
    """Images of a segmentation data set, cut, scaled and mirrored at random with their label maps, and a mask of holes
    for each.

    As `InpaintingDataset`, of whose arguments all others are taken; images and masks of the same seed are the same.

    Args:
        dataset: The segmentation data set.
        masks: Draws the holes. Defaults to `FreeFormMask()`.
        labels: `"input"` for networks that are guided by label maps, such as `SemanticGuidedInpainting`; `"target"` for
            those that predict them, such as `CoherencePriorsInpainting`. Defaults to `"input"`.
        **arguments: As in `InpaintingDataset`.

    Batches:
        With `labels="input"` `((images, masks, labels), images, masks)`, with `labels="target"` `((images, masks),
        {"image": images, "labels": labels}, masks)`. Labels are int32 `(batch, height, width, 1)`, or channels second;
        pixels of the data set's ignored class have a label of their own, 255.

    Raises:
        ValueError: If an argument is out of range, or the data set has more than 255 classes.
        DataError: As in `Pipeline`; and if an example has labels that are no classes.

    Example:
        >>> from keras_segpaint.data import BrainTemplate, RectangleMask
        >>> batches = GuidedInpaintingDataset(BrainTemplate("val"), RectangleMask(), batch_size=2, size=(32, 48), fixed=True)
        >>> (images, masks, labels), target, weights = batches[0]
        >>> images.shape, masks.shape, labels.shape, str(labels.dtype)
        ((2, 32, 48, 3), (2, 32, 48, 1), (2, 32, 48, 1), 'int32')
    """

    def __init__(
        self,
        dataset: SegmentationDataset,
        masks: MaskGenerator | None = None,
        *,
        labels: Literal["input", "target"] = "input",
        **arguments: Any,
    ):
        if not isinstance(dataset, SegmentationDataset):
            raise ValueError(
                "`dataset` must be a segmentation data set of `keras_segpaint.data`, such as `load_dataset` gives. "
                f"Received: dataset={dataset!r}"
            )
        if labels not in ("input", "target"):
            raise ValueError(f'`labels` must be "input" or "target". Received: labels={labels!r}')
        if dataset.num_classes > IGNORED:
            raise ValueError(f"A guide has at most {IGNORED} classes. Received: {dataset.num_classes} classes")
        self.labels = labels
        super().__init__(dataset, masks, **arguments)

    def __getitem__(self, index: int) -> Any:
        batch = self._finished(index)
        if self.labels == "input":
            return (batch.images, batch.masks, batch.labels), batch.images, batch.masks
        return (batch.images, batch.masks), {"image": batch.images, "labels": batch.labels}, batch.masks

    def _make_batch(self, epoch: int, batch: int) -> Any:
        epoch = 0 if self.fixed else epoch
        images, labels, unreadable = Pipeline._make_batch(self, epoch, batch)
        masks = self._holes(epoch, batch, labels)
        labels = np.where(labels == self.dataset.ignore_class, IGNORED, labels)
        labels = np.expand_dims(labels, 1 if self.data_format == "channels_first" else -1)
        return GuidedBatch(images * np.float32(2) - np.float32(1), masks, labels.astype(np.int32), unreadable)

    def _prepared(self, index: int) -> Any:
        example = super()._prepared(index)
        problem = label_problem(example, self.dataset.num_classes, self.dataset.ignore_class)
        if problem is not None:
            raise DataError(problem)
        return example
