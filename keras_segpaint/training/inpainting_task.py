"""Runs of inpainting networks."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras

from keras_segpaint import data
from keras_segpaint.data.dataset import Progress
from keras_segpaint.training.config import TrainConfig
from keras_segpaint.training.inpainting_losses import build_loss
from keras_segpaint.training.inpainting_recipe import InpaintingRecipe
from keras_segpaint.training.inpainting_stage import InpaintingStage
from keras_segpaint.training.task import RunResult, Task

__all__ = ["InpaintingTask"]

FIRST_STAGE = "first_stage"


class InpaintingTask(Task):
    """A run's part for inpainting: photographs without labels, holes drawn anew, the error in the holes decides."""

    def __init__(self, config: TrainConfig):
        super().__init__(config)
        self._masks = data.masks_from_config(self.recipe.masks)
        self._loss = build_loss(self.recipe.loss, config.model_args.get("data_format"))

    @property
    def recipe(self) -> InpaintingRecipe:
        """The recipe of the run."""
        recipe = self.config.resolve()
        if not isinstance(recipe, InpaintingRecipe):
            raise TypeError(f"{self.config.model} has no recipe for inpainting.")
        return recipe

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

    def fit(
        self,
        folder: Path,
        record: Mapping[str, Any],
        train_data: data.SegmentationDataset,
        val_data: data.SegmentationDataset,
        callbacks: Sequence[keras.callbacks.Callback],
        verbose: str | int,
    ) -> RunResult:
        recipe = self.recipe
        shared: dict[str, Any] = dict(
            config=self.config, train_data=train_data, val_data=val_data, masks=self._masks, loss=self._loss
        )
        initial_weights = None
        skipped: list[str] = []
        arguments: dict[str, Any] = {}
        if self.config.two_stage and recipe.fine_tuning is not None:
            first = InpaintingStage(folder=folder / FIRST_STAGE, recipe=recipe, **shared)
            _, checkpoint, skipped = first.fit(callbacks, verbose)
            initial_weights = checkpoint.best
            arguments = dict(recipe.fine_tuning)
            rate = {"learning_rate": arguments.pop("learning_rate")}
            recipe = recipe.with_changes({"epochs": arguments.pop("epochs"), "optimizer": rate})
        stage = InpaintingStage(folder=folder, recipe=recipe, arguments=arguments, **shared)
        _, checkpoint, more_skipped = stage.fit(callbacks, verbose, initial_weights)
        return RunResult(
            history=checkpoint.state.columns(),
            best_path=checkpoint.best,
            last_path=checkpoint.last,
            scores=stage.scores(checkpoint.best),
            skipped=[*skipped, *more_skipped],
        )


def names_of(photographs: data.SegmentationDataset) -> list[str]:
    """What the photographs are called."""
    return [photographs.example_name(index) for index in range(len(photographs))]
