"""Runs of inpainting networks that learn from label maps."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from keras_segpaint import data
from keras_segpaint.data.dataset import Progress
from keras_segpaint.training.inpainting_task import InpaintingTask

__all__ = ["GuidedInpaintingTask"]


class GuidedInpaintingTask(InpaintingTask):
    """A run's part for guided inpainting: images with labels, which are checked, and holes drawn anew."""

    def open(self, split: str) -> data.SegmentationDataset:
        if self.config.val_data:
            return data.load_dataset(self.config.val_data if split == "val" else self.config.data, "all")
        return data.load_dataset(self.config.data, split)

    def check(
        self,
        train_data: data.SegmentationDataset,
        val_data: data.SegmentationDataset,
        record: Mapping[str, Any] | None,
        progress: Progress | None,
    ) -> None:
        """Every label is read, as for segmentation."""
        if train_data.num_classes != val_data.num_classes:
            raise data.DataError(
                f"Training and validation images must have the same classes. {train_data.name} has "
                f"{train_data.num_classes}, {val_data.name} has {val_data.num_classes}."
            )
        for dataset in (train_data, val_data):
            dataset.validate(progress)

    def record(
        self, train_data: data.SegmentationDataset, val_data: data.SegmentationDataset, progress: Progress | None
    ) -> dict[str, Any]:
        """What guiding needs to know about the classes."""
        return {
            "num_classes": train_data.num_classes,
            "class_names": list(train_data.class_names),
            "palette": np.asarray(train_data.palette).tolist(),
            "ignore_class": train_data.ignore_class,
        }
