"""Fitting one network once: the whole run, or one of the two stages of a run."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import keras
import numpy as np

from keras_segpaint import data
from keras_segpaint.training.checkpoint import Monitor, RunCheckpoint, RunState, load_checkpoint
from keras_segpaint.training.config import TrainConfig
from keras_segpaint.training.divergence import StopOnNonFiniteLoss
from keras_segpaint.training.recipe import Recipe
from keras_segpaint.training.seeding import EpochSeed
from keras_segpaint.training.tensorboard import TensorBoardScalars, tensorboard_installed
from keras_segpaint.training.weights import copy_weights

__all__ = ["Stage", "TrainingError"]


class TrainingError(RuntimeError):
    """Training cannot go on; the message says what to change."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One call of `fit` with its checkpoints.

    A subclass says for its task how the network is built, compiled and fed, and what its best checkpoint is.

    Args:
        folder: Where checkpoints and logs go.
        config: The settings of the run.
        recipe: The recipe of this stage.
        train_data: Training images.
        val_data: Validation images.

    Attributes:
        monitor: The validation score that makes an epoch the best.
    """

    monitor: ClassVar[Monitor]

    folder: Path
    config: TrainConfig
    recipe: Recipe
    train_data: data.SegmentationDataset
    val_data: data.SegmentationDataset

    def build(self) -> keras.Model:
        """What is fitted."""
        raise NotImplementedError

    def compile(self, model: keras.Model, steps_per_epoch: int) -> None:
        """Gives it its optimizer, loss and metrics."""
        raise NotImplementedError

    def batches(self, model: keras.Model, training: bool) -> tuple[Any, data.Pipeline]:
        """The batches that `fit` takes, for training or for validation, and the pipeline that they come from."""
        raise NotImplementedError

    def network(self, model: keras.Model) -> keras.Model:
        """What of the model a former stage gives its weights to."""
        return model

    def kept(self, model: keras.Model) -> keras.Model:
        """What of the model the best checkpoint holds."""
        return model

    def judge(self, model: keras.Model, checkpoint: Path) -> tuple[Any, np.ndarray | None]:
        """The scores of a checkpoint on the validation images, and the confusion matrix that they come from, if any.

        Args:
            model: What was fitted.
            checkpoint: A model file as `kept` gives it.
        """
        raise NotImplementedError

    def fit(
        self,
        callbacks: Iterable[keras.callbacks.Callback],
        verbose: str | int,
        initial_weights: Path | None = None,
        skip_mismatch: bool = False,
    ) -> tuple[keras.Model, RunCheckpoint, list[str]]:
        """Fits the network from the last checkpoint of the stage, or from the start if there is none.

        Args:
            callbacks: Run after the stage's own.
            verbose: As in `keras.Model.fit`.
            initial_weights: A model file whose layers give their weights to those of the same names, at the start.
            skip_mismatch: As in `copy_weights`.

        Returns:
            The model, its checkpoints, and the names of the images that could not be read.

        Raises:
            TrainingError: If the loss is no longer finite.
        """
        keras.utils.set_random_seed(self.config.seed)
        model = self.build()
        batches, pipeline = self.batches(model, training=True)
        val_batches, val_pipeline = self.batches(model, training=False)
        self.compile(model, len(batches))
        # Made within the first step, the optimizer's state would have TensorFlow trace that step twice.
        model.optimizer.build(model.trainable_variables)
        checkpoint = RunCheckpoint(self.folder, RunState(), self.monitor, self.kept)
        checkpoint.last.parent.mkdir(parents=True, exist_ok=True)
        if checkpoint.last.exists():
            checkpoint.state = load_checkpoint(model, checkpoint.last)
        elif initial_weights is not None:
            source = self.network(keras.saving.load_model(initial_weights, compile=False))
            copy_weights(source, self.network(model), skip_mismatch)

        done = checkpoint.state.epochs_done
        if done < self.recipe.epochs:
            pipeline.epoch = done
            logs = [TensorBoardScalars(self.folder / "tensorboard")] if tensorboard_installed() else []
            model.fit(
                batches,
                validation_data=val_batches,
                epochs=self.recipe.epochs,
                initial_epoch=done,
                # The pipeline shuffles; Keras would draw an order of its own that a resumed run cannot repeat.
                shuffle=False,
                callbacks=[
                    EpochSeed(self.config.seed),
                    StopOnNonFiniteLoss(),
                    checkpoint,
                    *logs,
                    *callbacks,
                ],
                verbose=verbose,
            )
            if checkpoint.diverged is not None:
                raise TrainingError(self._divergence(checkpoint))
        return model, checkpoint, [*pipeline.skipped, *val_pipeline.skipped]

    def _divergence(self, checkpoint: RunCheckpoint) -> str:
        rate = self.recipe.optimizer["learning_rate"]
        kept = f"{checkpoint.last} holds the epoch before." if checkpoint.last.exists() else "No epoch was finished."
        return (
            f"The loss is no longer a finite number in epoch {checkpoint.diverged}. {kept} Start a new run with a "
            f"learning rate below {rate:g}, or in float32 if it was in mixed precision."
        )
