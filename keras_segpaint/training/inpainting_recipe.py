"""What a paper says about training a network that fills holes."""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from keras_segpaint import models
from keras_segpaint.training.adversarial import AdversarialInpainting
from keras_segpaint.training.recipe import Recipe

__all__ = ["InpaintingRecipe"]

_SMALLEST = 16


@dataclass(frozen=True, kw_only=True)
class InpaintingRecipe(Recipe):
    """How an inpainting network is trained.

    Args:
        masks: The holes: `{"name": a mask generator in keras_segpaint.data, argument: value, ...}`; an argument that is
            a generator is such a mapping too.
        loss: Of the filled image, or of both stages' images: `{"name": a loss in keras_segpaint.losses, argument: value,
            ...}`; the terms of an `ImageLossSum` are such mappings. `features` is `"imagenet"`, which downloads the
            weights of VGG-16 once, the path of a file of them, or `None`, to train without the terms that need them.
        adversarial: `{"name": "hinge" | "wasserstein", ...}`; other keys are arguments of `AdversarialInpainting`.
            `None` to train without a critic.
        critic: `{"name": class in keras_segpaint.models, argument: value, ...}`. With `"labels": True` the critic of a
            network with label maps sees them too; it must have an argument `num_classes`.
        local_critic: Such a mapping too, of the critic that sees the part around the hole, half as high and as wide as the
            training images. `None` for no such critic.
        critic_optimizer: As `optimizer`, for all critics; it has the same schedule.
        fine_tuning: `{"learning_rate": float, "epochs": number, argument of the model: value, ...}`: a second stage that
            goes on from the best epoch of the first. `None` for no such stage.

    The other arguments are those of `Recipe`.

    Raises:
        ValueError: If a number is out of range or a name is unknown.

    Example:
        >>> from keras_segpaint.training import recipes
        >>> recipe = recipes.get("DeepFillV2").with_changes({"adversarial": {"adversarial_weight": 0.1}})
        >>> recipe.adversarial
        {'name': 'hinge', 'adversarial_weight': 0.1}
    """

    task: ClassVar[str] = "inpainting"
    own_arguments: ClassVar[Mapping[str, str]] = {
        "all_scales": "training, which fits all scales",
        "both_stages": "training, which fits both stages",
        "dtype": "`mixed_precision`",
        "input_shape": "the data, photographs of any size",
        "num_classes": "the data",
        "sketch": "the data, which has no sketches",
    }

    masks: Mapping[str, Any]
    loss: Mapping[str, Any]
    adversarial: Mapping[str, Any] | None = None
    critic: Mapping[str, Any] | None = None
    local_critic: Mapping[str, Any] | None = None
    critic_optimizer: Mapping[str, Any] | None = None
    fine_tuning: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        network = getattr(models, self.model)
        multiple, least = network.size_multiple, max(network.smallest_size, _SMALLEST)
        if any(side < least or side % multiple for side in self.crop_size):
            raise ValueError(
                f"{self.model} is trained on images whose height and width are at least {least} and multiples of "
                f"{multiple}. Received: {self.crop_size[0]} x {self.crop_size[1]}"
            )
        if self.adversarial is None:
            return
        if self.critic is None or self.critic_optimizer is None:
            raise ValueError("`adversarial` needs a `critic` and a `critic_optimizer`, or must be None.")
        allowed = set(inspect.signature(AdversarialInpainting).parameters) - {
            "generator",
            "critic",
            "local_critic",
            "adversarial",
            "kwargs",
            "name",
            "seed",
        }
        unknown = set(self.adversarial) - allowed - {"name"}
        if "name" not in self.adversarial or unknown:
            raise ValueError(
                f"`adversarial` must have a name, and may have {', '.join(sorted(allowed))}. "
                f"Received: {dict(self.adversarial)}"
            )

    def trains_in_two_stages(self, arguments: Mapping[str, Any]) -> bool:
        return self.fine_tuning is not None

    def stretched(self, factor: float) -> dict[str, Any]:
        changes = super().stretched(factor)
        if self.fine_tuning is not None:
            epochs = max(round(self.fine_tuning["epochs"] * factor), 1)
            changes["fine_tuning"] = {**self.fine_tuning, "epochs": epochs}
        return changes
