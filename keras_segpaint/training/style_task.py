"""Runs of networks that paint images in a style."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from keras_segpaint import data
from keras_segpaint.data.dataset import Progress
from keras_segpaint.training.inpainting_task import names_of
from keras_segpaint.training.stage import Stage
from keras_segpaint.training.style_recipe import StyleRecipe
from keras_segpaint.training.style_stage import StyleStage
from keras_segpaint.training.task import Task

__all__ = ["StyleTask"]


class StyleTask(Task):
    """A run's part for style transfer: photographs and pictures without labels, the network's own loss decides."""

    recipe: StyleRecipe

    def open(self, split: str) -> data.SegmentationDataset:
        if self.config.val_data:
            return data.load_photographs(self.config.val_data if split == "val" else self.config.data)
        return data.load_photographs(self.config.data, split, seed=self.config.seed)

    def styles(self, split: str) -> data.SegmentationDataset:
        """The pictures that the settings name, of `"train"` or `"val"`."""
        if not self.config.styles:
            raise ValueError(
                f"{self.config.model} learns from two sets of images: give `styles` (--styles), a folder or a pattern of "
                "pictures."
            )
        return data.load_photographs(self.config.styles, split, seed=self.config.seed)

    def check(
        self,
        train_data: data.SegmentationDataset,
        val_data: data.SegmentationDataset,
        record: Mapping[str, Any] | None,
        progress: Progress | None,
    ) -> None:
        """Images are not read here: one that cannot be read is left out while training, and counted."""
        found = {"val_photographs": names_of(val_data), "val_styles": names_of(self.styles("val"))}
        if record is not None and any(record[key] != names for key, names in found.items()):
            raise ValueError(
                "The images to validate on are not those that the run was started with: files were added, taken away or "
                "renamed. Put them back, or start a new run in another folder."
            )

    def record(
        self, train_data: data.SegmentationDataset, val_data: data.SegmentationDataset, progress: Progress | None
    ) -> dict[str, Any]:
        """Which images are validated on."""
        return {
            "train_photographs": len(train_data),
            "train_styles": len(self.styles("train")),
            "val_photographs": names_of(val_data),
            "val_styles": names_of(self.styles("val")),
        }

    def stages(
        self,
        folder: Path,
        record: Mapping[str, Any],
        train_data: data.SegmentationDataset,
        val_data: data.SegmentationDataset,
    ) -> list[Stage]:
        return [
            StyleStage(
                folder=folder,
                config=self.config,
                recipe=self.recipe,
                train_data=train_data,
                val_data=val_data,
                train_styles=self.styles("train"),
                val_styles=self.styles("val"),
            )
        ]
