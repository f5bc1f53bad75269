"""What all segmentation models share: their arguments, the input and the head."""

from typing import Any, ClassVar

import keras
from keras import layers

from keras_segpaint.ops.spatial import standardize_data_format


class SegmentationModel(keras.Model):
    """A functional model that remembers the arguments it was built from.

    A subclass builds its graph in `__init__` and ends with `super().__init__(inputs, logits, arguments=..., ...)`.

    Attributes:
        paper: The publication, one line.
        reference_parameters: Trainable parameters at stated settings.
        num_classes: Number of channels of the logits.
        data_format: `"channels_last"` or `"channels_first"`.
    """

    paper: ClassVar[str] = ""
    reference_parameters: ClassVar[dict[str, int]] = {}

    def __init__(self, inputs: Any, outputs: Any, *, arguments: dict[str, Any], name: str, **kwargs: Any):
        super().__init__(inputs=inputs, outputs=outputs, name=name, **kwargs)
        self._arguments = dict(arguments)
        self.num_classes = arguments["num_classes"]
        self.data_format = arguments["data_format"]

    def get_config(self) -> dict[str, Any]:
        return {**self._arguments, "name": self.name, "trainable": self.trainable}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "SegmentationModel":
        """Builds the model from the arguments that `get_config` gave."""
        config = dict(config)
        trainable = config.pop("trainable", True)
        model = cls(**config)
        if not trainable:
            model.trainable = False
        return model


def standardize_arguments(
    num_classes: int, input_shape: Any, data_format: str | None, dtype: Any
) -> tuple[tuple[int | None, int | None, int], str, keras.DTypePolicy]:
    """Checks the arguments that every model takes and resolves the defaults among them."""
    if not isinstance(num_classes, int) or num_classes < 1:
        raise ValueError(f"`num_classes` must be an integer >= 1. Received: num_classes={num_classes!r}")
    shape = tuple(input_shape)
    if len(shape) != 3 or not isinstance(shape[2], int):
        raise ValueError(
            "`input_shape` must be (height, width, channels) without the batch, in this order for either data format; "
            f"height and width may be None. Received: input_shape={input_shape!r}"
        )
    policy = keras.dtype_policies.get(dtype if dtype is not None else keras.config.dtype_policy())
    return shape, standardize_data_format(data_format), policy


def image_input(input_shape: tuple[int | None, int | None, int], data_format: str) -> keras.KerasTensor:
    """The input tensor of a network: float32 images."""
    height, width, channels = input_shape
    shape = (height, width, channels) if data_format == "channels_last" else (channels, height, width)
    return keras.Input(shape, dtype="float32", name="image")


def float32_logits(x: Any) -> Any:
    """Casts logits to float32; no operation where they are so already."""
    return x if x.dtype == "float32" else layers.Activation("linear", dtype="float32", name="logits")(x)
