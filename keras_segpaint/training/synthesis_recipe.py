"""What a paper says about training a network that makes images from label maps."""

import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from keras_segpaint import models
from keras_segpaint.training.adversarial_synthesis import AdversarialSynthesis
from keras_segpaint.training.recipe import Recipe

__all__ = ["SynthesisRecipe"]

_OWN = {"generator", "critic", "encoder", "adversarial", "kwargs", "name", "seed"}


@dataclass(frozen=True, kw_only=True)
class SynthesisRecipe(Recipe):
    """How a network that makes images from label maps is trained.

    Args:
        loss: Of made images against real ones: `{"name": a loss in keras_segpaint.losses, argument: value, ...}`. `features`
            is `"imagenet"`, which downloads the weights of VGG-19 once, the path of a file of them, or `None`, to train
            against the critic alone. `None` for no such loss.
        adversarial: `{"name": "hinge" | "least_squares", ...}`; other keys are arguments of `AdversarialSynthesis`. `None` to
            train without a critic.
        critic: `{"name": class in keras_segpaint.models, argument: value, ...}`.
        encoder: Such a mapping too, of the network that gives codes of images' styles. `None` for none.
        critic_optimizer: As `optimizer`, for the critic; it has the same schedule.

    The other arguments are those of `Recipe`.

    Raises:
        ValueError: If a number is out of range or a name is unknown.

    Example:
        >>> from keras_segpaint.training import recipes
        >>> recipe = recipes.get("SPADEGenerator").with_changes({"adversarial": {"feature_matching_weight": 5.0}})
        >>> recipe.adversarial["feature_matching_weight"], recipe.critic_optimizer["learning_rate"]
        (5.0, 0.0004)
    """

    task: ClassVar[str] = "synthesis"
    own_arguments: ClassVar[Mapping[str, str]] = {
        "num_labels": "the data",
        "ignore_class": "the data",
        "dtype": "`mixed_precision`",
        "input_shape": "the data",
        "edges": "the data, which has no instances",
        "latent_dim": "`encoder`",
    }

    loss: Mapping[str, Any] | None
    adversarial: Mapping[str, Any] | None = None
    critic: Mapping[str, Any] | None = None
    encoder: Mapping[str, Any] | None = None
    critic_optimizer: Mapping[str, Any] | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.adversarial is None:
            if self.loss is None or ("features" in self.loss and self.loss["features"] is None):
                raise ValueError("Without `adversarial` a network learns by its `loss` alone: it must not be None.")
            if self.encoder is not None:
                raise ValueError("An `encoder` is trained with a critic: give `adversarial`, or encoder=None.")
            return
        if self.encoder is not None and "latent_dim" not in inspect.signature(getattr(models, self.model)).parameters:
            raise ValueError(f"{self.model} takes no codes of styles: `encoder` must be None.")
        if self.critic is None or self.critic_optimizer is None:
            raise ValueError("`adversarial` needs a `critic` and a `critic_optimizer`, or must be None.")
        for role in ("critic", "encoder"):
            described = getattr(self, role)
            if described is not None and described.get("name") not in models.synthesis.__all__:
                raise ValueError(
                    f"`{role}` must name one of {', '.join(models.synthesis.__all__)}. Received: {dict(described)}"
                )
        allowed = set(inspect.signature(AdversarialSynthesis).parameters) - _OWN
        if "name" not in self.adversarial or set(self.adversarial) - allowed - {"name"}:
            raise ValueError(
                f"`adversarial` must have a name, and may have {', '.join(sorted(allowed))}. "
                f"Received: {dict(self.adversarial)}"
            )

    def trains_in_two_stages(self, arguments: Mapping[str, Any]) -> bool:
        return False
