"""Fitting a network that paints images in a style."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import keras

from keras_segpaint import data, models
from keras_segpaint.training.checkpoint import Monitor
from keras_segpaint.training.optimizers import build_optimizer
from keras_segpaint.training.stage import Stage
from keras_segpaint.training.style_recipe import StyleRecipe

__all__ = ["StyleScores", "StyleStage"]


@dataclass(frozen=True)
class StyleScores:
    """How well content and style were met.

    Args:
        loss: Their weighted sum.
        content_loss: Mean squared error of the features that AdaIN gave.
        style_loss: Mean squared errors of the features' means and deviations.
        images: How many contents were painted.
    """

    loss: float
    content_loss: float
    style_loss: float
    images: int


@dataclass(frozen=True, kw_only=True)
class StyleStage(Stage):
    """One call of `fit` of a network that paints images in a style.

    Args:
        train_styles: Pictures whose styles are learnt.
        val_styles: Those that are validated on.

    The other arguments are those of `Stage`.
    """

    monitor: ClassVar[Monitor] = Monitor("val_loss", lower_is_better=True)

    recipe: StyleRecipe
    train_styles: data.SegmentationDataset
    val_styles: data.SegmentationDataset

    def build(self) -> keras.Model:
        network = getattr(models, self.config.model)
        return network(
            dtype=self.config.mixed_precision, weights=self.recipe.encoder_weights, **dict(self.config.model_args)
        )

    def compile(self, model: keras.Model, steps_per_epoch: int) -> None:
        model.compile(optimizer=build_optimizer(self.recipe, steps_per_epoch))

    def batches(self, model: keras.Model, training: bool) -> tuple[Any, data.Pipeline]:
        """As in `Stage`; every validation has the same samples in the same pairs."""
        batches = data.StyleDataset(
            self.train_data if training else self.val_data,
            self.train_styles if training else self.val_styles,
            batch_size=self.recipe.batch_size,
            size=self.recipe.crop_size,
            resize=round(self.recipe.resize_factor * max(self.recipe.crop_size)),
            fixed=not training,
            seed=self.config.seed,
            workers=self.config.workers,
            data_format=model.data_format,
        )
        return batches, batches

    def judge(self, model: keras.Model, checkpoint: Path) -> tuple[StyleScores, None]:
        model = keras.saving.load_model(checkpoint, compile=False)
        self.compile(model, 1)
        batches, _ = self.batches(model, training=False)
        found = model.evaluate(batches, verbose=0, return_dict=True)
        return StyleScores(found["loss"], found["content_loss"], found["style_loss"], len(self.val_data)), None
