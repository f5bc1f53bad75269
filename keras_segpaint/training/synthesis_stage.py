"""Fitting a network that makes images from label maps, alone or against a critic."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import keras

from keras_segpaint import data, metrics, models
from keras_segpaint.training.adversarial_synthesis import AdversarialSynthesis
from keras_segpaint.training.checkpoint import Monitor
from keras_segpaint.training.optimizers import build_augmentation, build_optimizer
from keras_segpaint.training.stage import Stage
from keras_segpaint.training.synthesis_recipe import SynthesisRecipe

__all__ = ["SynthesisStage"]


@dataclass(frozen=True, kw_only=True)
class SynthesisStage(Stage):
    """One call of `fit` of a network that makes images from label maps.

    Args:
        loss: The loss of an image, or `None` to train against the critic alone.

    The other arguments are those of `Stage`.
    """

    monitor: ClassVar[Monitor] = Monitor("val_l1", lower_is_better=True)

    recipe: SynthesisRecipe
    loss: keras.losses.Loss | None

    def build(self) -> keras.Model:
        """The network, with its critic and its encoder if it has them."""
        adversarial = self.recipe.adversarial
        height, width = self.recipe.crop_size
        labels = dict(num_labels=self.train_data.num_classes, ignore_class=self.train_data.ignore_class)
        arguments = dict(self.config.model_args)
        shared: dict[str, Any] = dict(dtype=self.config.mixed_precision, data_format=arguments.get("data_format"))
        encoder = None
        if self.recipe.encoder is not None:
            encoder = self._network("encoder", **shared)
            # The first features of a network that takes codes are of a size that follows from the image's.
            arguments.update(latent_dim=encoder.output["mean"].shape[-1], input_shape=(height, width, 3))
        generator = getattr(models, self.config.model)(**labels, **{**shared, **arguments})
        if adversarial is None:
            return generator
        settings = dict(adversarial)
        return AdversarialSynthesis(
            generator,
            self._network("critic", **labels, **shared),
            encoder,
            adversarial=settings.pop("name"),
            seed=self.config.seed,
            **settings,
        )

    def compile(self, model: keras.Model, steps_per_epoch: int) -> None:
        settings: dict[str, Any] = {}
        if self.recipe.adversarial is not None and self.recipe.critic_optimizer is not None:
            critic = replace(self.recipe, optimizer=self.recipe.critic_optimizer)
            settings["critic_optimizer"] = build_optimizer(critic, steps_per_epoch)
        shared: dict[str, Any] = dict(data_format=model.data_format)
        model.compile(
            optimizer=build_optimizer(self.recipe, steps_per_epoch),
            loss=self.loss,
            metrics=[metrics.L1(**shared), metrics.PSNR(**shared)],
            **settings,
        )

    def batches(self, model: keras.Model, training: bool) -> tuple[Any, data.Pipeline]:
        """As in `Stage`; every validation has the same crops."""
        batches = data.SynthesisDataset(
            self.train_data if training else self.val_data,
            batch_size=self.recipe.batch_size,
            size=self.recipe.crop_size,
            augment=build_augmentation(self.recipe, self.recipe.crop_size) if training else None,
            fixed=not training,
            with_images=self.recipe.encoder is not None,
            seed=self.config.seed,
            workers=self.config.workers,
            data_format=model.data_format,
        )
        return batches, batches

    def network(self, model: keras.Model) -> keras.Model:
        return model.generator if isinstance(model, AdversarialSynthesis) else model

    def kept(self, model: keras.Model) -> keras.Model:
        """The generator alone; with an encoder all networks, so that images can lend their style."""
        return model if getattr(model, "encoder", None) is not None else self.network(model)

    def judge(self, model: keras.Model, checkpoint: Path) -> tuple[metrics.SynthesisScores, None]:
        model = keras.saving.load_model(checkpoint, compile=False)
        batches, _ = self.batches(model, training=False)
        scoring = metrics.SynthesisScoring(data_format=model.data_format)
        for index in range(len(batches)):
            inputs, images = batches[index]
            made = model.predict_on_batch(list(inputs) if isinstance(inputs, tuple) else inputs)
            scoring.update(images, made["image"] if isinstance(made, dict) else made)
        return scoring.scores(), None

    def _network(self, role: str, **shared: Any) -> keras.Model:
        """The network that a field of the recipe describes."""
        described = dict(getattr(self.recipe, role))
        arguments = dict(described)
        try:
            return getattr(models, arguments.pop("name"))(**{**shared, **arguments})
        except TypeError as error:
            raise ValueError(f"`{role}` cannot be built from {described}: {error}") from error
