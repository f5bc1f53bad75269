"""Fitting an inpainting network, alone or against a critic."""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import keras

from keras_segpaint import data, metrics, models
from keras_segpaint.training.adversarial import AdversarialInpainting
from keras_segpaint.training.checkpoint import Monitor
from keras_segpaint.training.inpainting_recipe import InpaintingRecipe
from keras_segpaint.training.optimizers import build_augmentation, build_optimizer
from keras_segpaint.training.stage import Stage

__all__ = ["InpaintingStage"]


@dataclass(frozen=True, kw_only=True)
class InpaintingStage(Stage):
    """One call of `fit` of an inpainting network.

    Args:
        masks: Draws the holes.
        loss: The loss of an image.
        arguments: Arguments of the model that this stage sets, beside those of the run.

    The other arguments are those of `Stage`.
    """

    monitor: ClassVar[Monitor] = Monitor("val_hole_l1", lower_is_better=True)

    recipe: InpaintingRecipe
    masks: data.MaskGenerator
    loss: keras.losses.Loss
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def build(self) -> keras.Model:
        """The network, with its critic if it has one."""
        adversarial = self.recipe.adversarial
        network = getattr(models, self.config.model)
        arguments = {**self.config.model_args, **self.arguments}
        allowed = inspect.signature(network).parameters
        if network.training_argument in allowed:
            arguments[network.training_argument] = True
        if network.guidance is not None:
            arguments["num_classes"] = self.train_data.num_classes
        if "attention_grid" in allowed and arguments.get("attention_grid") is None:
            # Such attention is made for one size of images.
            arguments["input_shape"] = (*self.recipe.crop_size, 3)
        generator = network(dtype=self.config.mixed_precision, **arguments)
        if adversarial is None:
            return generator
        settings = dict(adversarial)
        height, width = self.recipe.crop_size
        local = None
        if self.recipe.local_critic is not None:
            local = self._critic("local_critic", (height // 2, width // 2), generator.data_format)
        return AdversarialInpainting(
            generator,
            self._critic("critic", (height, width), generator.data_format),
            adversarial=settings.pop("name"),
            local_critic=local,
            seed=self.config.seed,
            **settings,
        )

    def compile(self, model: keras.Model, steps_per_epoch: int) -> None:
        settings: dict[str, Any] = {}
        if self.recipe.adversarial is not None and self.recipe.critic_optimizer is not None:
            critic = replace(self.recipe, optimizer=self.recipe.critic_optimizer)
            settings["critic_optimizer"] = build_optimizer(critic, steps_per_epoch)
        model.compile(
            optimizer=build_optimizer(self.recipe, steps_per_epoch),
            loss=self.loss,
            weighted_metrics=[
                metrics.L1("hole", data_format=model.data_format),
                metrics.PSNR("hole", data_format=model.data_format),
            ],
            **settings,
        )

    def batches(self, model: keras.Model, training: bool) -> tuple[Any, data.Pipeline]:
        """As in `Stage`; every validation has the same crops and the same holes."""
        guidance = getattr(models, self.config.model).guidance
        kind: Any = data.InpaintingDataset
        if guidance is not None:
            kind = partial(data.GuidedInpaintingDataset, labels=guidance)
        batches = kind(
            self.train_data if training else self.val_data,
            self.masks,
            batch_size=self.recipe.batch_size,
            size=self.recipe.crop_size,
            augment=build_augmentation(self.recipe, self.recipe.crop_size) if training else None,
            fixed=not training,
            seed=self.config.seed,
            workers=self.config.workers,
            data_format=model.data_format,
        )
        return batches, batches

    def network(self, model: keras.Model) -> keras.Model:
        return model.generator if isinstance(model, AdversarialInpainting) else model

    def kept(self, model: keras.Model) -> keras.Model:
        """The generator alone, as `Inpainter` takes it."""
        return model.predictor()

    def judge(self, model: keras.Model, checkpoint: Path) -> tuple[metrics.FillScores, None]:
        model = keras.saving.load_model(checkpoint, compile=False)
        batches, _ = self.batches(model, training=False)
        scoring = metrics.FillScoring(data_format=model.data_format)
        for index in range(len(batches)):
            inputs, images, masks = batches[index]
            images = images["image"] if isinstance(images, dict) else images
            scoring.update(images, model.predict_on_batch(list(inputs)), masks)
        return scoring.scores(), None

    def _critic(self, role: str, size: tuple[int, int], data_format: str) -> keras.Model:
        """The critic that a field of the recipe describes."""
        described = dict(getattr(self.recipe, role))
        arguments = dict(described)
        name = arguments.pop("name", "")
        if arguments.pop("labels", False):
            arguments["num_classes"] = self._guide_classes(role)
        if name not in models.inpainting.__all__:
            raise ValueError(f"`{role}` must name one of {', '.join(models.inpainting.__all__)}. Received: {described}")
        try:
            return getattr(models, name)(
                input_shape=(*size, 3), data_format=data_format, dtype=self.config.mixed_precision, **arguments
            )
        except TypeError as error:
            raise ValueError(f"`{role}` cannot be built from {described}: {error}") from error

    def _guide_classes(self, role: str) -> int:
        """How many classes the labels have that a critic sees."""
        if getattr(models, self.config.model).guidance is None:
            raise ValueError(
                f"`{role}` cannot see labels: {self.config.model} is trained without. Leave `labels` away."
            )
        return self.train_data.num_classes
