"""Training of a network that makes images from label maps against a critic, with plain `fit`."""

from collections.abc import Callable
from functools import partial
from typing import Any

import keras
from keras import ops

from keras_segpaint import losses
from keras_segpaint.ops.named_losses import as_loss
from keras_segpaint.training.adversarial_model import AdversarialModel, check_weights

__all__ = ["AdversarialSynthesis"]

# Of real and made images' scores, and of made images' scores alone.
ADVERSARIAL: dict[str, tuple[Callable[[Any, Any], Any], Callable[[Any], Any]]] = {
    "hinge": (partial(losses.hinge_critic_loss, weight=1.0), losses.generator_loss),
    "least_squares": (partial(losses.least_squares_critic_loss, weight=0.5), losses.least_squares_generator_loss),
}
TRACKED = (
    "reconstruction_loss",
    "adversarial_loss",
    "feature_matching_loss",
    "critic_loss",
    "real_score",
    "fake_score",
)


@keras.saving.register_keras_serializable(package="keras_segpaint")
class AdversarialSynthesis(AdversarialModel):
    """A generator of images from label maps, the critic it is trained against, and an encoder of their style.

    Each step updates all networks at once, from one backward pass: the critic by its loss on real and made images, which go
    through it in one batch; the generator, with the encoder if there is one, by the compiled loss of its images, the
    critic's judgement of them, and how much what the critic's layers make of them differs from what they make of real ones.
    No network's gradient reaches what another one is to learn, so each is that of a step of its own.

    With an encoder the generator is half of a variational auto-encoder: the encoder gives mean and logarithm of the variance of
    a code of the real image, and the generator takes a code drawn from there, `mean + noise * exp(0.5 * log_variance)`. While
    training only; otherwise it takes the mean. Their divergence from the standard normal distribution is part of the loss, so
    that later codes can be drawn from that.

    `history` has `reconstruction_loss` (the compiled loss), `adversarial_loss`, `feature_matching_loss`, `critic_loss` and the
    mean judgements `real_score` and `fake_score`, with an encoder `divergence`, all before their weights, beside the
    metrics given to `compile`. `loss` is the weighted sum of all and says little.

    Args:
        generator: A network from label maps, or with an encoder from `[labels, codes]`, to images in [-1, 1], such as
            `SPADEGenerator`. Further maps, such as edges, may follow the labels.
        critic: A network from `[image, labels]`, and further maps, to what its layers give, the scores last, or a list of such
            for several scales, such as `MultiscaleDiscriminator`.
        encoder: A network from images to a dictionary of `"mean"` and `"log_variance"` of their codes, such as
            `SPADEEncoder`. Defaults to `None`.
        adversarial: `"hinge"` (SPADE) or `"least_squares"` (pix2pixHD). Defaults to `"hinge"`.
        adversarial_weight: Of the critic's judgement in the generator's loss. Defaults to `1.0`.
        feature_matching_weight: Of the feature matching; `0` leaves it out. Defaults to `10.0`.
        reconstruction_weight: Of the compiled loss. Defaults to `10.0`, that of the perceptual loss in the papers.
        divergence_weight: Of the divergence, which is a sum over the batch. Defaults to `0.05`.
        critic_steps: Integer >= 1, steps of the critic for one of the others, as in `AdversarialInpainting`. Defaults to `1`.
        seed: Integer, of the noise of the codes. Defaults to `0`.
        name: String. Defaults to `"adversarial_synthesis"`.

    Call arguments:
        inputs: Labels, or `(labels, edges)`; with an encoder the images behind them, `(labels, images)`. The result is the
            image; with an encoder a dictionary of `"image"`, `"mean"` and `"log_variance"`.

    Batches for `fit`:
        `(labels, images)`, with an encoder `((labels, images), images)`, as `keras_segpaint.data.SynthesisDataset` gives them.

    Raises:
        ValueError: If an argument is not one of the above.
        RuntimeError: In `compile`, if Keras is older than 3.15, which was the first to train with two optimizers.

    References:
        - [Semantic Image Synthesis with Spatially-Adaptive Normalization](https://arxiv.org/abs/1903.07291)
        - [High-Resolution Image Synthesis and Semantic Manipulation with Conditional GANs](https://arxiv.org/abs/1711.11585)

    Example:
        >>> import numpy as np
        >>> from keras_segpaint import models
        >>> last = dict(data_format="channels_last")
        >>> model = AdversarialSynthesis(
        ...     models.Pix2PixHDGenerator(3, downsampling=1, blocks=1, base_filters=2, **last),
        ...     models.MultiscaleDiscriminator(3, num_layers=2, base_filters=2, **last),
        ... )
        >>> model.compile(keras.optimizers.Adam(1e-4, 0.0, 0.9), critic_optimizer=keras.optimizers.Adam(4e-4, 0.0, 0.9))
        >>> labels, images = np.zeros((2, 32, 32), "int32"), np.zeros((2, 32, 32, 3), "float32")
        >>> sorted(model.fit(labels, images, verbose=0).history)[:4]
        ['adversarial_loss', 'critic_loss', 'fake_score', 'feature_matching_loss']
    """

    networks = ("generator", "critic", "encoder")

    def __init__(
        self,
        generator: keras.Model,
        critic: keras.Model,
        encoder: keras.Model | None = None,
        adversarial: str = "hinge",
        adversarial_weight: float = 1.0,
        feature_matching_weight: float = 10.0,
        reconstruction_weight: float = 10.0,
        divergence_weight: float = 0.05,
        critic_steps: int = 1,
        seed: int = 0,
        name: str = "adversarial_synthesis",
        **kwargs: Any,
    ):
        if adversarial not in ADVERSARIAL:
            raise ValueError(
                f"`adversarial` must be one of {', '.join(ADVERSARIAL)}. Received: adversarial={adversarial!r}"
            )
        weights = dict(
            adversarial_weight=adversarial_weight,
            feature_matching_weight=feature_matching_weight,
            reconstruction_weight=reconstruction_weight,
            divergence_weight=divergence_weight,
        )
        check_weights(**weights)
        wanted = len(critic.inputs) - 1 + (encoder is not None)
        if len(generator.inputs) != wanted:
            raise ValueError(
                "`generator` must take what `critic` takes beside the image, and codes if and only if there is an `encoder`. "
                f"Received: a generator of {len(generator.inputs)} inputs, a critic of {len(critic.inputs)}, "
                f"encoder={None if encoder is None else encoder.name}"
            )
        names = TRACKED if encoder is None else (*TRACKED, "divergence")
        super().__init__(generator, names, critic_steps, seed, name, **kwargs)
        self.critic = critic
        self.encoder = encoder
        self.adversarial = adversarial
        self.loss_weights_by_name = {name: float(weight) for name, weight in weights.items()}

    def critics(self) -> list[keras.Model]:
        return [self.critic]

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        if self.encoder is None:
            return self.generator(inputs, training=training)
        if not isinstance(inputs, list | tuple) or len(inputs) != len(self.generator.inputs):
            raise ValueError(
                "With an `encoder` the inputs must be (labels, images), in `fit` batches ((labels, images), images). "
                f"Received: {type(inputs).__name__}"
            )
        *guides, images = inputs
        style = self.encoder(images, training=training)
        mean, log_variance = (ops.cast(style[name], "float32") for name in ("mean", "log_variance"))
        codes = mean
        if training:
            codes = mean + keras.random.normal(ops.shape(mean), seed=self.random) * ops.exp(0.5 * log_variance)
        image = self.generator([*guides, codes], training=training)
        return {"image": image, "mean": mean, "log_variance": log_variance}

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """The sum of all networks' losses, each with gradients for its own network alone."""
        guides = list(x) if isinstance(x, list | tuple) else [x]
        if self.encoder is not None:
            guides = guides[:-1]
        made = ops.cast(_image(y_pred), "float32")
        real = ops.cast(y, "float32")
        of_critic, of_generator = ADVERSARIAL[self.adversarial]
        weights = self.loss_weights_by_name

        reconstruction = ops.zeros(()) if self.loss is None else as_loss(self.loss)(real, made, sample_weight)
        both = ops.concatenate([real, ops.stop_gradient(made)], axis=0)
        doubled = [ops.concatenate([guide, guide], axis=0) for guide in guides]
        judged = _maps(self.critic([both, *doubled], training=training))
        of_real, of_made = zip(*(ops.split(maps[-1], 2, axis=0) for maps in judged), strict=True)
        critic_loss = of_critic(of_real, of_made)

        seen = _maps(self.as_constant(self.critic, [made, *guides]))
        adversarial = of_generator([maps[-1] for maps in seen])
        matching = ops.zeros(())
        if weights["feature_matching_weight"]:
            # Judged as the made ones are, which batch statistics of both together would keep from being so.
            matching = losses.feature_matching_loss(_maps(self.critic([real, *guides], training=False)), seen)

        quantities = [reconstruction, adversarial, matching, critic_loss, _mean(of_real), _mean(of_made)]
        total = (
            weights["reconstruction_weight"] * reconstruction
            + weights["adversarial_weight"] * adversarial
            + weights["feature_matching_weight"] * matching
            + critic_loss
        )
        if self.encoder is not None:
            divergence = losses.gaussian_divergence(y_pred["mean"], y_pred["log_variance"])
            quantities.append(divergence)
            total = total + weights["divergence_weight"] * divergence
        self.track(*quantities)
        return total

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, Any]:
        """The metrics of the image."""
        return super().compute_metrics(x, y, _image(y_pred), sample_weight)

    def predictor(self) -> keras.Model:
        """The generator."""
        return self.generator

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "adversarial": self.adversarial, **self.loss_weights_by_name}


def _image(y_pred: Any) -> Any:
    return y_pred["image"] if isinstance(y_pred, dict) else y_pred


def _maps(outputs: Any) -> list[list[Any]]:
    """What the layers of each critic give, whatever a network calls its outputs: a map, several, or several lists."""
    outputs = list(outputs) if isinstance(outputs, list | tuple) else [outputs]
    if isinstance(outputs[0], list | tuple):
        return [list(maps) for maps in outputs]
    return [outputs]


def _mean(scores: Any) -> Any:
    means = [ops.mean(ops.cast(one, "float32")) for one in scores]
    return sum(means[1:], start=means[0]) / len(means)
