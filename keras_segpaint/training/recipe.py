"""What a paper says about training its network, as plain data."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

__all__ = ["Recipe"]

# Said of numbers in `sources`.
REPORTED = "Reported, not checked against the paper"
L2_PENALTY = "an L2 penalty; applied to kernels here, biases and normalisation are left alone"

CLASS_WEIGHTS = ("enet", "enet_encoder", "linknet", "median_frequency")


@dataclass(frozen=True)
class Recipe:
    """How a network is trained; holds numbers and names only, so that it can be printed, stored and changed.

    Args:
        model: Class name in `keras_segpaint.models`.
        paper: The publication, one line.
        optimizer: `{"name": "sgd" | "adam" | "rmsprop", "learning_rate": float, ...}`; other keys are arguments of
            the Keras optimizer.
        schedule: How the learning rate changes: `{"name": "constant"}`, `{"name": "poly", "power": 0.9}` or
            `{"name": "step", "factor": 0.1, "epochs": 100}`. A run of more or fewer than `epochs` epochs stretches
            the steps with it.
        epochs: Integer >= 1.
        batch_size: Integer >= 1.
        crop_size: `(height, width)` of the training images.
        augmentation: One mapping per augmentation, `{"name": class in keras_segpaint.data, argument: value, ...}`; a
            `RandomCrop` without `size` takes the size of the training images.
        class_weights: `"median_frequency"`, `"enet"`, `"enet_encoder"`, `"linknet"` or `None` for equal weights.
        weight_decay: Coefficient of the L2 penalty on kernels, as papers state it: it adds `weight_decay * kernel` to
            the gradient. Defaults to `0.0`.
        encoder_epochs: Epochs of a first stage that trains the encoder alone, for networks with such a stage.
            Defaults to `0`, no such stage.
        sources: Where each number comes from, by field name.

    Raises:
        ValueError: If a number is out of range or a name is unknown.

    Example:
        >>> recipe = Recipe(
        ...     model="ENet", paper="...", optimizer={"name": "adam", "learning_rate": 5e-4},
        ...     schedule={"name": "poly"}, epochs=300, batch_size=10, crop_size=(360, 480),
        ... )
        >>> recipe.with_changes({"optimizer": {"learning_rate": 1e-3}, "epochs": 5}).optimizer
        {'name': 'adam', 'learning_rate': 0.001}
    """

    model: str
    paper: str
    optimizer: Mapping[str, Any]
    schedule: Mapping[str, Any]
    epochs: int
    batch_size: int
    crop_size: tuple[int, int]
    augmentation: tuple[Mapping[str, Any], ...] = ()
    class_weights: str | None = None
    weight_decay: float = 0.0
    encoder_epochs: int = 0
    sources: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, least in (("epochs", 1), ("batch_size", 1), ("encoder_epochs", 0), ("weight_decay", 0)):
            value = getattr(self, name)
            if not isinstance(value, int | float) or value < least:
                raise ValueError(f"`{name}` must be a number >= {least}. Received: {name}={value!r}")
        if self.class_weights is not None and self.class_weights not in CLASS_WEIGHTS:
            raise ValueError(
                f"`class_weights` must be one of {', '.join(CLASS_WEIGHTS)} or None. "
                f"Received: class_weights={self.class_weights!r}"
            )

    def with_changes(self, changes: Mapping[str, Any]) -> "Recipe":
        """A recipe with some fields changed.

        `optimizer` and `schedule` are merged key by key unless their `name` changes. Changing `epochs` alone
        stretches the
        rest: a run of 30 epochs of a recipe for 300 takes the steps of its schedule every 10 epochs, not every 100.

        Raises:
            ValueError: If a key is not a field.
        """
        names = [f.name for f in fields(self) if f.name not in ("model", "paper", "sources")]
        unknown = sorted(set(changes) - set(names))
        if unknown:
            raise ValueError(f"A recipe has no {', '.join(unknown)}. It has: {', '.join(names)}")
        merged: dict[str, Any] = {}
        for key, value in changes.items():
            if key in ("optimizer", "schedule"):
                present = dict(getattr(self, key))
                same = value.get("name", present["name"]) == present["name"]
                value = {**present, **value} if same else dict(value)
                if key == "optimizer":
                    value.setdefault("learning_rate", present["learning_rate"])
            elif key == "augmentation":
                value = tuple(dict(item) for item in value)
            elif key == "crop_size":
                value = tuple(value)
            merged[key] = value
        stretch = merged.get("epochs", self.epochs) / self.epochs
        merged.setdefault("encoder_epochs", round(self.encoder_epochs * stretch))
        if "schedule" not in merged and "epochs" in self.schedule:
            merged["schedule"] = {**self.schedule, "epochs": self.schedule["epochs"] * stretch}
        return replace(self, **merged)

    def to_dict(self) -> dict[str, Any]:
        """The fields as values that JSON can hold."""
        return asdict(self)
