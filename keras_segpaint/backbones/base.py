"""What all backbones share: output stride, the input, and building by name on a tensor."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from inspect import signature
from typing import Any, ClassVar

import keras
from keras import layers

from keras_segpaint.backbones.pretrained import load_backbone_weights
from keras_segpaint.layers.factory import LayerFactory
from keras_segpaint.ops.spatial import standardize_data_format

OUTPUT_STRIDES = (8, 16, 32)


@dataclass(frozen=True)
class Family:
    """Where a family of backbones is built.

    Args:
        module: In `keras_segpaint.backbones`.
        function: `function(x, architecture, factory, *, output_stride, **options)` gives the features by name.
        mean: Of the images that its published weights were trained on, by channel, for images in [0, 1].
        deviation: Their standard deviation.
        momentum: Of the moving statistics of its batch normalisation.
        epsilon: Of its batch normalisation.
    """

    module: str
    function: str
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    deviation: tuple[float, float, float] = (0.229, 0.224, 0.225)
    momentum: float = 0.9
    epsilon: float = 1e-5


_RESNET = Family("resnet", "resnet_features")
_VGG = Family("vgg", "vgg_features")
# The input of the networks trained in Caffe: grey levels less their mean, in [0, 1] here.
_RESNET_V1 = Family(
    "resnet",
    "resnet_features",
    mean=(123.68 / 255, 116.779 / 255, 103.939 / 255),
    deviation=(1 / 255,) * 3,
    epsilon=1.001e-5,
)
_XCEPTION = Family("xception", "xception_features", (0.5,) * 3, (0.5,) * 3, momentum=0.99, epsilon=1e-3)
_EFFICIENTNET_LITE = Family(
    "efficientnet_lite",
    "efficientnet_lite_features",
    (127 / 255,) * 3,
    (128 / 255,) * 3,
    momentum=0.99,
    epsilon=1e-3,
)
FAMILIES = {
    "alexnet": Family("alexnet", "alexnet_features"),
    **dict.fromkeys(("resnet18", "resnet34", "resnet50", "resnet101", "resnet152"), _RESNET),
    **dict.fromkeys(("vgg16", "vgg16_bn", "vgg19"), _VGG),
    **dict.fromkeys(("resnet50_v1", "resnet101_v1", "resnet152_v1"), _RESNET_V1),
    **dict.fromkeys(("xception41", "xception65", "xception71"), _XCEPTION),
    **dict.fromkeys((f"efficientnet_lite{number}" for number in range(5)), _EFFICIENTNET_LITE),
    "mobilenet_v2": Family("mobilenet_v2", "mobilenet_v2_features"),
    "mobilenet_v3_large": Family("mobilenet_v3", "mobilenet_v3_features", momentum=0.99, epsilon=1e-3),
}


def build_features(name: str, x: Any, factory: LayerFactory, **options: Any) -> dict[str, Any]:
    """Builds a backbone on a tensor of images.

    Args:
        name: `"resnet50"` and so on; `sorted(FAMILIES)` are all.
        x: Images in [0, 1]; those of three channels are normalised first.
        factory: Makes the layers. Momentum and epsilon of its normalisation are replaced by the backbone's.
        **options: `output_stride` and what else the backbone takes.

    Returns:
        Features by name, `"level1"` to `"level5"` and others of its own.

    Raises:
        ValueError: If there is no such backbone, or an option is none of its.
    """
    if name not in FAMILIES:
        raise ValueError(f"`backbone` must be one of {', '.join(sorted(FAMILIES))}. Received: backbone={name!r}")
    family = FAMILIES[name]
    if factory.channels(x) == 3:
        x = normalize(x, family, factory.data_format)
    function: Callable[..., dict[str, Any]] = getattr(
        import_module(f"keras_segpaint.backbones.{family.module}"), family.function
    )
    allowed = [option for option, value in signature(function).parameters.items() if value.kind is value.KEYWORD_ONLY]
    unknown = sorted(set(options) - set(allowed))
    if unknown:
        raise ValueError(f"Backbone {name!r} takes the options {', '.join(allowed)}. Received: {', '.join(unknown)}")
    return function(x, name, factory.with_statistics(family.momentum, family.epsilon), **options)


def normalize(x: Any, family: Family, data_format: str) -> Any:
    """Subtracts the mean of the images a backbone was trained on and divides by their standard deviation."""
    axis = -1 if data_format == "channels_last" else 1
    variance = [deviation**2 for deviation in family.deviation]
    return layers.Normalization(
        axis=axis, mean=list(family.mean), variance=variance, dtype="float32", name="normalize"
    )(x)


def strides_and_dilations(strides: Sequence[int], before: int, output_stride: int) -> list[tuple[int, int]]:
    """The stride and the dilation rate of each stage.

    Args:
        strides: Of the stages of the classification network.
        before: The stride of the features that enter the first stage.
        output_stride: Where striding ends; later strides become dilation rates.

    Raises:
        ValueError: If `output_stride` is not 8, 16 or 32.

    Example:
        >>> strides_and_dilations((1, 2, 2, 2), 4, 8)
        [(1, 1), (2, 1), (1, 2), (1, 4)]
    """
    if output_stride not in OUTPUT_STRIDES:
        raise ValueError(f"`output_stride` must be one of {OUTPUT_STRIDES}. Received: output_stride={output_stride!r}")
    plan = []
    reached, dilation = before, 1
    for stride in strides:
        if reached * stride > output_stride:
            dilation *= stride
            plan.append((1, dilation))
        else:
            reached *= stride
            plan.append((stride, dilation))
    return plan


class Backbone(keras.Model):
    """A functional model of images to a dictionary of features, that remembers the arguments it was built from.

    Attributes:
        reference_parameters: Arguments, and the number of trainable parameters that they give.
        card: Where published weights came from, as `convert.Card.to_dict` gives it; saved with the backbone. `None` where
            `convert` gave none.
    """

    reference_parameters: ClassVar[tuple[tuple[dict[str, Any], int], ...]] = ()

    def __init__(
        self,
        architecture: str,
        *,
        options: dict[str, Any],
        normalization: str,
        weights: str | None,
        input_shape: tuple[int | None, int | None, int],
        data_format: str | None,
        dtype: Any,
        name: str,
    ):
        data_format = standardize_data_format(data_format)
        policy = keras.dtype_policies.get(dtype if dtype is not None else keras.config.dtype_policy())
        height, width, channels = input_shape
        shape = (height, width, channels) if data_format == "channels_last" else (channels, height, width)
        inputs = layers.Input(shape, dtype="float32", name="image")
        factory = LayerFactory(data_format, policy, normalization=normalization)
        features = build_features(architecture, inputs, factory, **options)
        outputs = {key: x for key, x in features.items() if not key.startswith("stage")}
        super().__init__(inputs=inputs, outputs=outputs, name=name)
        self.card: dict[str, Any] | None = None
        self._arguments = dict(
            architecture=architecture,
            **options,
            normalization=normalization,
            input_shape=tuple(input_shape),
            data_format=data_format,
            dtype=policy.name,
        )
        if weights is not None:
            load_backbone_weights(self, architecture, weights)

    def get_config(self) -> dict[str, Any]:
        card = {} if self.card is None else {"card": dict(self.card)}
        return {**self._arguments, "name": self.name, **card}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "Backbone":
        """Builds the backbone from the arguments that `get_config` gave."""
        config = dict(config)
        card = config.pop("card", None)
        backbone = cls(**config)
        backbone.card = card
        return backbone
