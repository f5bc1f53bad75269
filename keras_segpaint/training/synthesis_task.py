"""Runs of networks that make images from label maps."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from keras_segpaint import data
from keras_segpaint.data.dataset import Progress
from keras_segpaint.training.config import TrainConfig
from keras_segpaint.training.inpainting_losses import build_loss
from keras_segpaint.training.labelled_task import LabelledTask
from keras_segpaint.training.stage import Stage
from keras_segpaint.training.synthesis_recipe import SynthesisRecipe
from keras_segpaint.training.synthesis_stage import SynthesisStage

__all__ = ["SynthesisTask"]


class SynthesisTask(LabelledTask):
    """A run's part for synthesis: labels are checked, the images are what is learnt, their mean error decides."""

    recipe: SynthesisRecipe

    def __init__(self, config: TrainConfig, recipe: SynthesisRecipe):
        super().__init__(config, recipe)
        self._loss = None
        # Features that are not to be had leave the critic.
        if recipe.loss is not None and recipe.loss.get("features", "") is not None:
            self._loss = build_loss(recipe.loss, config.model_args.get("data_format"))

    def record(
        self, train_data: data.SegmentationDataset, val_data: data.SegmentationDataset, progress: Progress | None
    ) -> dict[str, Any]:
        """What making images needs to know about the labels."""
        return self.classes(train_data)

    def stages(
        self,
        folder: Path,
        record: Mapping[str, Any],
        train_data: data.SegmentationDataset,
        val_data: data.SegmentationDataset,
    ) -> list[Stage]:
        return [
            SynthesisStage(
                folder=folder,
                config=self.config,
                recipe=self.recipe,
                train_data=train_data,
                val_data=val_data,
                loss=self._loss,
            )
        ]
