"""RefineNet."""

from typing import Any, ClassVar

import keras
from keras import layers

from keras_segpaint.backbones.base import build_features
from keras_segpaint.layers import ChainedResidualPooling, MultiResolutionFusion, ResidualConvUnit, Resize
from keras_segpaint.layers.factory import LayerFactory
from keras_segpaint.layers.named_attention import Attention, attend, standardize_attention
from keras_segpaint.models.segmentation.base import (
    SegmentationModel,
    float32_logits,
    image_input,
    standardize_arguments,
)

# Pools of the chained residual pooling.
VARIANTS = {"paper": 2, "code": 4}


@keras.saving.register_keras_serializable(package="keras_segpaint")
class RefineNet(SegmentationModel):
    """RefineNet: four blocks refine the deepest features of a ResNet with those of each stage before it.

    A block passes its features through residual convolution units, fuses them with those of the block below, pools
    them in a chain for context, and ends with more residual units.

    The paper counts one unit at the end of a block and two on the way into the next, and puts two more at the end of
    the last block; its published code counts three at the end of each. Both are the same computation, built here.

    Args:
        num_classes: Integer >= 1.
        input_shape: `(height, width, channels)`; height and width may be `None`. Defaults to `(None, None, 3)`.
        backbone: `"resnet50"`, `"resnet101"` or `"resnet152"`, or a smaller ResNet. Defaults to `"resnet101"`.
        variant: `"paper"` for chains of two pools, `"code"` for the four of the published code. Defaults to `"paper"`.
        pools: Integer >= 1, how many pools a chain has in place of the variant's number, or `None`. Defaults to `None`.
        conv_first: Whether a chain convolves before it pools, the "improved pooling" of the authors' code. Defaults to
            `False`.
        normalization: Of the backbone; the decoder has none. `"batch"`, `"group"`, or `"frozen_batch"`, with which the
            paper trains on batches of one from pretrained weights. Defaults to `"batch"`.
        dropout: Float in [0, 1), rate behind the two deepest stages of the backbone and in front of the classifier.
            Defaults to `0.5`.
        filters: Integer >= 1, channels of the decoder; its deepest block has twice as many. Defaults to `256`.
        base_filters: Integer >= 1, width of the backbone's first stage. Defaults to `64`.
        weights: `None`, `"imagenet"` or the path of a weights file for the backbone. Defaults to `None`.
        attention: `None`, or attention on the backbone's deepest features, in front of their dropout: a layer, or one
            of `"se"`, `"eca"`, `"cbam"`, `"sk"`, `"non_local"`, `"self"`, `"position"`, `"channel"`, `"criss_cross"`,
            `"residual"`; see `keras_segpaint.layers`. Of a layer the configuration is taken, with weights of its own.
            Defaults to `None`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        dtype: Dtype or policy of the layers; the logits are float32. `None` for Keras's default.
        name: String. Defaults to `"refine_net"`.

    Input shape:
        float32 images in [0, 1], `(batch, height, width, channels)`, any height and width >= 1. Images of three
        channels are normalised by ImageNet's mean and standard deviation inside the model.

    Output shape:
        float32 logits `(batch, height, width, num_classes)`; computed at a quarter of the size, then resized.

    118,052,437 parameters with `variant="code"` at 21 classes (99,060,309 with 50 layers, 133,696,085 with 152);
    109,794,901 with two pools.

    Raises:
        ValueError: If `variant` is not one of the above.

    References:
        - [RefineNet: Multi-Path Refinement Networks for High-Resolution Semantic Segmentation](https://arxiv.org/abs/1611.06612)

    Example:
        >>> import numpy as np
        >>> model = RefineNet(21, backbone="resnet18", base_filters=2, filters=4, data_format="channels_last")
        >>> tuple(model(np.zeros((1, 45, 60, 3), "float32")).shape)
        (1, 45, 60, 21)
    """

    paper: ClassVar[str] = "Lin, Milan, Shen, Reid 2016, RefineNet, arXiv:1611.06612"
    good_for: ClassVar[str] = "Fine detail from deep features, batches of one"
    reference_parameters: ClassVar[tuple[tuple[dict[str, Any], int], ...]] = (
        ({"num_classes": 21, "backbone": "resnet50", "variant": "code"}, 99_060_309),
        ({"num_classes": 21, "backbone": "resnet101", "variant": "code"}, 118_052_437),
        ({"num_classes": 21, "backbone": "resnet152", "variant": "code"}, 133_696_085),
    )

    def __init__(
        self,
        num_classes: int,
        *,
        input_shape: tuple[int | None, int | None, int] = (None, None, 3),
        backbone: str = "resnet101",
        variant: str = "paper",
        pools: int | None = None,
        conv_first: bool = False,
        normalization: str = "batch",
        dropout: float = 0.5,
        filters: int = 256,
        base_filters: int = 64,
        weights: str | None = None,
        attention: Attention = None,
        data_format: str | None = None,
        dtype: Any = None,
        name: str = "refine_net",
    ):
        input_shape, data_format, policy = standardize_arguments(num_classes, input_shape, data_format, dtype)
        attention = standardize_attention(attention)
        if variant not in VARIANTS:
            raise ValueError(f"`variant` must be one of {', '.join(VARIANTS)}. Received: variant={variant!r}")

        # === Layers ===
        build = LayerFactory(data_format, policy, normalization=normalization)
        settings: dict[str, Any] = dict(data_format=data_format, dtype=policy)

        def units(x: Any, count: int, name: str) -> Any:
            for index in range(1, count + 1):
                x = ResidualConvUnit(name=f"{name}{index}", **settings)(x)
            return x

        def refine(features: Any, deeper: Any, filters: int, name: str) -> Any:
            x = build.unnormalized_conv(filters, 3, use_bias=False, name=f"{name}_reduce")(features)
            x = units(x, 2, f"{name}_input")
            if deeper is not None:
                x = MultiResolutionFusion(filters, name=f"{name}_fusion", **settings)([x, deeper])
            x = build.relu(name=f"{name}_relu")(x)
            x = ChainedResidualPooling(
                VARIANTS[variant] if pools is None else pools, conv_first=conv_first, name=f"{name}_pools", **settings
            )(x)
            return units(x, 3, f"{name}_output")

        def drop(x: Any, name: str) -> Any:
            return layers.Dropout(dropout, dtype=policy, name=name)(x)

        # === Functional graph ===
        inputs = image_input(input_shape, data_format)
        features = build_features(backbone, inputs, build, base_filters=base_filters)
        deepest = attend(features["level5"], attention, build, "attention")
        x = refine(drop(deepest, "level5_dropout"), None, 2 * filters, "refine4")
        x = refine(drop(features["level4"], "level4_dropout"), x, filters, "refine3")
        x = refine(features["level3"], x, filters, "refine2")
        x = refine(features["level2"], x, filters, "refine1")
        x = build.unnormalized_conv(num_classes, 3, name="classifier")(drop(x, "dropout"))
        x = Resize(align_corners=True, name="upsample", **settings)(x, like=inputs)
        outputs = float32_logits(x)

        # === Config ===
        arguments = dict(
            num_classes=num_classes,
            input_shape=input_shape,
            backbone=backbone,
            variant=variant,
            pools=pools,
            conv_first=conv_first,
            normalization=normalization,
            dropout=dropout,
            filters=filters,
            base_filters=base_filters,
            attention=attention,
            data_format=data_format,
            dtype=policy.name,
        )
        super().__init__(inputs, outputs, arguments=arguments, name=name, weights=weights)
