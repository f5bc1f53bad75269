"""What a paper says about training its network, as plain data."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, ClassVar, Self

__all__ = ["Recipe"]

# Said of numbers in `sources`.
REPORTED = "Reported, not checked against the paper"
CHOSEN = "Chosen here"


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """How a network is trained; holds numbers and names only, so that it can be printed, stored and changed.

    This is what the recipes of all tasks have; `SegmentationRecipe`, `InpaintingRecipe` and
    `SynthesisRecipe` add to it.

    Args:
        model: Class name in `keras_segpaint.models`.
        paper: The publication, one line.
        optimizer: `{"name": "sgd" | "adam" | "rmsprop", "learning_rate": float, ...}`; other keys are arguments of
            the Keras optimizer.
        schedule: How the learning rate changes: `{"name": "constant"}`, `{"name": "poly", "power": 0.9}`,
            `{"name": "linear", "epochs": 100}` (constant for so many epochs, then evenly down to 0) or
            `{"name": "step", "factor": 0.1, "epochs": 100}`. A run of more or fewer than `epochs` epochs stretches
            the steps with it.
        epochs: Integer >= 1.
        batch_size: Integer >= 1.
        crop_size: `(height, width)` of the training images.
        augmentation: One mapping per augmentation, `{"name": class in keras_segpaint.data, argument: value, ...}`; a
            `RandomCrop` or `RandomResizedCrop` without `size` takes the size of the training images.
        sources: Where each number comes from, by field name.

    Attributes:
        task: What the network does.
        own_arguments: Arguments of the model that a run sets, and from what they follow.

    Raises:
        ValueError: If a number is out of range or a name is unknown.
    """

    task: ClassVar[str] = ""
    own_arguments: ClassVar[Mapping[str, str]] = {}

    model: str
    paper: str
    optimizer: Mapping[str, Any]
    schedule: Mapping[str, Any]
    epochs: int
    batch_size: int
    crop_size: tuple[int, int]
    augmentation: tuple[Mapping[str, Any], ...] = ()
    sources: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.check_least(epochs=1, batch_size=1)

    def check_least(self, **bounds: float) -> None:
        """Raises `ValueError` unless each field named is a number that reaches its bound."""
        for name, least in bounds.items():
            value = getattr(self, name)
            if not isinstance(value, int | float) or value < least:
                raise ValueError(f"`{name}` must be a number >= {least}. Received: {name}={value!r}")

    def trains_in_two_stages(self, arguments: Mapping[str, Any]) -> bool:
        """Whether there is a stage to train before the whole network.

        Args:
            arguments: The arguments of the model's class, by name.
        """
        raise NotImplementedError

    def stretched(self, factor: float) -> dict[str, Any]:
        """The fields that a run of `factor` times as many epochs changes, other than `epochs`."""
        if "epochs" in self.schedule:
            return {"schedule": {**self.schedule, "epochs": self.schedule["epochs"] * factor}}
        return {}

    def with_changes(self, changes: Mapping[str, Any]) -> Self:
        """A recipe with some fields changed.

        A field that is a mapping, such as `optimizer`, is merged key by key unless its `name` changes.
        Changing `epochs` alone stretches the rest: a run of 30 epochs of a recipe for 300 takes the steps of its
        schedule every 10 epochs, not every 100.

        Raises:
            ValueError: If a key is not a field.
        """
        names = [f.name for f in fields(self) if f.name not in ("model", "paper", "sources")]
        unknown = sorted(set(changes) - set(names))
        if unknown:
            raise ValueError(f"A recipe has no {', '.join(unknown)}. It has: {', '.join(names)}")
        merged = {key: self._merged(key, value) for key, value in changes.items()}
        for key, value in self.stretched(merged.get("epochs", self.epochs) / self.epochs).items():
            merged.setdefault(key, value)
        return replace(self, **merged)

    def _merged(self, key: str, value: Any) -> Any:
        present = getattr(self, key)
        if isinstance(value, Mapping):
            value = dict(value)
            if isinstance(present, Mapping):
                if value.get("name", present.get("name")) == present.get("name"):
                    value = {**present, **value}
                elif "learning_rate" in present:
                    value.setdefault("learning_rate", present["learning_rate"])
        elif key == "augmentation":
            value = tuple(dict(item) for item in value)
        elif key == "crop_size":
            value = tuple(value)
        return value

    def to_dict(self) -> dict[str, Any]:
        """The fields as values that JSON can hold."""
        return asdict(self)
