"""Runs of inpainting networks that learn from label maps."""

from typing import Any

from keras_segpaint import data
from keras_segpaint.data.dataset import Progress
from keras_segpaint.training.inpainting_task import InpaintingTask
from keras_segpaint.training.labelled_task import LabelledTask

__all__ = ["GuidedInpaintingTask"]


class GuidedInpaintingTask(LabelledTask, InpaintingTask):
    """A run's part for guided inpainting: images with labels, which are checked, and holes drawn anew."""

    def record(
        self, train_data: data.SegmentationDataset, val_data: data.SegmentationDataset, progress: Progress | None
    ) -> dict[str, Any]:
        """What guiding needs to know about the classes."""
        return self.classes(train_data)
