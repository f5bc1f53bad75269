"""CCNet."""

from typing import Any, ClassVar

import keras
from keras import layers

from keras_segpaint.backbones.base import build_features
from keras_segpaint.layers import CrissCrossAttention, Resize
from keras_segpaint.layers.factory import LayerFactory
from keras_segpaint.models.segmentation.base import (
    SegmentationModel,
    float32_logits,
    image_input,
    standardize_arguments,
)


@keras.saving.register_keras_serializable(package="keras_segpaint")
class CCNet(SegmentationModel):
    """CCNet: attention along rows and columns, applied twice, so that each position hears of every other.

    The features of the backbone are narrowed, attend, and are joined with what they were. The units of the head have
    leaky rectifiers, as the authors' code has.

    Args:
        num_classes: Integer >= 1.
        input_shape: `(height, width, channels)`; height and width may be `None`. Defaults to `(None, None, 3)`.
        backbone: `"resnet50"`, `"resnet101"` or another ResNet; with the stem of three 3x3 convolutions. Defaults to
            `"resnet101"`.
        output_stride: 8, 16 or 32: of the features that attend. Defaults to `8`.
        recurrence: Integer >= 1, how many times the attention is applied, with the same weights. Defaults to `2`.
        normalization: `"batch"`, `"frozen_batch"` or `"group"`. Defaults to `"batch"`.
        dropout: Float in [0, 1), rate at which channels are dropped in front of each classifier. Defaults to `0.1`.
        base_filters: Integer >= 1, width of the backbone's first stage. Defaults to `64`.
        weights: `None`, `"imagenet"` or the path of a weights file for the backbone. Defaults to `None`.
        supervised: Whether the backbone's last stage but one has a classifier for training: the output is a dictionary
            of `"logits"` and `"auxiliary"`, both of the image's size, and `fit` adds the loss of the latter with
            weight 0.4. Defaults to `False`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        dtype: Dtype or policy of the layers; the logits are float32. `None` for Keras's default.
        name: String. Defaults to `"cc_net"`.

    Input shape:
        float32 images in [0, 1], `(batch, height, width, channels)`, any height and width >= 1. Images of three
        channels are normalised by ImageNet's mean and standard deviation inside the model.

    Output shape:
        float32 logits `(batch, height, width, num_classes)`.

    66,558,036 parameters at 19 classes, 4,729,875 more with `supervised=True`.

    Raises:
        ValueError: If `recurrence` is not an integer >= 1.

    References:
        - [CCNet: Criss-Cross Attention for Semantic Segmentation](https://arxiv.org/abs/1811.11721)

    Example:
        >>> import numpy as np
        >>> model = CCNet(19, backbone="resnet50", base_filters=2, data_format="channels_last")
        >>> tuple(model(np.zeros((1, 45, 60, 3), "float32")).shape)
        (1, 45, 60, 19)
    """

    paper: ClassVar[str] = "Huang, Wang, Huang, Huang, Wei, Liu 2018, CCNet, arXiv:1811.11721"
    good_for: ClassVar[str] = "Context of the whole image at large sizes, for little memory"
    reference_parameters: ClassVar[tuple[tuple[dict[str, Any], int], ...]] = (
        ({"num_classes": 19}, 66_558_036),
        ({"num_classes": 19, "supervised": True}, 66_558_036 + 4_729_875),
    )

    def __init__(
        self,
        num_classes: int,
        *,
        input_shape: tuple[int | None, int | None, int] = (None, None, 3),
        backbone: str = "resnet101",
        output_stride: int = 8,
        recurrence: int = 2,
        normalization: str = "batch",
        dropout: float = 0.1,
        base_filters: int = 64,
        weights: str | None = None,
        supervised: bool = False,
        data_format: str | None = None,
        dtype: Any = None,
        name: str = "cc_net",
    ):
        input_shape, data_format, policy = standardize_arguments(num_classes, input_shape, data_format, dtype)
        if not isinstance(recurrence, int) or recurrence < 1:
            raise ValueError(f"`recurrence` must be an integer >= 1. Received: recurrence={recurrence!r}")

        # === Layers ===
        build = LayerFactory(data_format, policy, epsilon=1e-5, normalization=normalization)
        settings: dict[str, Any] = dict(data_format=data_format, dtype=policy)

        def unit(x: Any, filters: int, name: str, use_bias: bool = False) -> Any:
            x = build.norm(build.conv(filters, 3, use_bias=use_bias, name=name)(x), f"{name}_bn")
            return layers.LeakyReLU(negative_slope=0.01, dtype=policy, name=f"{name}_relu")(x)

        def classify(x: Any, prefix: str = "") -> Any:
            x = layers.SpatialDropout2D(dropout, name=f"{prefix}dropout", **settings)(x)
            x = build.conv(num_classes, 1, name=f"{prefix}classifier")(x)
            return Resize(align_corners=True, name=f"{prefix}upsample", **settings)(x, like=inputs)

        # === Functional graph ===
        inputs = image_input(input_shape, data_format)
        features = build_features(
            backbone, inputs, build, output_stride=output_stride, stem="deep", base_filters=base_filters
        )
        deep = features["level5"]
        filters = build.channels(deep) // 4
        x = unit(deep, filters, "reduce")
        attention = CrissCrossAttention(name="attention", **settings)
        for _ in range(recurrence):
            x = attention(x)
        x = unit(x, filters, "attended")
        x = unit(build.concatenate(name="join")([deep, x]), filters, "fuse")
        outputs = float32_logits(classify(x))
        if supervised:
            shallow = features["level4"]
            x = classify(unit(shallow, build.channels(shallow) // 2, "auxiliary_conv", use_bias=True), "auxiliary_")
            auxiliary = layers.Activation("linear", dtype="float32", name="auxiliary")(x)
            outputs = {"logits": outputs, "auxiliary": auxiliary}

        # === Config ===
        arguments = dict(
            num_classes=num_classes,
            input_shape=input_shape,
            backbone=backbone,
            output_stride=output_stride,
            recurrence=recurrence,
            normalization=normalization,
            dropout=dropout,
            base_filters=base_filters,
            supervised=supervised,
            data_format=data_format,
            dtype=policy.name,
        )
        super().__init__(
            inputs,
            outputs,
            arguments=arguments,
            name=name,
            supervision={"auxiliary": 0.4} if supervised else None,
            weights=weights,
        )
