"""Runs of inpainting networks."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from keras_segpaint import data
from keras_segpaint.data.dataset import Progress
from keras_segpaint.training.config import TrainConfig
from keras_segpaint.training.inpainting_losses import build_loss
from keras_segpaint.training.inpainting_recipe import InpaintingRecipe
from keras_segpaint.training.inpainting_stage import InpaintingStage
from keras_segpaint.training.stage import Stage
from keras_segpaint.training.task import Task

__all__ = ["InpaintingTask"]

FIRST_STAGE = "first_stage"


class InpaintingTask(Task):
    """A run's part for inpainting: photographs without labels, holes drawn anew, the error in the holes decides."""

    recipe: InpaintingRecipe

    def __init__(self, config: TrainConfig, recipe: InpaintingRecipe):
        super().__init__(config, recipe)
        self._masks = data.masks_from_config(recipe.masks)
        self._loss = build_loss(recipe.loss, config.model_args.get("data_format"))

    def open(self, split: str) -> data.SegmentationDataset:
        if self.config.val_data:
            return data.load_photographs(self.config.val_data if split == "val" else self.config.data)
        return data.load_photographs(self.config.data, split, seed=self.config.seed)

    def check(
        self,
        train_data: data.SegmentationDataset,
        val_data: data.SegmentationDataset,
        record: Mapping[str, Any] | None,
        progress: Progress | None,
    ) -> None:
        """Photographs are not read here: one that cannot be read is left out while training, and counted."""
        if record is not None and record["val_photographs"] != names_of(val_data):
            raise ValueError(
                "The photographs to validate on are not those that the run was started with: files were added, taken away "
                "or renamed. Put them back, or start a new run in another folder."
            )

    def record(
        self, train_data: data.SegmentationDataset, val_data: data.SegmentationDataset, progress: Progress | None
    ) -> dict[str, Any]:
        """Which photographs are validated on."""
        return {"train_photographs": len(train_data), "val_photographs": names_of(val_data)}

    def stages(
        self,
        folder: Path,
        record: Mapping[str, Any],
        train_data: data.SegmentationDataset,
        val_data: data.SegmentationDataset,
    ) -> list[Stage]:
        recipe = self.recipe
        shared: dict[str, Any] = dict(
            config=self.config, train_data=train_data, val_data=val_data, masks=self._masks, loss=self._loss
        )
        if not self.config.two_stage or recipe.fine_tuning is None:
            return [InpaintingStage(folder=folder, recipe=recipe, **shared)]
        arguments = dict(recipe.fine_tuning)
        rate = {"learning_rate": arguments.pop("learning_rate")}
        finer = recipe.with_changes({"epochs": arguments.pop("epochs"), "optimizer": rate})
        return [
            InpaintingStage(folder=folder / FIRST_STAGE, recipe=recipe, **shared),
            InpaintingStage(folder=folder, recipe=finer, arguments=arguments, **shared),
        ]


def names_of(photographs: data.SegmentationDataset) -> list[str]:
    """What the photographs are called."""
    return [photographs.example_name(index) for index in range(len(photographs))]
