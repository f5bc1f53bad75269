"""Training of an inpainting network against a critic, with plain `fit`."""

from typing import Any

import keras
from keras import ops

from keras_segpaint.losses import generator_loss, gradient_penalty, hinge_critic_loss, wasserstein_critic_loss
from keras_segpaint.ops.images import composite
from keras_segpaint.training.every_nth_step import EveryNthStep

__all__ = ["AdversarialInpainting"]

CRITIC_LOSSES = {"hinge": hinge_critic_loss, "wasserstein": wasserstein_critic_loss}
TRACKED = ("reconstruction_loss", "adversarial_loss", "critic_loss", "real_score", "fake_score")


@keras.saving.register_keras_serializable(package="keras_segpaint")
class AdversarialInpainting(keras.Model):
    """A generator and the critic it is trained against, as one model for `compile` and `fit`.

    Each step updates both networks at once, from one backward pass: the critic by its loss on real images and on the
    generator's as constants, the generator by the compiled loss of its results plus the critic's judgement of them, in
    which the critic is constant. So neither network's gradient reaches the other, and each is that of a step of its
    own. What is judged is the composite, the known pixels of the image with the generator's holes.

    With `critic_steps=n` the critic learns from each batch, and the generator from each n-th alone: after n steps it and
    its optimizer, with its schedule, are where a single step with the n-th batch takes them. Only the moving statistics
    of batch normalisation see every batch. Each step takes as long as with `critic_steps=1`. The count is saved with the
    optimizer, so that training goes on where it stopped; a step of which mixed precision skips the update does not count.

    `history` has `reconstruction_loss`, `adversarial_loss`, `critic_loss` and the mean judgements `real_score` and
    `fake_score` of each batch, whoever learns from it, beside the metrics given to `compile`; `loss` is the sum
    `reconstruction_loss + adversarial_weight * adversarial_loss + critic_loss` and says little.

    Args:
        generator: An inpainting network with the inputs `[image, mask]`, such as `DeepFillV2(both_stages=True)`. Of a
            network of two stages each result has the compiled loss.
        critic: A network from `[image, mask]`, or from the image alone, to judgements, such as `SNPatchDiscriminator()`.
        adversarial: `"hinge"`, or `"wasserstein"` with gradient penalty inside of the holes. Defaults to `"hinge"`.
        adversarial_weight: Of the critic's judgement in the generator's loss. Defaults to `1.0`.
        penalty_weight: Of the gradient penalty. Defaults to `10.0`.
        critic_steps: Integer >= 1, steps of the critic for one of the generator; 5 in papers with a Wasserstein critic.
            Defaults to `1`.
        seed: Integer, of the random points of the gradient penalty. Defaults to `0`.
        name: String. Defaults to `"adversarial_inpainting"`.

    Call arguments:
        inputs: `[image, mask]`, as the generator takes them; the result is the generator's.

    Batches for `fit`:
        `((images, masks), images, masks)`, as `keras_segpaint.data.InpaintingDataset` gives them.

    Raises:
        ValueError: If an argument is not one of the above.
        RuntimeError: In `compile`, if Keras is older than 3.15, which was the first to train with two optimizers.

    References:
        - [Free-Form Image Inpainting with Gated Convolution](https://arxiv.org/abs/1806.03589), section 3.3.
        - [Generative Image Inpainting with Contextual Attention](https://arxiv.org/abs/1801.07892), section 3.2.

    Example:
        >>> import numpy as np
        >>> from keras_segpaint import losses, models
        >>> settings = dict(data_format="channels_last")
        >>> model = AdversarialInpainting(
        ...     models.PConvUNet(levels=4, base_filters=2, **settings),
        ...     models.SNPatchDiscriminator(base_filters=2, **settings),
        ... )
        >>> model.compile("adam", critic_optimizer="adam", loss=losses.MaskedL1("image", data_format="channels_last"))
        >>> images, masks = np.zeros((2, 32, 32, 3), "float32"), np.ones((2, 32, 32, 1), "float32")
        >>> history = model.fit((images, masks), images, sample_weight=masks, verbose=0).history
        >>> sorted(history)
        ['adversarial_loss', 'critic_loss', 'fake_score', 'loss', 'real_score', 'reconstruction_loss']
    """

    def __init__(
        self,
        generator: keras.Model,
        critic: keras.Model,
        adversarial: str = "hinge",
        adversarial_weight: float = 1.0,
        penalty_weight: float = 10.0,
        critic_steps: int = 1,
        seed: int = 0,
        name: str = "adversarial_inpainting",
        **kwargs: Any,
    ):
        if adversarial not in CRITIC_LOSSES:
            raise ValueError(
                f"`adversarial` must be one of {', '.join(CRITIC_LOSSES)}. Received: adversarial={adversarial!r}"
            )
        for label, weight in (("adversarial_weight", adversarial_weight), ("penalty_weight", penalty_weight)):
            if weight < 0:
                raise ValueError(f"`{label}` must be >= 0. Received: {label}={weight}")
        if not isinstance(critic_steps, int) or critic_steps < 1:
            raise ValueError(f"`critic_steps` must be an integer >= 1. Received: critic_steps={critic_steps!r}")
        # The networks cast for themselves; images and masks stay float32.
        super().__init__(name=name, dtype=generator.dtype_policy, autocast=False, **kwargs)
        self.generator = generator
        self.critic = critic
        self.adversarial = adversarial
        self.adversarial_weight = float(adversarial_weight)
        self.penalty_weight = float(penalty_weight)
        self.critic_steps = critic_steps
        self.seed = int(seed)
        self.data_format = generator.data_format
        self.random = keras.random.SeedGenerator(self.seed)
        self.trackers = [keras.metrics.Mean(name=quantity) for quantity in TRACKED]
        self.built = True

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        return self.generator(list(inputs), training=training)

    def compile(self, optimizer: Any = "adam", critic_optimizer: Any = None, **kwargs: Any) -> None:
        """Configures the training.

        Args:
            optimizer: Of the generator.
            critic_optimizer: Of the critic; `None` for one like `optimizer`.
            **kwargs: As in `keras.Model.compile`: `loss`, of images against results under the mask as sample weight,
                `weighted_metrics`, `jit_compile` and so on. Metrics see the final image.
        """
        if not hasattr(keras.optimizers, "MultiOptimizer"):
            raise RuntimeError(
                "Training against a critic needs Keras 3.15 or newer, for its MultiOptimizer. "
                f"Installed: Keras {keras.__version__}"
            )
        optimizer = keras.optimizers.get(optimizer)
        critic_optimizer = keras.optimizers.get(
            type(optimizer).from_config(optimizer.get_config()) if critic_optimizer is None else critic_optimizer
        )
        critics = {id(variable) for variable in self.critic.trainable_variables}
        slower = optimizer if self.critic_steps == 1 else EveryNthStep(optimizer, self.critic_steps)
        both = keras.optimizers.MultiOptimizer(lambda variable: critic_optimizer if id(variable) in critics else slower)
        super().compile(optimizer=both, **kwargs)
        self._compile_arguments = {"optimizer": optimizer, "critic_optimizer": critic_optimizer, **kwargs}

    def get_compile_config(self) -> dict[str, Any]:
        arguments = getattr(self, "_compile_arguments", {})
        return {name: keras.saving.serialize_keras_object(value) for name, value in arguments.items()}

    def compile_from_config(self, config: dict[str, Any]) -> None:
        self.compile(**{name: keras.saving.deserialize_keras_object(value) for name, value in config.items()})
        self.optimizer.build(self.trainable_variables)

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """The sum of both networks' losses, each with gradients for its own network alone."""
        image, mask = x[0], x[1]
        results = y_pred if isinstance(y_pred, dict) else {"image": y_pred}
        loss = keras.losses.get(self.loss)
        reconstruction = sum(loss(y, result, sample_weight) for result in results.values())
        mask = ops.cast(mask, "float32")
        filled = composite(image, ops.cast(results["image"], "float32"), mask)

        guides = list(x[1:])
        constant = ops.stop_gradient(filled)
        pairs = [ops.concatenate(pair, axis=0) for pair in ((y, constant), *((guide, guide) for guide in guides))]
        real, fake = ops.split(self.critic(self._critic_inputs(*pairs), training=training), 2, axis=0)
        critic_loss = CRITIC_LOSSES[self.adversarial](real, fake)
        if self.adversarial == "wasserstein" and training:
            critic_loss = critic_loss + self.penalty_weight * gradient_penalty(
                lambda images: self.critic(self._critic_inputs(images, *guides), training=False),
                y,
                constant,
                mask,
                seed=self.random,
            )
        adversarial = generator_loss(self._judge(filled, guides))

        quantities = (reconstruction, adversarial, critic_loss, ops.mean(real), ops.mean(fake))
        for tracker, quantity in zip(self.trackers, quantities, strict=True):
            tracker.update_state(ops.stop_gradient(quantity))
        return reconstruction + self.adversarial_weight * adversarial + critic_loss

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, Any]:
        """The metrics of the final image."""
        image = y_pred["image"] if isinstance(y_pred, dict) else y_pred
        return super().compute_metrics(x, y, image, sample_weight)

    def _critic_inputs(self, images: Any, *guides: Any) -> Any:
        return images if len(self.critic.inputs) == 1 else [images, *guides]

    def _judge(self, images: Any, guides: list[Any]) -> Any:
        """The critic's judgements of images, with gradients for the images alone."""
        outputs, _ = self.critic.stateless_call(
            [ops.stop_gradient(variable.value) for variable in self.critic.trainable_variables],
            [variable.value for variable in self.critic.non_trainable_variables],
            self._critic_inputs(images, *guides),
            training=False,
        )
        return outputs

    def predictor(self) -> keras.Model:
        """The generator, with the final image as its only output."""
        return self.generator.predictor()

    def get_config(self) -> dict[str, Any]:
        return {
            "generator": keras.saving.serialize_keras_object(self.generator),
            "critic": keras.saving.serialize_keras_object(self.critic),
            "adversarial": self.adversarial,
            "adversarial_weight": self.adversarial_weight,
            "penalty_weight": self.penalty_weight,
            "critic_steps": self.critic_steps,
            "seed": self.seed,
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "AdversarialInpainting":
        """Builds the model from what `get_config` gave."""
        config = dict(config)
        for network in ("generator", "critic"):
            config[network] = keras.saving.deserialize_keras_object(config[network], custom_objects=custom_objects)
        return cls(**config)
