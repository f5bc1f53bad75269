"""Fitting one network once: the whole run, or one of the two stages of a run."""

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_segpaint import data, losses, metrics, models
from keras_segpaint.data.dataset import Progress
from keras_segpaint.training.checkpoint import RunCheckpoint, RunState, load_checkpoint
from keras_segpaint.training.config import TrainConfig
from keras_segpaint.training.divergence import StopOnNonFiniteLoss
from keras_segpaint.training.labels import FittedLabels
from keras_segpaint.training.optimizers import add_weight_decay, build_augmentation, build_optimizer
from keras_segpaint.training.recipe import Recipe
from keras_segpaint.training.seeding import EpochSeed
from keras_segpaint.training.tensorboard import TensorBoardScalars, tensorboard_installed
from keras_segpaint.training.weights import copy_weights

__all__ = ["Stage", "TrainingError", "compute_class_weights"]

_CLASS_WEIGHTS: dict[str, Callable[[Any], np.ndarray]] = {
    "enet": lambda counts: data.enet_weights(counts),
    "enet_encoder": lambda counts: data.enet_weights(counts, offset=1.2),
    "linknet": lambda counts: data.linknet_weights(counts),
    "median_frequency": lambda counts: data.median_frequency_weights(counts),
}
_ENCODER_STRIDE = 8
_VALID_UNET_MARGIN = 184


class TrainingError(RuntimeError):
    """Training cannot go on; the message says what to change."""


def compute_class_weights(name: str | None, dataset: Any, progress: Progress | None = None) -> list[float] | None:
    """The class weights that a recipe names, from the labels of the training images; `None` for equal weights."""
    if name is None:
        return None
    return [float(weight) for weight in _CLASS_WEIGHTS[name](dataset.class_counts(progress))]


@dataclass(frozen=True)
class Stage:
    """One call of `fit` with its checkpoints.

    Args:
        folder: Where checkpoints and logs go.
        config: The settings of the run.
        recipe: The recipe of this stage.
        class_weights: One number per class, or `None`.
        train_data: Training images.
        val_data: Validation images.
        part: The `stage` argument of the model, `None` for models without.
    """

    folder: Path
    config: TrainConfig
    recipe: Recipe
    class_weights: list[float] | None
    train_data: data.SegmentationDataset
    val_data: data.SegmentationDataset
    part: str | None = None

    def fit(
        self, callbacks: Iterable[keras.callbacks.Callback], verbose: str | int, initial_weights: Path | None = None
    ) -> tuple[keras.Model, RunCheckpoint, list[str]]:
        """Fits the network from the last checkpoint of the stage, or from the start if there is none.

        Args:
            callbacks: Run after the stage's own.
            verbose: As in `keras.Model.fit`.
            initial_weights: A model file whose layers give their weights to those of the same names, at the start.

        Returns:
            The model, its checkpoints, and the names of the images that could not be read.

        Raises:
            TrainingError: If the loss is no longer finite.
        """
        keras.utils.set_random_seed(self.config.seed)
        model = self.build()
        batches, pipeline = self.batches(model, self.train_data, training=True)
        val_batches, val_pipeline = self.batches(model, self.val_data, training=False)
        self.compile(model, len(batches))
        checkpoint = RunCheckpoint(self.folder, RunState())
        checkpoint.last.parent.mkdir(parents=True, exist_ok=True)
        if checkpoint.last.exists():
            checkpoint.state = load_checkpoint(model, checkpoint.last)
        elif initial_weights is not None:
            copy_weights(keras.saving.load_model(initial_weights, compile=False), model)

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

    def build(self) -> keras.Model:
        """The network, with as many input channels as the images have."""
        arguments = dict(self.config.model_args)
        if self.part is not None:
            arguments["stage"] = self.part
        channels = self.train_data[0].image.shape[-1]
        network = getattr(models, self.config.model)
        if "supervised" in inspect.signature(network).parameters:
            arguments.setdefault("supervised", True)
        return network(
            self.train_data.num_classes,
            input_shape=(None, None, channels),
            dtype=self.config.mixed_precision,
            **arguments,
        )

    def compile(self, model: keras.Model, steps_per_epoch: int) -> None:
        """Gives the model its optimizer, loss and metric."""
        add_weight_decay(model, self.recipe.weight_decay)
        labels = dict(ignore_class=self.train_data.ignore_class, data_format=model.data_format)
        model.compile(
            optimizer=build_optimizer(self.recipe, steps_per_epoch),
            loss=losses.SparseCrossentropy(class_weights=self.class_weights, **labels),
            metrics=[metrics.MeanIoU(model.num_classes, name="mean_iou", **labels)],
        )
        # Made within the first step, the optimizer's state would have TensorFlow trace that step twice.
        model.optimizer.build(model.trainable_variables)

    def batches(self, model: keras.Model, dataset: Any, training: bool) -> tuple[Any, data.Pipeline]:
        """The batches that `fit` takes, and the pipeline that they come from."""
        pipeline = data.Pipeline(
            dataset,
            batch_size=self.recipe.batch_size,
            size=self.recipe.crop_size,
            augment=build_augmentation(self.recipe, self.recipe.crop_size) if training else (),
            shuffle=training,
            seed=self.config.seed,
            workers=self.config.workers,
            data_format=model.data_format,
            channels=self.train_data[0].image.shape[-1],
        )
        if self.part == "encoder":
            return FittedLabels(pipeline, stride=_ENCODER_STRIDE), pipeline
        if isinstance(model, models.UNet) and model.get_config()["padding"] == "valid":
            return FittedLabels(pipeline, margin=_VALID_UNET_MARGIN), pipeline
        return pipeline, pipeline

    def confusion(self, model: keras.Model, checkpoint: Path) -> np.ndarray:
        """The confusion matrix of a checkpoint on the validation images."""
        model.load_weights(checkpoint)
        batches, _ = self.batches(model, self.val_data, training=False)
        metric = metrics.ConfusionMatrix(
            model.num_classes, ignore_class=self.val_data.ignore_class, data_format=model.data_format
        )
        for index in range(len(batches)):
            images, labels = batches[index]
            output = model.predict_on_batch(images)
            metric.update_state(labels, output["logits"] if isinstance(output, dict) else output)
        return np.asarray(keras.ops.convert_to_numpy(metric.result()))

    def _divergence(self, checkpoint: RunCheckpoint) -> str:
        rate = self.recipe.optimizer["learning_rate"]
        kept = f"{checkpoint.last} holds the epoch before." if checkpoint.last.exists() else "No epoch was finished."
        return (
            f"The loss is no longer a finite number in epoch {checkpoint.diverged}. {kept} Start a new run with a "
            "learning "
            f"rate below {rate:g}, or in float32 if it was in mixed precision."
        )
