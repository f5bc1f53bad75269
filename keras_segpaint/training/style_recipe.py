"""What a paper says about training a network that paints images in a style."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from keras_segpaint.training.recipe import Recipe

__all__ = ["StyleRecipe"]


@dataclass(frozen=True, kw_only=True)
class StyleRecipe(Recipe):
    """How a network that paints images in a style is trained.

    Args:
        encoder_weights: What `StyleTransfer.load_encoder` takes: `"imagenet"`, which downloads the weights of VGG once, or
            the path of a file. `None` for random features, which teach no style that an eye would see.
        resize_factor: Number >= 1: the smaller side of an image before a sample is cut out of it, over the larger side of
            `crop_size`.

    The other arguments are those of `Recipe`.

    Raises:
        ValueError: If a number is out of range.

    Example:
        >>> from keras_segpaint.training import recipes
        >>> recipes.get("StyleTransfer").with_changes({"encoder_weights": "vgg_normalised.pth"}).batch_size
        8
    """

    task: ClassVar[str] = "style"
    own_arguments: ClassVar[Mapping[str, str]] = {
        "alpha": "training, which takes all of a style",
        "dtype": "`mixed_precision`",
        "input_shape": "the data, photographs of any size",
        "weights": "`encoder_weights`",
    }

    encoder_weights: str | None
    resize_factor: float = 2.0

    def __post_init__(self) -> None:
        super().__post_init__()
        self.check_least(resize_factor=1)

    def trains_in_two_stages(self, arguments: Mapping[str, Any]) -> bool:
        return False
