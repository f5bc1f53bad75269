"""DANet."""

from collections.abc import Sequence
from typing import Any, ClassVar

import keras
from keras import layers

from keras_segpaint.backbones.base import OUTPUT_STRIDES, build_features
from keras_segpaint.layers import ChannelAttention, PositionAttention, Resize
from keras_segpaint.layers.factory import LayerFactory
from keras_segpaint.models.segmentation.base import (
    SegmentationModel,
    float32_logits,
    image_input,
    standardize_arguments,
)


@keras.saving.register_keras_serializable(package="keras_segpaint")
class DANet(SegmentationModel):
    """DANet: attention between all positions and attention between all channels, side by side, summed.

    Memory of the position attention grows with the square of the number of positions (`PositionAttention`).

    Args:
        num_classes: Integer >= 1.
        input_shape: `(height, width, channels)`; height and width may be `None`. Defaults to `(None, None, 3)`.
        backbone: `"resnet50"`, `"resnet101"` or another ResNet. Defaults to `"resnet101"`.
        output_stride: 8, 16 or 32: of the features that attend. Defaults to `8`.
        multi_grid: Dilation rates of the blocks of the last stage, in turn, multiples of `32 / output_stride`; the
            authors have `(4, 8, 16)` for Cityscapes. Defaults to `()`, the same rate for all.
        normalization: `"batch"`, `"frozen_batch"` or `"group"`. Defaults to `"batch"`.
        dropout: Float in [0, 1), rate at which channels are dropped in front of each classifier. Defaults to `0.1`.
        base_filters: Integer >= 1, width of the backbone's first stage. Defaults to `64`.
        weights: `None`, `"imagenet"` or the path of a weights file for the backbone. Defaults to `None`.
        supervised: Whether the two branches have classifiers of their own for training: the output is a dictionary of
            `"logits"`, `"position"` and `"channel"`, all of the image's size, and `fit` adds their losses with weight 1.
            Defaults to `False`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        dtype: Dtype or policy of the layers; the logits are float32. `None` for Keras's default.
        name: String. Defaults to `"da_net"`.

    Input shape:
        float32 images in [0, 1], `(batch, height, width, channels)`, any height and width >= 1. Images of three
        channels are normalised by ImageNet's mean and standard deviation inside the model.

    Output shape:
        float32 logits `(batch, height, width, num_classes)`.

    66,454,779 parameters at 19 classes with `supervised=True` (47,462,651 with 50 layers).

    Raises:
        ValueError: If `multi_grid` does not fit `output_stride`.

    References:
        - [Dual Attention Network for Scene Segmentation](https://arxiv.org/abs/1809.02983)

    Example:
        >>> import numpy as np
        >>> model = DANet(19, backbone="resnet50", base_filters=2, data_format="channels_last")
        >>> tuple(model(np.zeros((1, 45, 60, 3), "float32")).shape)
        (1, 45, 60, 19)
    """

    paper: ClassVar[str] = "Fu, Liu, Tian, Li, Bao, Fang, Lu 2018, DANet, arXiv:1809.02983"
    good_for: ClassVar[str] = "Scenes where distant parts of one class must agree"
    reference_parameters: ClassVar[tuple[tuple[dict[str, Any], int], ...]] = (
        ({"num_classes": 19, "backbone": "resnet50", "supervised": True}, 47_462_651),
        ({"num_classes": 19, "backbone": "resnet101", "supervised": True}, 66_454_779),
    )

    def __init__(
        self,
        num_classes: int,
        *,
        input_shape: tuple[int | None, int | None, int] = (None, None, 3),
        backbone: str = "resnet101",
        output_stride: int = 8,
        multi_grid: Sequence[int] = (),
        normalization: str = "batch",
        dropout: float = 0.1,
        base_filters: int = 64,
        weights: str | None = None,
        supervised: bool = False,
        data_format: str | None = None,
        dtype: Any = None,
        name: str = "da_net",
    ):
        input_shape, data_format, policy = standardize_arguments(num_classes, input_shape, data_format, dtype)
        # Another stride is refused where the backbone is built.
        rate = 32 // output_stride if output_stride in OUTPUT_STRIDES else 1
        multi_grid = tuple(multi_grid)
        if any(not isinstance(value, int) or value < 1 or value % rate for value in multi_grid):
            raise ValueError(
                f"`multi_grid` must be positive multiples of 32 / output_stride = {rate}. "
                f"Received: multi_grid={multi_grid}, output_stride={output_stride}"
            )

        # === Layers ===
        build = LayerFactory(data_format, policy, epsilon=1e-5, normalization=normalization)
        settings: dict[str, Any] = dict(data_format=data_format, dtype=policy)

        def unit(x: Any, filters: int, name: str) -> Any:
            x = build.conv(filters, 3, use_bias=False, name=name)(x)
            return build.relu(name=f"{name}_relu")(build.norm(x, f"{name}_bn"))

        def branch(x: Any, attention: layers.Layer, name: str) -> Any:
            filters = build.channels(x) // 4
            return unit(attention(unit(x, filters, f"{name}_reduce")), filters, f"{name}_conv")

        def classify(x: Any, name: str) -> Any:
            x = layers.SpatialDropout2D(dropout, name=f"{name}_dropout", **settings)(x)
            x = build.conv(num_classes, 1, name=f"{name}_classifier")(x)
            return Resize(align_corners=True, name=f"{name}_upsample", **settings)(x, like=inputs)

        # === Functional graph ===
        inputs = image_input(input_shape, data_format)
        x = build_features(
            backbone,
            inputs,
            build,
            output_stride=output_stride,
            multi_grid=tuple(value // rate for value in multi_grid),
            dilate_first=False,
            base_filters=base_filters,
        )["level5"]
        position = branch(x, PositionAttention(name="position_attention", **settings), "position")
        channel = branch(x, ChannelAttention(name="channel_attention", **settings), "channel")
        outputs = float32_logits(classify(build.add(name="sum")([position, channel]), "sum"))
        if supervised:
            heads = {"position": classify(position, "position"), "channel": classify(channel, "channel")}
            outputs = {
                "logits": outputs,
                **{key: layers.Activation("linear", dtype="float32", name=key)(x) for key, x in heads.items()},
            }

        # === Config ===
        arguments = dict(
            num_classes=num_classes,
            input_shape=input_shape,
            backbone=backbone,
            output_stride=output_stride,
            multi_grid=multi_grid,
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
            supervision={"position": 1.0, "channel": 1.0} if supervised else None,
            weights=weights,
        )
