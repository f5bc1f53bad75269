"""ResNet as a feature extractor."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import keras

from keras_segpaint.backbones.base import Backbone, strides_and_dilations
from keras_segpaint.layers import SymmetricPadding2D
from keras_segpaint.layers.factory import LayerFactory


@dataclass(frozen=True)
class Architecture:
    """Blocks per stage, how many times wider than its middle a block's output is, and which convolution strides."""

    depths: tuple[int, int, int, int]
    expansion: int
    stride_first: bool = False


ARCHITECTURES = {
    "resnet18": Architecture((2, 2, 2, 2), 1),
    "resnet34": Architecture((3, 4, 6, 3), 1),
    "resnet50": Architecture((3, 4, 6, 3), 4),
    "resnet101": Architecture((3, 4, 23, 3), 4),
    "resnet152": Architecture((3, 8, 36, 3), 4),
    "resnet50_v1": Architecture((3, 4, 6, 3), 4, stride_first=True),
    "resnet101_v1": Architecture((3, 4, 23, 3), 4, stride_first=True),
    "resnet152_v1": Architecture((3, 8, 36, 3), 4, stride_first=True),
}
STEMS = ("plain", "deep")


def resnet_features(
    x: Any,
    architecture: str,
    factory: LayerFactory,
    *,
    output_stride: int = 32,
    stem: str = "plain",
    multi_grid: Sequence[int] = (),
    dilate_first: bool = True,
    base_filters: int = 64,
) -> dict[str, Any]:
    """Builds the trunk on the tensor `x`.

    Args:
        x: Images, normalised.
        architecture: `"resnet18"`, `"resnet34"`, `"resnet50"`, `"resnet101"` or `"resnet152"`; the last three also with
            `"_v1"` behind, which strides in a block's first convolution instead of its second.
        factory: Makes the layers.
        output_stride: 8, 16 or 32: of the deepest features. The stages beyond it are dilated instead of strided.
        stem: `"plain"` (7x7) or `"deep"` (three 3x3, the last of twice the width).
        multi_grid: Multiplies the dilation rates of the blocks of the last stage, in turn.
        dilate_first: Whether a dilated stage's first block has the rate of its others, as PSPNet's and DeepLab's
            published networks do; otherwise it has the stage before's, as torchvision's.
        base_filters: Width of the first stage.

    Returns:
        Features by name: `"level1"` (stride 2), `"pool"` and `"level2"` (stride 4) to `"level5"` (stride 32 or
        `output_stride`).

    Raises:
        ValueError: If an argument is not one of those named.
    """
    if architecture not in ARCHITECTURES:
        raise ValueError(f"`architecture` must be one of {sorted(ARCHITECTURES)}. Received: {architecture!r}")
    if stem not in STEMS:
        raise ValueError(f"`stem` must be one of {STEMS}. Received: stem={stem!r}")
    depths, expansion = ARCHITECTURES[architecture].depths, ARCHITECTURES[architecture].expansion
    stride_first = ARCHITECTURES[architecture].stride_first
    grid = tuple(multi_grid) or (1,)

    def conv_bn(x: Any, filters: int, kernel_size: int, name: str, strides: int = 1, dilation: int = 1) -> Any:
        padding = "same"
        if strides > 1 and kernel_size > 1:
            x = SymmetricPadding2D(
                kernel_size, data_format=factory.data_format, dtype=factory.dtype, name=f"{name}_pad"
            )(x)
            padding = "valid"
        x = factory.conv(
            filters,
            kernel_size,
            strides=strides,
            dilation_rate=dilation,
            padding=padding,
            use_bias=False,
            name=f"{name}_conv",
        )(x)
        return factory.norm(x, f"{name}_bn")

    def conv_bn_relu(x: Any, filters: int, kernel_size: int, name: str, strides: int = 1, dilation: int = 1) -> Any:
        return factory.relu(name=f"{name}_relu")(conv_bn(x, filters, kernel_size, name, strides, dilation))

    def block(x: Any, filters: int, name: str, strides: int, dilation: int) -> Any:
        shortcut = x
        if strides > 1 or factory.channels(x) != filters * expansion:
            shortcut = conv_bn(x, filters * expansion, 1, f"{name}_shortcut", strides)
        if expansion == 1:
            y = conv_bn_relu(x, filters, 3, f"{name}_1", strides, dilation)
            y = conv_bn(y, filters, 3, f"{name}_2", dilation=dilation)
        else:
            first, second = (strides, 1) if stride_first else (1, strides)
            y = conv_bn_relu(x, filters, 1, f"{name}_1", first)
            y = conv_bn_relu(y, filters, 3, f"{name}_2", second, dilation)
            y = conv_bn(y, filters * expansion, 1, f"{name}_3")
        return factory.relu(name=f"{name}_relu")(factory.add(name=f"{name}_add")([shortcut, y]))

    features = {}
    if stem == "plain":
        x = conv_bn_relu(x, base_filters, 7, "stem", 2)
    else:
        x = conv_bn_relu(x, base_filters, 3, "stem1", 2)
        x = conv_bn_relu(x, base_filters, 3, "stem2")
        x = conv_bn_relu(x, 2 * base_filters, 3, "stem3")
    features["level1"] = x
    x = SymmetricPadding2D(
        3, value=float("-inf"), data_format=factory.data_format, dtype=factory.dtype, name="pool_pad"
    )(x)
    x = features["pool"] = factory.max_pool(3, strides=2, name="pool")(x)
    plan = strides_and_dilations((1, 2, 2, 2), 4, output_stride)
    before = 1
    for stage, (strides, dilation) in enumerate(plan, start=1):
        for index in range(depths[stage - 1]):
            rate = dilation * (grid[index % len(grid)] if stage == 4 else 1)
            if index == 0 and not dilate_first:
                rate = before
            filters = base_filters * 2 ** (stage - 1)
            x = block(x, filters, f"stage{stage}_block{index + 1}", strides if index == 0 else 1, rate)
        before = dilation
        features[f"level{stage + 1}"] = x
    return features


@keras.saving.register_keras_serializable(package="keras_segpaint")
class ResNet(Backbone):
    """ResNet without its classifier: a dictionary of features at strides 2 to 32.

    Args:
        architecture: `"resnet18"`, `"resnet34"`, `"resnet50"`, `"resnet101"` or `"resnet152"`. Those of 50 layers and
            more stride in the 3x3 convolution of a block, as torchvision's. `"resnet50_v1"`, `"resnet101_v1"` and
            `"resnet152_v1"` stride in the 1x1 convolution in front of it, as published and in `keras.applications`, and
            take grey levels less their mean. Defaults to `"resnet18"`.
        output_stride: 8, 16 or 32: of the deepest features. The stages beyond it are dilated. Defaults to `32`.
        stem: `"plain"` (7x7 convolution) or `"deep"` (three of 3x3). Defaults to `"plain"`.
        multi_grid: Multiplies the dilation rates of the last stage's blocks, in turn, such as `(1, 2, 4)`. Defaults to
            `()`, no change.
        dilate_first: Whether a dilated stage's first block has the rate of the others (the published PSPNet and
            DeepLab) or that of the stage before (torchvision). Defaults to `True`.
        base_filters: Width of the first stage. Defaults to `64`.
        normalization: `"batch"`, `"frozen_batch"` or `"group"`. Defaults to `"batch"`.
        weights: `None`, `"imagenet"` or the path of a weights file. Defaults to `None`.
        input_shape: `(height, width, channels)`; height and width may be `None`. Defaults to `(None, None, 3)`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        dtype: Dtype or policy of the layers. `None` for Keras's default.
        name: String. Defaults to `"resnet"`.

    Input shape:
        float32 images in [0, 1], `(batch, height, width, channels)`, any height and width >= 1. Images of three
        channels are normalised inside.

    Output shape:
        A dictionary: `"level1"` (stride 2), `"pool"` and `"level2"` (stride 4), `"level3"` (stride 8), `"level4"`
        (stride 16), `"level5"` (stride 32); none coarser than `output_stride`. Odd sizes are rounded up.

    11,176,512 parameters (18 layers), 21,284,672 (34), 23,508,032 (50), 42,500,160 (101), 58,143,808 (152).

    Raises:
        ValueError: If an argument is not one of those named.

    References:
        - [Deep Residual Learning for Image Recognition](https://arxiv.org/abs/1512.03385)

    Example:
        >>> import numpy as np
        >>> features = ResNet("resnet18", data_format="channels_last")(np.zeros((1, 64, 64, 3), "float32"))
        >>> tuple(features["level5"].shape)
        (1, 2, 2, 512)
    """

    reference_parameters: ClassVar[tuple[tuple[dict[str, Any], int], ...]] = (
        ({"architecture": "resnet18"}, 11_176_512),
        ({"architecture": "resnet34"}, 21_284_672),
        ({"architecture": "resnet50"}, 23_508_032),
        ({"architecture": "resnet101"}, 42_500_160),
        ({"architecture": "resnet152"}, 58_143_808),
    )

    def __init__(
        self,
        architecture: str = "resnet18",
        *,
        output_stride: int = 32,
        stem: str = "plain",
        multi_grid: Sequence[int] = (),
        dilate_first: bool = True,
        base_filters: int = 64,
        normalization: str = "batch",
        weights: str | None = None,
        input_shape: tuple[int | None, int | None, int] = (None, None, 3),
        data_format: str | None = None,
        dtype: Any = None,
        name: str = "resnet",
    ):
        super().__init__(
            architecture,
            options=dict(
                output_stride=output_stride,
                stem=stem,
                multi_grid=tuple(multi_grid),
                dilate_first=dilate_first,
                base_filters=base_filters,
            ),
            normalization=normalization,
            weights=weights,
            input_shape=input_shape,
            data_format=data_format,
            dtype=dtype,
            name=name,
        )
