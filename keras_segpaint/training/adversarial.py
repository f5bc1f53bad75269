"""Training of an inpainting network against a critic, with plain `fit`."""

from typing import Any

import keras
from keras import ops

from keras_segpaint.losses import generator_loss, gradient_penalty, hinge_critic_loss, wasserstein_critic_loss
from keras_segpaint.ops.hole_crops import crop_at, hole_corners
from keras_segpaint.ops.images import composite
from keras_segpaint.ops.named_losses import as_loss
from keras_segpaint.ops.spatial import static_spatial_size
from keras_segpaint.training.adversarial_model import AdversarialModel, check_weights

__all__ = ["AdversarialInpainting"]

CRITIC_LOSSES = {"hinge": hinge_critic_loss, "wasserstein": wasserstein_critic_loss}
TRACKED = ("reconstruction_loss", "adversarial_loss", "critic_loss", "real_score", "fake_score")
TRACKED_LOCALLY = ("local_real_score", "local_fake_score")


@keras.saving.register_keras_serializable(package="keras_segpaint")
class AdversarialInpainting(AdversarialModel):
    """A generator and the critic it is trained against, as one model for `compile` and `fit`.

    Each step updates both networks at once, from one backward pass: the critic by its loss on real images and on the
    generator's as constants, the generator by the compiled loss of its results plus the critic's judgement of them, in
    which the critic is constant. So neither network's gradient reaches the other, and each is that of a step of its
    own. What is judged is the composite, the known pixels of the image with the generator's holes.

    With `critic_steps=n` the critic learns from each batch, and the generator from each n-th alone: after n steps it and
    its optimizer, with its schedule, are where a single step with the n-th batch takes them. Only the moving statistics
    of batch normalisation see every batch. Each step takes as long as with `critic_steps=1`. The count is saved with the
    optimizer, so that training goes on where it stopped; a step of which mixed precision skips the update does not count.

    A `local_critic` judges what lies around the hole, as in DeepFill v1: a window of the size of its input, centred at the
    bounding box of the hole and moved to within the image, for each image its own. The losses of both critics, gradient
    penalties and all, are added up with the same weight.

    `history` has `reconstruction_loss`, `adversarial_loss`, `critic_loss` and the mean judgements `real_score` and
    `fake_score` of each batch, whoever learns from it, beside the metrics given to `compile`; with a local critic
    also its `local_real_score` and `local_fake_score`, and the losses are those of both. `loss` is the sum
    `reconstruction_loss + adversarial_weight * adversarial_loss + critic_loss` and says little.

    Args:
        generator: An inpainting network with the inputs `[image, mask]`, such as `DeepFillV2(both_stages=True)`. Of a
            network of two stages each result has the compiled loss.
        critic: A network from `[image, mask]`, from the image alone, or from `[image, mask, labels]` to judgements, such as
            `SNPatchDiscriminator()`: by its number of inputs it sees the guides of the generator or does not.
        adversarial: `"hinge"`, or `"wasserstein"` with gradient penalty inside of the holes. Defaults to `"hinge"`.
        adversarial_weight: Of the critic's judgement in the generator's loss. Defaults to `1.0`.
        penalty_weight: Of the gradient penalty. Defaults to `10.0`.
        critic_steps: Integer >= 1, steps of the critic for one of the generator; 5 in papers with a Wasserstein critic.
            Defaults to `1`.
        local_critic: A second critic, of the part around the hole, such as `DeepFillV1Critic("local")`; its size must be
            known and at most that of the images. Defaults to `None`.
        seed: Integer, of the random points of the gradient penalty. Defaults to `0`.
        name: String. Defaults to `"adversarial_inpainting"`.

    Call arguments:
        inputs: `[image, mask]`, as the generator takes them; the result is the generator's.

    Batches for `fit`:
        `((images, masks), images, masks)`, as `keras_segpaint.data.InpaintingDataset` gives them; or with label maps, as
        `GuidedInpaintingDataset` gives them.

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

    networks = ("generator", "critic", "local_critic")

    def __init__(
        self,
        generator: keras.Model,
        critic: keras.Model,
        adversarial: str = "hinge",
        adversarial_weight: float = 1.0,
        penalty_weight: float = 10.0,
        critic_steps: int = 1,
        local_critic: keras.Model | None = None,
        seed: int = 0,
        name: str = "adversarial_inpainting",
        **kwargs: Any,
    ):
        if adversarial not in CRITIC_LOSSES:
            raise ValueError(
                f"`adversarial` must be one of {', '.join(CRITIC_LOSSES)}. Received: adversarial={adversarial!r}"
            )
        check_weights(adversarial_weight=adversarial_weight, penalty_weight=penalty_weight)
        window: Any = None
        if local_critic is not None:
            window = static_spatial_size(tuple(local_critic.inputs[0].shape), generator.data_format)
            if None in window:
                raise ValueError(
                    f"`local_critic` must have an input of known size. Received: an input of size {window}"
                )
        names = TRACKED if local_critic is None else TRACKED + TRACKED_LOCALLY
        super().__init__(generator, names, critic_steps, seed, name, **kwargs)
        self.critic = critic
        self.local_critic = local_critic
        self.window = window
        self.adversarial = adversarial
        self.adversarial_weight = float(adversarial_weight)
        self.penalty_weight = float(penalty_weight)

    def critics(self) -> list[keras.Model]:
        return [self.critic] if self.local_critic is None else [self.critic, self.local_critic]

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """The sum of both networks' losses, each with gradients for its own network alone."""
        image, mask = x[0], x[1]
        results = y_pred if isinstance(y_pred, dict) else {"image": y_pred}
        reconstruction = self._reconstruction(y, y_pred, sample_weight)
        mask = ops.cast(mask, "float32")
        filled = composite(image, ops.cast(results["image"], "float32"), mask)

        guides = list(x[1:])
        if isinstance(y, dict):
            guides.append(y["labels"])
            y = y["image"]
        judged = [self._judge(self.critic, y, filled, mask, guides, training)]
        if self.local_critic is not None:
            judged.append(self._judge(self.local_critic, *self._around_hole(y, filled, mask, guides), training))
        adversarial, critic_loss = (sum(losses) for losses in zip(*(losses for losses, _ in judged), strict=True))

        self.track(reconstruction, adversarial, critic_loss, *(score for _, scores in judged for score in scores))
        return reconstruction + self.adversarial_weight * adversarial + critic_loss

    def compute_metrics(self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None) -> dict[str, Any]:
        """The metrics of the final image."""
        image = y_pred["image"] if isinstance(y_pred, dict) else y_pred
        y = y["image"] if isinstance(y, dict) else y
        return super().compute_metrics(x, y, image, sample_weight)

    def _reconstruction(self, y: Any, y_pred: Any, mask: Any) -> Any:
        """The compiled loss of all that the generator gives."""
        loss = as_loss(self.loss)
        if hasattr(self.generator, "reconstruction_loss"):
            return self.generator.reconstruction_loss(loss, y, y_pred, mask)
        results = y_pred if isinstance(y_pred, dict) else {"image": y_pred}
        return sum(loss(y, result, mask) for result in results.values())

    def _around_hole(self, real: Any, fake: Any, mask: Any, guides: list[Any]) -> tuple[Any, Any, Any, list[Any]]:
        """The arguments of `_judge`, as the local critic sees them."""
        size = static_spatial_size(tuple(mask.shape), self.data_format)
        if any(have is not None and have < want for have, want in zip(size, self.window, strict=True)):
            raise ValueError(
                f"Images must be at least as large as the input of `local_critic`, {self.window}. Received: size {size}"
            )
        corners = hole_corners(mask, self.window, self.data_format)
        real, fake, mask, *guides = (
            crop_at(maps, corners, self.window, self.data_format) for maps in (real, fake, mask, *guides)
        )
        return real, fake, mask, guides

    def _judge(
        self, critic: keras.Model, real: Any, fake: Any, mask: Any, guides: list[Any], training: bool
    ) -> tuple[tuple[Any, Any], tuple[Any, Any]]:
        """The generator's and the critic's losses by one critic, and its mean judgements of real and fake images.

        The first loss has gradients for the fake images alone, the second for the critic alone.
        """

        def inputs(images: Any, guides: list[Any]) -> Any:
            count = len(critic.inputs)
            return images if count == 1 else [images, *guides[: count - 1]]

        constant = ops.stop_gradient(fake)
        both, *doubled = (
            ops.concatenate(pair, axis=0) for pair in ((real, constant), *((guide, guide) for guide in guides))
        )
        real_scores, fake_scores = ops.split(critic(inputs(both, doubled), training=training), 2, axis=0)
        critic_loss = CRITIC_LOSSES[self.adversarial](real_scores, fake_scores)
        if self.adversarial == "wasserstein" and training:
            critic_loss = critic_loss + self.penalty_weight * gradient_penalty(
                lambda images: critic(inputs(images, guides), training=False), real, constant, mask, seed=self.random
            )
        scores = self.as_constant(critic, inputs(fake, guides))
        return (generator_loss(scores), critic_loss), (ops.mean(real_scores), ops.mean(fake_scores))

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "adversarial": self.adversarial,
            "adversarial_weight": self.adversarial_weight,
            "penalty_weight": self.penalty_weight,
        }
