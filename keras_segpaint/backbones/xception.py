"""Aligned Xception as a feature extractor."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import keras

from keras_segpaint.backbones.base import Backbone, strides_and_dilations
from keras_segpaint.layers import SymmetricPadding2D
from keras_segpaint.layers.factory import LayerFactory


@dataclass(frozen=True)
class Block:
    """Three separable convolutions of these widths, the last with this stride, and a shortcut round them."""

    name: str
    widths: tuple[int, int, int]
    strides: int = 1
    shortcut: bool = True


def _plan(entry: Sequence[tuple[int, int]], middle: int) -> tuple[Block, ...]:
    return (
        *(Block(f"entry{index}", (width,) * 3, strides) for index, (width, strides) in enumerate(entry, start=1)),
        *(Block(f"middle{index}", (728,) * 3) for index in range(1, middle + 1)),
        Block("exit1", (728, 1024, 1024), 2),
        Block("exit2", (1536, 1536, 2048), shortcut=False),
    )


ARCHITECTURES = {
    "xception41": _plan(((128, 2), (256, 2), (728, 2)), 8),
    "xception65": _plan(((128, 2), (256, 2), (728, 2)), 16),
    "xception71": _plan(((128, 2), (256, 1), (256, 2), (728, 1), (728, 2)), 16),
}


def xception_features(
    x: Any,
    architecture: str,
    factory: LayerFactory,
    *,
    output_stride: int = 32,
    multi_grid: Sequence[int] = (1, 1, 1),
    base_filters: int = 32,
) -> dict[str, Any]:
    """Builds the trunk on the tensor `x`.

    Args:
        x: Images, normalised.
        architecture: `"xception41"`, `"xception65"` or `"xception71"`.
        factory: Makes the layers.
        output_stride: 8, 16 or 32: of the deepest features. The blocks beyond it are dilated instead of strided.
        multi_grid: Multiplies the dilation rates of the last block's three convolutions.
        base_filters: Width of the first convolution; all others in proportion.

    Returns:
        Features by name, `"level1"` (stride 2) to `"level5"` (stride 32 or `output_stride`).

    Raises:
        ValueError: If an argument is not one of those named.
    """
    if architecture not in ARCHITECTURES:
        raise ValueError(f"`architecture` must be one of {sorted(ARCHITECTURES)}. Received: {architecture!r}")
    grid = tuple(multi_grid)
    if len(grid) != 3 or not all(isinstance(rate, int) and rate >= 1 for rate in grid):
        raise ValueError(f"`multi_grid` must be three integers >= 1. Received: multi_grid={multi_grid!r}")

    def scaled(width: int) -> int:
        return max(1, round(width * base_filters / 32))

    def pad(x: Any, name: str) -> Any:
        return SymmetricPadding2D(3, data_format=factory.data_format, dtype=factory.dtype, name=f"{name}_pad")(x)

    def conv(x: Any, width: int, kernel_size: int, name: str, strides: int = 1) -> Any:
        padding = "same"
        if strides > 1 and kernel_size > 1:
            x, padding = pad(x, name), "valid"
        x = factory.conv(
            scaled(width), kernel_size, strides=strides, padding=padding, use_bias=False, name=f"{name}_conv"
        )(x)
        return factory.norm(x, f"{name}_bn")

    def separable(x: Any, width: int, strides: int, rate: int, activated: bool, name: str) -> Any:
        padding = "same"
        if strides > 1:
            x, padding = pad(x, name), "valid"
        x = factory.depthwise_conv(
            3, strides=strides, dilation_rate=rate, padding=padding, use_bias=False, name=f"{name}_depthwise_conv"
        )(x)
        x = factory.norm(x, f"{name}_depthwise_bn")
        if activated:
            x = factory.relu(name=f"{name}_depthwise_relu")(x)
        x = conv(x, width, 1, f"{name}_pointwise")
        return factory.relu(name=f"{name}_pointwise_relu")(x) if activated else x

    x = factory.relu(name="stem1_relu")(conv(x, 32, 3, "stem1", strides=2))
    x = factory.relu(name="stem2_relu")(conv(x, 64, 3, "stem2"))
    features: dict[str, Any] = {}
    blocks = ARCHITECTURES[architecture]
    plan = strides_and_dilations([block.strides for block in blocks], 2, output_stride)
    # The stride is in a block's last convolution, so the block that loses it keeps the rate of the one before.
    rate = 1
    for block, (strides, next_rate) in zip(blocks, plan, strict=True):
        shortcut = x
        for unit, width in enumerate(block.widths, start=1):
            name = f"{block.name}_unit{unit}"
            if block.shortcut:
                x = factory.relu(name=f"{name}_relu")(x)
            if unit == 3 and block.strides > 1:
                features[f"level{len(features) + 1}"] = x
            unit_rate = rate * (grid[unit - 1] if block.name == "exit2" else 1)
            x = separable(x, width, strides if unit == 3 else 1, unit_rate, not block.shortcut, name)
        if block.shortcut:
            if block.strides > 1 or factory.channels(shortcut) != factory.channels(x):
                shortcut = conv(shortcut, block.widths[-1], 1, f"{block.name}_shortcut", strides)
            x = factory.add(name=f"{block.name}_add")([shortcut, x])
        rate = next_rate
    features["level5"] = x
    return features


@keras.saving.register_keras_serializable(package="keras_segpaint")
class Xception(Backbone):
    """Aligned Xception, the encoder of DeepLab v3+, without its classifier.

    Xception with more layers, strided separable convolutions in the place of pools, and normalisation behind each
    depthwise convolution.

    Args:
        architecture: `"xception41"`, `"xception65"` or `"xception71"`. Defaults to `"xception65"`.
        output_stride: 8, 16 or 32: of the deepest features. The blocks beyond it are dilated. Defaults to `32`.
        multi_grid: Multiplies the dilation rates of the last block's three convolutions. Defaults to `(1, 1, 1)`.
        base_filters: Width of the first convolution; all others in proportion. Defaults to `32`.
        normalization: `"batch"`, `"frozen_batch"` or `"group"`. Defaults to `"batch"`.
        weights: `None`, `"imagenet"` or the path of a weights file. Defaults to `None`.
        input_shape: `(height, width, channels)`; height and width may be `None`. Defaults to `(None, None, 3)`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        dtype: Dtype or policy of the layers. `None` for Keras's default.
        name: String. Defaults to `"xception"`.

    Input shape:
        float32 images in [0, 1], `(batch, height, width, channels)`, any height and width >= 1. Images of three
        channels are normalised inside, to [-1, 1].

    Output shape:
        A dictionary: `"level1"` (stride 2), `"level2"` (4), `"level3"` (8), `"level4"` (16) and `"level5"` (32), of
        128, 256, 728, 1024 and 2048 channels; none coarser than `output_stride`. The first four are the rectified input
        of a block's third convolution, the last place of their stride (the released DeepLab v3+ reads `"level2"` in
        front of the rectifier). Odd sizes are rounded up.

    24,920,560 parameters (41 layers), 37,867,312 (65), 40,289,736 (71). The moving statistics follow within hundreds
    of steps (momentum 0.99); the released training used 0.9997.

    Raises:
        ValueError: If an argument is not one of those named.

    References:
        - [Encoder-Decoder with Atrous Separable Convolution](https://arxiv.org/abs/1802.02611), section 3.2
        - [Xception: Deep Learning with Depthwise Separable Convolutions](https://arxiv.org/abs/1610.02357)

    Example:
        >>> import numpy as np
        >>> backbone = Xception("xception41", base_filters=4, output_stride=16, data_format="channels_last")
        >>> tuple(backbone(np.zeros((1, 64, 64, 3), "float32"))["level5"].shape)
        (1, 4, 4, 256)
    """

    reference_parameters: ClassVar[tuple[tuple[dict[str, Any], int], ...]] = (
        ({"architecture": "xception41"}, 24_920_560),
        ({"architecture": "xception65"}, 37_867_312),
        ({"architecture": "xception71"}, 40_289_736),
    )

    def __init__(
        self,
        architecture: str = "xception65",
        *,
        output_stride: int = 32,
        multi_grid: Sequence[int] = (1, 1, 1),
        base_filters: int = 32,
        normalization: str = "batch",
        weights: str | None = None,
        input_shape: tuple[int | None, int | None, int] = (None, None, 3),
        data_format: str | None = None,
        dtype: Any = None,
        name: str = "xception",
    ):
        super().__init__(
            architecture,
            options=dict(output_stride=output_stride, multi_grid=tuple(multi_grid), base_filters=base_filters),
            normalization=normalization,
            weights=weights,
            input_shape=input_shape,
            data_format=data_format,
            dtype=dtype,
            name=name,
        )
