"""Networks of inverted residual blocks, of which the mobile families are made."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from keras import layers

from keras_segpaint.backbones.base import Backbone, strides_and_dilations
from keras_segpaint.layers import SymmetricPadding2D
from keras_segpaint.layers.factory import LayerFactory

PADDINGS = ("same", "symmetric")


@dataclass(frozen=True)
class Block:
    """An inverted residual block: 1x1 expansion, depthwise convolution, 1x1 projection without activation.

    Args:
        filters: Channels of its output, before the width multiplier.
        expansion: Width of its middle, in multiples of its input's; 1 leaves the expansion out.
        kernel_size: Of the depthwise convolution.
        activation: `"relu"`, `"relu6"` or `"hard_swish"`.
        squeeze: Whether squeeze-and-excitation gates its middle.
    """

    filters: int
    expansion: float
    kernel_size: int = 3
    activation: str = "relu6"
    squeeze: bool = False


def make_divisible(width: float, divisor: int = 8) -> int:
    """The multiple of `divisor` next to `width`, and not below nine tenths of it.

    Example:
        >>> make_divisible(16.8), make_divisible(11.2)
        (16, 16)
    """
    rounded = max(divisor, int(width + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * width else rounded


def mobile_features(
    x: Any,
    factory: LayerFactory,
    stages: Sequence[Sequence[Block]],
    *,
    stem_filters: int,
    top_filters: int | None,
    activation: str,
    output_stride: int,
    alpha: float,
    dilate_first: bool = False,
    padding: str = "symmetric",
) -> dict[str, Any]:
    """Builds a mobile network on the tensor `x`.

    The stem strides, and so does the first block of every stage but the first. A stage beyond `output_stride` is dilated:
    its first depthwise convolution, which would have strided, keeps the rate of the stage before, and so each feature
    is the one that the classification network computes at that place, unless `dilate_first`.

    Args:
        x: Images, normalised.
        factory: Makes the layers.
        stages: The blocks of each of the five stages.
        stem_filters: Width of the first convolution.
        top_filters: Width of the 1x1 convolution behind the last stage; `None` leaves it out.
        activation: Of the stem and of the last convolution.
        output_stride: 8, 16 or 32.
        alpha: Width multiplier of the blocks.
        dilate_first: Whether a dilated stage's first block has the rate of its others.
        padding: Of strided convolutions: `"symmetric"`, as PyTorch's, or `"same"`, as TensorFlow's, which pads even
            sizes at the bottom and right only.

    Returns:
        Features by name, `"level1"` to `"level5"`, and those behind each stage's first block, `"stage1_block1"` and on.

    Raises:
        ValueError: If `output_stride` or `padding` is not one of those named.
    """
    if padding not in PADDINGS:
        raise ValueError(f"`padding` must be one of {', '.join(PADDINGS)}. Received: padding={padding!r}")

    def activate(x: Any, kind: str, name: str) -> Any:
        if kind == "hard_swish":
            return layers.Activation("hard_swish", dtype=factory.dtype, name=name)(x)
        return factory.relu(max_value=6.0 if kind == "relu6" else None, name=name)(x)

    def conv(x: Any, filters: int, kernel_size: int, name: str, strides: int = 1) -> Any:
        x, rest = pad(x, kernel_size, strides, name)
        x = factory.conv(filters, kernel_size, strides=strides, padding=rest, use_bias=False, name=f"{name}_conv")(x)
        return factory.norm(x, f"{name}_bn")

    def pad(x: Any, kernel_size: int, strides: int, name: str) -> tuple[Any, str]:
        """What a convolution takes, and the padding that is left to it."""
        if strides == 1 or padding == "same":
            return x, "same"
        x = SymmetricPadding2D(kernel_size, data_format=factory.data_format, dtype=factory.dtype, name=f"{name}_pad")(x)
        return x, "valid"

    def depthwise(x: Any, kernel_size: int, strides: int, rate: int, name: str) -> Any:
        x, rest = pad(x, kernel_size, strides, name)
        x = factory.depthwise_conv(
            kernel_size, strides=strides, dilation_rate=rate, padding=rest, use_bias=False, name=f"{name}_conv"
        )(x)
        return factory.norm(x, f"{name}_bn")

    def gate(x: Any, name: str) -> Any:
        width = factory.channels(x)
        y = layers.GlobalAveragePooling2D(
            keepdims=True, data_format=factory.data_format, dtype=factory.dtype, name=f"{name}_squeeze_pool"
        )(x)
        y = factory.relu(name=f"{name}_squeeze_relu")(
            factory.conv(make_divisible(width / 4), 1, name=f"{name}_squeeze_conv")(y)
        )
        y = factory.conv(width, 1, name=f"{name}_excite_conv")(y)
        y = layers.Activation("hard_sigmoid", dtype=factory.dtype, name=f"{name}_excite_gate")(y)
        return layers.Multiply(dtype=factory.dtype, name=f"{name}_excite")([x, y])

    def inverted_residual(x: Any, block: Block, strides: int, rate: int, residual: bool, name: str) -> Any:
        y = x
        if block.expansion != 1:
            y = conv(y, make_divisible(factory.channels(x) * block.expansion), 1, f"{name}_expand")
            y = activate(y, block.activation, f"{name}_expand_act")
        y = depthwise(y, block.kernel_size, strides, rate, f"{name}_depthwise")
        y = activate(y, block.activation, f"{name}_depthwise_act")
        if block.squeeze:
            y = gate(y, name)
        y = conv(y, make_divisible(block.filters * alpha), 1, f"{name}_project")
        if residual and factory.channels(x) == factory.channels(y):
            y = factory.add(name=f"{name}_add")([x, y])
        return y

    features = {}
    x = activate(conv(x, stem_filters, 3, "stem", strides=2), activation, "stem_act")
    rate_before = 1
    plan = strides_and_dilations((1, 2, 2, 2, 2), 2, output_stride)
    for stage, (blocks, (strides, rate)) in enumerate(zip(stages, plan, strict=True), start=1):
        for index, block in enumerate(blocks, start=1):
            name = f"stage{stage}_block{index}"
            if index == 1:
                x = inverted_residual(x, block, strides, rate if dilate_first else rate_before, stage == 1, name)
                features[name] = x
            else:
                x = inverted_residual(x, block, 1, rate, True, name)
        rate_before = rate
        features[f"level{stage}"] = x
    if top_filters is not None:
        features["level5"] = activate(conv(x, top_filters, 1, "top"), activation, "top_act")
    return features


class MobileBackbone(Backbone):
    """A backbone of one architecture, with a width multiplier.

    Args:
        output_stride: 8, 16 or 32: of the deepest features. The stages beyond it are dilated. Defaults to `32`.
        alpha: Width multiplier of the blocks. Defaults to `1.0`.
        top: Whether the 1x1 convolution in front of the classifier belongs to the deepest features. Defaults to `True`.
        normalization: `"batch"`, `"frozen_batch"` or `"group"`. Defaults to `"batch"`.
        weights: `None`, `"imagenet"` or the path of a weights file. Defaults to `None`.
        input_shape: `(height, width, channels)`; height and width may be `None`. Defaults to `(None, None, 3)`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        dtype: Dtype or policy of the layers. `None` for Keras's default.
        name: String, or `None` for that of the architecture.
    """

    architecture: ClassVar[str]

    def __init__(
        self,
        *,
        output_stride: int = 32,
        alpha: float = 1.0,
        top: bool = True,
        normalization: str = "batch",
        weights: str | None = None,
        input_shape: tuple[int | None, int | None, int] = (None, None, 3),
        data_format: str | None = None,
        dtype: Any = None,
        name: str | None = None,
    ):
        if alpha <= 0:
            raise ValueError(f"`alpha` must be a number > 0. Received: alpha={alpha!r}")
        super().__init__(
            self.architecture,
            options=dict(output_stride=output_stride, alpha=alpha, top=top),
            normalization=normalization,
            weights=weights,
            input_shape=input_shape,
            data_format=data_format,
            dtype=dtype,
            name=name or self.architecture,
        )

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        del config["architecture"]
        return config
