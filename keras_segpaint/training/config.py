"""What one training run is: the model, the data and how the recipe is changed."""

import inspect
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from keras_segpaint import models
from keras_segpaint.training import recipes
from keras_segpaint.training.recipe import Recipe

__all__ = ["TrainConfig"]

PRECISIONS = ("float32", "mixed_float16", "mixed_bfloat16")


@dataclass(frozen=True)
class TrainConfig:
    """The settings of a run; stored as `config.json` in its folder.

    Args:
        model: Class name in `keras_segpaint.models`, of a network with a recipe.
        data: What `keras_segpaint.data.load_dataset` takes, for inpainting what `load_photographs` takes. Not needed where
            the data sets themselves are given.
        size: `(height, width)` that images are resized to. Defaults to the recipe's `crop_size`.
        epochs: Defaults to the recipe's.
        batch_size: Defaults to the recipe's.
        seed: Integer >= 0. One seed, one result. Defaults to `0`.
        mixed_precision: `"float32"`, `"mixed_float16"` or `"mixed_bfloat16"`. Defaults to `"float32"`.
        two_stage: Boolean, train in the two stages of the paper. ENet: the encoder alone first, on labels at an eighth of
            the size, then the whole network from its weights. PConvUNet: the network, then once more with the encoder's
            normalisation frozen. Defaults to `False`.
        model_args: Further arguments of the model's class.
        recipe: Changes to the recipe, as `Recipe.with_changes` takes them: `{"optimizer": {"learning_rate": 1e-3}}`.
        workers: Threads that prepare batches. Defaults to `2`.
        val_data: Images to validate on, as `data`; all of those in `data` are then trained on. `None` for a part of
            `data`.
        styles: The pictures whose styles a `StyleTransfer` learns, as `data`; a tenth of them is validated on. Others have no
            use for it.
        initial_weights: A `.keras` file whose layers give their weights to the layers of the same names and shapes, at
            the start: to go on at another size, or with other classes. `None` to start anew.

    Raises:
        ValueError: If an argument is not one of the above.

    Example:
        >>> config = TrainConfig("ENet", "brain", size=(96, 96), epochs=30, recipe={"schedule": {"name": "poly"}})
        >>> recipe = config.resolve()
        >>> recipe.epochs, recipe.crop_size, recipe.schedule["name"], recipe.batch_size
        (30, (96, 96), 'poly', 10)
    """

    model: str
    data: str = ""
    size: tuple[int, int] | None = None
    epochs: int | None = None
    batch_size: int | None = None
    seed: int = 0
    mixed_precision: str = "float32"
    two_stage: bool = False
    model_args: Mapping[str, Any] = field(default_factory=dict)
    recipe: Mapping[str, Any] = field(default_factory=dict)
    workers: int = 2
    val_data: str | None = None
    styles: str | None = None
    initial_weights: str | None = None

    def __post_init__(self) -> None:
        if self.model not in recipes.RECIPES:
            raise ValueError(f"`model` must be one of: {recipes.choices()}. Received: model={self.model!r}")
        if self.mixed_precision not in PRECISIONS:
            raise ValueError(
                f"`mixed_precision` must be one of {', '.join(PRECISIONS)}. "
                f"Received: mixed_precision={self.mixed_precision!r}"
            )
        if self.size is not None:
            object.__setattr__(self, "size", tuple(self.size))
        allowed = inspect.signature(getattr(models, self.model)).parameters
        own = recipes.get(self.model).own_arguments
        for name in self.model_args:
            if name in own:
                raise ValueError(f"`model_args` must not hold `{name}`: it follows from {own[name]}.")
            if name not in allowed:
                choices = ", ".join(sorted(set(allowed) - set(own) - {"name"}))
                raise ValueError(f"{self.model} has no argument `{name}`. It has: {choices}")
        if self.two_stage and not self.resolve().trains_in_two_stages(allowed):
            raise ValueError(
                f"`two_stage=True` needs a model with an encoder stage, such as ENet, or PConvUNet. Received: {self.model}"
            )
        self.resolve()

    def resolve(self) -> Recipe:
        """The recipe of the model with the changes of this run."""
        changes = dict(self.recipe)
        for key, value in (("epochs", self.epochs), ("batch_size", self.batch_size), ("crop_size", self.size)):
            if value is not None:
                changes[key] = value
        return recipes.get(self.model).with_changes(changes)

    def to_dict(self) -> dict[str, Any]:
        """The settings as values that JSON can hold."""
        return asdict(self)

    @classmethod
    def from_dict(cls, settings: Mapping[str, Any]) -> "TrainConfig":
        """The settings that `to_dict` gave.

        Raises:
            ValueError: If a key is not a setting.
        """
        names = [f.name for f in fields(cls)]
        unknown = sorted(set(settings) - set(names))
        if unknown:
            raise ValueError(f"A run has no setting {', '.join(unknown)}. It has: {', '.join(names)}")
        return cls(**settings)
