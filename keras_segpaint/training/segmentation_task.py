"""Runs of segmentation networks."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from keras_segpaint import data
from keras_segpaint.data.dataset import Progress
from keras_segpaint.training.labelled_task import LabelledTask
from keras_segpaint.training.segmentation_recipe import SegmentationRecipe
from keras_segpaint.training.segmentation_stage import SegmentationStage
from keras_segpaint.training.stage import Stage

__all__ = ["SegmentationTask", "compute_class_weights"]

_CLASS_WEIGHTS: dict[str, Callable[[Any], np.ndarray]] = {
    "enet": lambda counts: data.enet_weights(counts),
    "enet_encoder": lambda counts: data.enet_weights(counts, offset=1.2),
    "linknet": lambda counts: data.linknet_weights(counts),
    "median_frequency": lambda counts: data.median_frequency_weights(counts),
}


def compute_class_weights(name: str | None, dataset: Any, progress: Progress | None = None) -> list[float] | None:
    """The class weights that a recipe names, from the labels of the training images; `None` for equal weights."""
    if name is None:
        return None
    return [float(weight) for weight in _CLASS_WEIGHTS[name](dataset.class_counts(progress))]


class SegmentationTask(LabelledTask):
    """A run's part for segmentation: labels are checked, classes counted, mean IoU decides."""

    recipe: SegmentationRecipe

    def record(
        self, train_data: data.SegmentationDataset, val_data: data.SegmentationDataset, progress: Progress | None
    ) -> dict[str, Any]:
        """What prediction needs to know about the classes, and their weights."""
        wanted = self.recipe.class_weights
        encoder_weights = "enet_encoder" if wanted == "enet" else wanted
        return {
            **self.classes(train_data),
            "class_weights": {
                "full": compute_class_weights(wanted, train_data, progress),
                "encoder": compute_class_weights(encoder_weights, train_data, progress)
                if self.config.two_stage
                else None,
            },
        }

    def stages(
        self,
        folder: Path,
        record: Mapping[str, Any],
        train_data: data.SegmentationDataset,
        val_data: data.SegmentationDataset,
    ) -> list[Stage]:
        recipe, weights = self.recipe, record["class_weights"]
        shared: dict[str, Any] = dict(config=self.config, train_data=train_data, val_data=val_data)
        full = SegmentationStage(folder=folder, recipe=recipe, class_weights=weights["full"], **shared)
        if not self.config.two_stage:
            return [full]
        encoder = SegmentationStage(
            folder=folder / "encoder",
            recipe=recipe.with_changes({"epochs": max(recipe.encoder_epochs, 1)}),
            class_weights=weights["encoder"],
            part="encoder",
            **shared,
        )
        return [encoder, replace(full, part="full")]
