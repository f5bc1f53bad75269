"""What a paper says about training a network for segmentation."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from keras_segpaint.training.recipe import Recipe
from keras_segpaint.training.segmentation_losses import build_label_loss

__all__ = ["SegmentationRecipe"]

# Said of numbers in `sources`.
L2_PENALTY = "an L2 penalty; applied to kernels here, biases and normalisation are left alone"

CLASS_WEIGHTS = ("enet", "enet_encoder", "linknet", "median_frequency")


@dataclass(frozen=True, kw_only=True)
class SegmentationRecipe(Recipe):
    """How a segmentation network is trained.

    Args:
        class_weights: `"median_frequency"`, `"enet"`, `"enet_encoder"`, `"linknet"` or `None` for equal weights.
        weight_decay: Coefficient of the L2 penalty on kernels, as papers state it: it adds `weight_decay * kernel` to
            the gradient. Defaults to `0.0`.
        encoder_epochs: Epochs of a first stage that trains the encoder alone, for networks with such a stage.
            Defaults to `0`, no such stage.
        loss: `{"name": a loss of label maps in keras_segpaint.losses, argument: value, ...}`; the `terms` of a `LossSum` are
            such mappings, with a `weight` each. Losses that take class weights get those of the recipe. Defaults to
            `SparseCrossentropy`.

    The other arguments are those of `Recipe`.

    Raises:
        ValueError: If a number is out of range or a name is unknown.

    Example:
        >>> recipe = SegmentationRecipe(
        ...     model="ENet", paper="...", optimizer={"name": "adam", "learning_rate": 5e-4},
        ...     schedule={"name": "poly"}, epochs=300, batch_size=10, crop_size=(360, 480),
        ... )
        >>> recipe.with_changes({"optimizer": {"learning_rate": 1e-3}, "epochs": 5}).optimizer
        {'name': 'adam', 'learning_rate': 0.001}
    """

    task: ClassVar[str] = "segmentation"
    own_arguments: ClassVar[Mapping[str, str]] = {
        "num_classes": "the data",
        "dtype": "`mixed_precision`",
        "input_shape": "the data",
    }

    class_weights: str | None = None
    weight_decay: float = 0.0
    encoder_epochs: int = 0
    loss: Mapping[str, Any] = field(default_factory=lambda: {"name": "SparseCrossentropy"})

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_least(encoder_epochs=0, weight_decay=0)
        build_label_loss(self.loss)
        if self.class_weights is not None and self.class_weights not in CLASS_WEIGHTS:
            raise ValueError(
                f"`class_weights` must be one of {', '.join(CLASS_WEIGHTS)} or None. "
                f"Received: class_weights={self.class_weights!r}"
            )

    def trains_in_two_stages(self, arguments: Mapping[str, Any]) -> bool:
        return "stage" in arguments

    def stretched(self, factor: float) -> dict[str, Any]:
        return {**super().stretched(factor), "encoder_epochs": round(self.encoder_epochs * factor)}
