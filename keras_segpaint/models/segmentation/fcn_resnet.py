"""FCN on a dilated ResNet."""

from collections.abc import Mapping
from typing import Any, ClassVar

import keras

from keras_segpaint.backbones.base import build_features
from keras_segpaint.layers.factory import LayerFactory
from keras_segpaint.layers.named_attention import Attention, attend, standardize_attention
from keras_segpaint.models.segmentation.base import SegmentationModel, image_input, standardize_arguments
from keras_segpaint.models.segmentation.heads import fcn_head, upsample_logits, with_auxiliary_head


@keras.saving.register_keras_serializable(package="keras_segpaint")
class FCNResNet(SegmentationModel):
    """FCN on a dilated ResNet: one convolution and a classifier on features at an eighth of the image's size.

    The network that torchvision calls `fcn_resnet50` and others "FCN-R50", the baseline of dilated networks. It has
    neither the skip connections nor the VGG of the paper: those are `FCN8s`, `FCN16s` and `FCN32s`.

    Args:
        num_classes: Integer >= 1.
        input_shape: `(height, width, channels)`; height and width may be `None`. Defaults to `(None, None, 3)`.
        backbone: `"resnet50"`, `"resnet101"` or any other. Defaults to `"resnet50"`.
        output_stride: 8, 16 or 32: of the features that are classified. Defaults to `8`.
        normalization: `"batch"`, `"frozen_batch"` or `"group"`. Defaults to `"batch"`.
        dropout: Float in [0, 1), rate in front of the classifiers. Defaults to `0.1`.
        backbone_options: Further arguments of the backbone, such as `{"base_filters": 32}` for a narrower ResNet.
            ResNets have torchvision's `{"dilate_first": False}` unless told otherwise. Defaults to `None`.
        weights: `None`, or weights of the backbone: `"imagenet"` or the path of a file. Defaults to `None`.
        supervised: Boolean, adds the auxiliary head on the features before the last stage, for training. Its loss
            counts 0.5. Defaults to `False`.
        attention: `None`, or attention on the backbone's features, in front of the head: a layer, or one of `"se"`,
            `"eca"`, `"cbam"`, `"sk"`, `"non_local"`, `"self"`, `"position"`, `"channel"`, `"criss_cross"`,
            `"residual"`; see `keras_segpaint.layers`. Of a layer the configuration is taken, with weights of its own.
            Defaults to `None`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        dtype: Dtype or policy of the layers; the logits are float32. `None` for Keras's default.
        name: String. Defaults to `"fcn_resnet"`.

    Input shape:
        float32 images in [0, 1], `(batch, height, width, channels)`, any height and width >= 1. Images of three
        channels are normalised inside the model.

    Output shape:
        float32 logits `(batch, height, width, num_classes)`; with `supervised=True` a dictionary of two of them,
        `"logits"` and `"aux"`.

    32,957,013 parameters at 21 classes, 35,322,218 with the auxiliary head; 54,314,346 with it and ResNet-101.

    Raises:
        ValueError: If an argument is not one of the above.

    References:
        - [Fully Convolutional Networks for Semantic Segmentation](https://arxiv.org/abs/1411.4038)
        - [Multi-Scale Context Aggregation by Dilated Convolutions](https://arxiv.org/abs/1511.07122)
        - [torchvision's FCN](https://docs.pytorch.org/vision/stable/models/fcn.html)

    Example:
        >>> import numpy as np
        >>> model = FCNResNet(21, backbone_options={"base_filters": 2}, data_format="channels_last")
        >>> tuple(model(np.zeros((1, 45, 60, 3), "float32")).shape)
        (1, 45, 60, 21)
    """

    paper: ClassVar[str] = "Long, Shelhamer, Darrell 2014, FCN, arXiv:1411.4038, on the dilated ResNet of torchvision"
    good_for: ClassVar[str] = "A plain baseline"
    reference_parameters: ClassVar[tuple[tuple[dict[str, Any], int], ...]] = (
        ({"num_classes": 21}, 32_957_013),
        ({"num_classes": 21, "supervised": True}, 35_322_218),
        ({"num_classes": 21, "backbone": "resnet101", "supervised": True}, 54_314_346),
    )

    def __init__(
        self,
        num_classes: int,
        *,
        input_shape: tuple[int | None, int | None, int] = (None, None, 3),
        backbone: str = "resnet50",
        output_stride: int = 8,
        normalization: str = "batch",
        dropout: float = 0.1,
        backbone_options: Mapping[str, Any] | None = None,
        weights: str | None = None,
        supervised: bool = False,
        attention: Attention = None,
        data_format: str | None = None,
        dtype: Any = None,
        name: str = "fcn_resnet",
    ):
        input_shape, data_format, policy = standardize_arguments(num_classes, input_shape, data_format, dtype)
        attention = standardize_attention(attention)
        own: dict[str, Any] = {"dilate_first": False} if backbone.startswith("resnet") else {}
        options = {**own, **(backbone_options or {})}

        # === Layers ===
        build = LayerFactory(data_format, policy, momentum=0.9, epsilon=1e-5, normalization=normalization)

        # === Functional graph ===
        inputs = image_input(input_shape, data_format)
        features = build_features(backbone, inputs, build, output_stride=output_stride, **options)
        x = fcn_head(
            attend(features["level5"], attention, build, "attention"), num_classes, build, dropout=dropout, name="head"
        )
        outputs = upsample_logits(x, inputs, build, name="logits")
        if supervised:
            outputs = with_auxiliary_head(
                outputs,
                features["level4"],
                inputs,
                build,
                num_classes=num_classes,
                dropout=dropout,
                align_corners=False,
            )

        # === Config ===
        arguments = dict(
            num_classes=num_classes,
            input_shape=input_shape,
            backbone=backbone,
            output_stride=output_stride,
            normalization=normalization,
            dropout=dropout,
            backbone_options=dict(backbone_options or {}),
            supervised=supervised,
            attention=attention,
            data_format=data_format,
            dtype=policy.name,
        )
        super().__init__(
            inputs,
            outputs,
            arguments=arguments,
            name=name,
            supervision={"aux": 0.5} if supervised else None,
            weights=weights,
        )
