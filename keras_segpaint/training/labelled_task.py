"""What runs on images with label maps have in common, whatever is made from what."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from keras_segpaint import data
from keras_segpaint.data.dataset import Progress
from keras_segpaint.training.task import Task

__all__ = ["LabelledTask"]


class LabelledTask(Task):
    """A run's part for data sets of images with label maps: opened by name, checked, and described in its record."""

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
        if train_data.num_classes != val_data.num_classes:
            raise data.DataError(
                f"Training and validation images must have the same classes. {train_data.name} has "
                f"{train_data.num_classes}, {val_data.name} has {val_data.num_classes}."
            )
        for dataset in (train_data, val_data):
            dataset.validate(progress)

    def classes(self, train_data: data.SegmentationDataset) -> dict[str, Any]:
        """What later use needs to know about the classes."""
        return {
            "num_classes": train_data.num_classes,
            "class_names": list(train_data.class_names),
            "palette": np.asarray(train_data.palette).tolist(),
            "ignore_class": train_data.ignore_class,
        }
