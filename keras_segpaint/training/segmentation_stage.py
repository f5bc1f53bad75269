"""Fitting a segmentation network."""

import inspect
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import keras
import numpy as np

from keras_segpaint import data, metrics, models
from keras_segpaint.training.checkpoint import Monitor
from keras_segpaint.training.labels import FittedLabels
from keras_segpaint.training.optimizers import add_weight_decay, build_augmentation, build_optimizer
from keras_segpaint.training.segmentation_losses import build_label_loss
from keras_segpaint.training.segmentation_recipe import SegmentationRecipe
from keras_segpaint.training.stage import Stage

__all__ = ["SegmentationStage"]

_ENCODER_STRIDE = 8
_VALID_UNET_MARGIN = 184


@dataclass(frozen=True, kw_only=True)
class SegmentationStage(Stage):
    """One call of `fit` of a segmentation network.

    Args:
        class_weights: One number per class, or `None`.
        part: The `stage` argument of the model, `None` for models without.

    The other arguments are those of `Stage`.
    """

    monitor: ClassVar[Monitor] = Monitor("val_mean_iou")

    recipe: SegmentationRecipe
    class_weights: list[float] | None
    part: str | None = None

    def build(self) -> keras.Model:
        """The network, with as many input channels as the images have."""
        arguments = dict(self.config.model_args)
        if self.part is not None:
            arguments["stage"] = self.part
        network = getattr(models, self.config.model)
        if "supervised" in inspect.signature(network).parameters:
            arguments.setdefault("supervised", True)
        return network(
            self.train_data.num_classes,
            input_shape=(None, None, self._channels()),
            dtype=self.config.mixed_precision,
            **arguments,
        )

    def compile(self, model: keras.Model, steps_per_epoch: int) -> None:
        add_weight_decay(model, self.recipe.weight_decay)
        labels = dict(ignore_class=self.train_data.ignore_class, data_format=model.data_format)
        model.compile(
            optimizer=build_optimizer(self.recipe, steps_per_epoch),
            loss=build_label_loss(self.recipe.loss, self.class_weights, **labels),
            metrics=[metrics.MeanIoU(model.num_classes, name="mean_iou", **labels)],
        )

    def batches(self, model: keras.Model, training: bool) -> tuple[Any, data.Pipeline]:
        pipeline = data.Pipeline(
            self.train_data if training else self.val_data,
            batch_size=self.recipe.batch_size,
            size=self.recipe.crop_size,
            augment=build_augmentation(self.recipe, self.recipe.crop_size) if training else (),
            shuffle=training,
            seed=self.config.seed,
            workers=self.config.workers,
            data_format=model.data_format,
            channels=self._channels(),
        )
        if self.part == "encoder":
            return FittedLabels(pipeline, stride=_ENCODER_STRIDE), pipeline
        if isinstance(model, models.UNet) and model.get_config()["padding"] == "valid":
            return FittedLabels(pipeline, margin=_VALID_UNET_MARGIN), pipeline
        return pipeline, pipeline

    def judge(self, model: keras.Model, checkpoint: Path) -> tuple[metrics.Scores, np.ndarray]:
        model.load_weights(checkpoint)
        batches, _ = self.batches(model, training=False)
        metric = metrics.ConfusionMatrix(
            model.num_classes, ignore_class=self.val_data.ignore_class, data_format=model.data_format
        )
        for index in range(len(batches)):
            images, labels = batches[index]
            output = model.predict_on_batch(images)
            metric.update_state(labels, output["logits"] if isinstance(output, dict) else output)
        confusion = np.asarray(keras.ops.convert_to_numpy(metric.result()))
        return metrics.scores(confusion), confusion

    def _channels(self) -> int:
        return self.train_data[0].image.shape[-1]
