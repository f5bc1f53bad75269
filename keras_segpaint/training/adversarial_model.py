"""What training against a critic has in common, whatever the generator makes."""

from collections.abc import Sequence
from typing import Any, ClassVar, Self

import keras
from keras import ops

from keras_segpaint.training.every_nth_step import EveryNthStep

__all__ = ["AdversarialModel"]


class AdversarialModel(keras.Model):
    """A generator and its critics as one model for `compile` and `fit`.

    A subclass gives the sum of both sides' losses in one `compute_loss`, in which each network's part is constant for the
    other: `stop_gradient` of made images for the critics, `as_constant` of a critic for the generator. So one backward pass
    has the gradients of a step of each, and each has an optimizer of its own.

    Args:
        generator: The network that makes images.
        tracked: Names of the quantities in `history`, in the order in which `track` takes them.
        critic_steps: Integer >= 1, steps of the critics for one of the generator.
        seed: Integer, of what the training draws.
        name: String.

    Attributes:
        networks: The attributes that hold networks, which `get_config` describes.
    """

    networks: ClassVar[tuple[str, ...]] = ("generator", "critic")

    def __init__(
        self, generator: keras.Model, tracked: Sequence[str], critic_steps: int, seed: int, name: str, **kwargs: Any
    ):
        if not isinstance(critic_steps, int) or critic_steps < 1:
            raise ValueError(f"`critic_steps` must be an integer >= 1. Received: critic_steps={critic_steps!r}")
        # The networks cast for themselves; images and masks stay float32.
        super().__init__(name=name, dtype=generator.dtype_policy, autocast=False, **kwargs)
        self.generator = generator
        self.critic_steps = critic_steps
        self.seed = int(seed)
        self.data_format = getattr(generator, "data_format", keras.config.image_data_format())
        self.random = keras.random.SeedGenerator(self.seed)
        self.trackers = [keras.metrics.Mean(name=quantity) for quantity in tracked]
        self.built = True

    def critics(self) -> list[keras.Model]:
        """The networks that the critic's optimizer changes; those of all others are the generator's."""
        raise NotImplementedError

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        return self.generator(list(inputs), training=training)

    def compile(self, optimizer: Any = "adam", critic_optimizer: Any = None, **kwargs: Any) -> None:
        """Configures the training.

        Args:
            optimizer: Of the generator.
            critic_optimizer: Of the critic, or of all critics; `None` for one like `optimizer`.
            **kwargs: As in `keras.Model.compile`: `loss`, of true images against results, `metrics`, `weighted_metrics`,
                `jit_compile` and so on. Metrics see the final image.
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
        judging = {id(variable) for critic in self.critics() for variable in critic.trainable_variables}
        slower = optimizer if self.critic_steps == 1 else EveryNthStep(optimizer, self.critic_steps)
        both = keras.optimizers.MultiOptimizer(lambda variable: critic_optimizer if id(variable) in judging else slower)
        super().compile(optimizer=both, **kwargs)
        self._compile_arguments = {"optimizer": optimizer, "critic_optimizer": critic_optimizer, **kwargs}

    def get_compile_config(self) -> dict[str, Any]:
        arguments = getattr(self, "_compile_arguments", {})
        return {name: keras.saving.serialize_keras_object(value) for name, value in arguments.items()}

    def compile_from_config(self, config: dict[str, Any]) -> None:
        self.compile(**{name: keras.saving.deserialize_keras_object(value) for name, value in config.items()})
        self.optimizer.build(self.trainable_variables)

    def track(self, *quantities: Any) -> None:
        """Adds the quantities of a batch to those that `history` has the means of."""
        for tracker, quantity in zip(self.trackers, quantities, strict=True):
            tracker.update_state(ops.stop_gradient(quantity))

    def as_constant(self, critic: keras.Model, inputs: Any) -> Any:
        """What a critic gives, as it is in inference, with gradients for its inputs alone."""
        outputs, _ = critic.stateless_call(
            [ops.stop_gradient(variable.value) for variable in critic.trainable_variables],
            [variable.value for variable in critic.non_trainable_variables],
            inputs,
            training=False,
        )
        return outputs

    def predictor(self) -> keras.Model:
        """The generator, with the final image as its only output."""
        return self.generator.predictor()

    def get_config(self) -> dict[str, Any]:
        networks = {name: keras.saving.serialize_keras_object(getattr(self, name)) for name in self.networks}
        return {**networks, "critic_steps": self.critic_steps, "seed": self.seed, "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Self:
        """Builds the model from what `get_config` gave."""
        config = dict(config)
        for name in cls.networks:
            config[name] = keras.saving.deserialize_keras_object(config.get(name), custom_objects=custom_objects)
        return cls(**config)


def check_weights(**weights: float) -> None:
    """Raises `ValueError` for a weight of a loss below 0."""
    for name, weight in weights.items():
        if weight < 0:
            raise ValueError(f"`{name}` must be >= 0. Received: {name}={weight}")
