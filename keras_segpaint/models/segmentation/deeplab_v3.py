"""DeepLab v3."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import keras

from keras_segpaint.backbones.base import build_features
from keras_segpaint.layers import AtrousSpatialPyramidPooling
from keras_segpaint.layers.factory import LayerFactory
from keras_segpaint.models.segmentation.base import SegmentationModel, image_input, standardize_arguments
from keras_segpaint.models.segmentation.heads import upsample_logits, with_auxiliary_head

MULTI_GRID = (1, 2, 4)


def atrous_rates(rates: Sequence[int] | None, output_stride: int) -> tuple[int, ...]:
    """The dilation rates of the pyramid: those given, or the papers' for features of `output_stride`."""
    if rates is not None:
        return tuple(rates)
    return (12, 24, 36) if output_stride == 8 else (6, 12, 18)


@keras.saving.register_keras_serializable(package="keras_segpaint")
class DeepLabV3(SegmentationModel):
    """DeepLab v3: dilated features, seen through several dilation rates and as a whole at once.

    The defaults are the paper's network. torchvision's is `DeepLabV3(21, backbone="resnet50", output_stride=8,
    multi_grid=(), head_conv=True, dropout=0.5, backbone_options={"dilate_first": False})`, or with
    `backbone="mobilenet_v3_large", output_stride=16, rates=(12, 24, 36), head_conv=True, dropout=0.5,
    backbone_options={"dilate_first": True}`.

    Args:
        num_classes: Integer >= 1.
        input_shape: `(height, width, channels)`; height and width may be `None`. Defaults to `(None, None, 3)`.
        backbone: `"resnet101"`, `"resnet50"` or any other. Defaults to `"resnet101"`.
        output_stride: 8 or 16 (the paper trains with 16 and measures with 8 too), or 32. Defaults to `16`.
        rates: Dilation rates of the pyramid, integers >= 1; `None` for the paper's `(6, 12, 18)`, and `(12, 24, 36)` at
            an output stride of 8. Defaults to `None`.
        multi_grid: Multiplies the dilation rates of a ResNet's last blocks, in turn; `()` for no change. Only for
            ResNets. Defaults to `(1, 2, 4)`.
        head_conv: Boolean, a 3x3 convolution between pyramid and classifier, as in torchvision and
            segmentation_models.pytorch. Defaults to `False`.
        normalization: `"batch"`, `"frozen_batch"` or `"group"`. Defaults to `"batch"`. The pyramid sees the whole image
            as a single pixel, of which batch normalisation makes a constant in a batch of one: train batches of
            one with another normalisation.
        aspp_filters: Integer >= 1, channels of the pyramid. Defaults to `256`.
        dropout: Float in [0, 1), rate behind the pyramid. Defaults to `0.1`.
        align_corners: Boolean, the convention of the resizing of the logits. Defaults to `False`.
        backbone_options: Further arguments of the backbone, such as `{"base_filters": 32}` for a narrower ResNet.
            Defaults to `None`.
        weights: `None`, or weights of the backbone: `"imagenet"` or the path of a file. Defaults to `None`.
        supervised: Boolean, adds torchvision's auxiliary head for training, on a ResNet's features before the last
            stage and on a MobileNet's at an eighth of the image's size. Its loss counts 0.5. Defaults to `False`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        dtype: Dtype or policy of the layers; the logits are float32. `None` for Keras's default.
        name: String. Defaults to `"deeplab_v3"`.

    Input shape:
        float32 images in [0, 1], `(batch, height, width, channels)`, any height and width >= 1. Images of three
        channels are normalised inside the model.

    Output shape:
        float32 logits `(batch, height, width, num_classes)`; with `supervised=True` a dictionary of two of them,
        `"logits"` and `"aux"`.

    58,040,661 parameters at 21 classes; in torchvision's form 39,638,869 with ResNet-50 and 58,630,997 with ResNet-101,
    to which the auxiliary head adds 2,365,205, and 11,029,328 with MobileNetV3 and auxiliary head. That head is behind
    the last block of an eighth of the image's size here, behind the first in torchvision's MobileNetV3. Blocks of the
    ResNet stride in their 3x3 convolution, as torchvision's do; those of `"resnet101_v1"` stride in their first.

    Raises:
        ValueError: If an argument is not one of the above.

    References:
        - [Rethinking Atrous Convolution for Semantic Image Segmentation](https://arxiv.org/abs/1706.05587)

    Example:
        >>> import numpy as np
        >>> model = DeepLabV3(21, aspp_filters=8, backbone_options={"base_filters": 2}, data_format="channels_last")
        >>> tuple(model(np.zeros((1, 45, 60, 3), "float32")).shape)
        (1, 45, 60, 21)
    """

    paper: ClassVar[str] = "Chen, Papandreou, Schroff, Adam 2017, DeepLab v3, arXiv:1706.05587"
    good_for: ClassVar[str] = "Objects of many sizes; a strong standard"
    reference_parameters: ClassVar[tuple[tuple[dict[str, Any], int], ...]] = (
        ({"num_classes": 21}, 58_040_661),
        ({"num_classes": 21, "backbone": "resnet50", "head_conv": True}, 39_638_869),
        ({"num_classes": 21, "backbone": "resnet50", "head_conv": True, "supervised": True}, 42_004_074),
        ({"num_classes": 21, "backbone": "resnet101", "head_conv": True}, 58_630_997),
        ({"num_classes": 21, "backbone": "mobilenet_v3_large", "head_conv": True, "supervised": True}, 11_029_328),
    )

    def __init__(
        self,
        num_classes: int,
        *,
        input_shape: tuple[int | None, int | None, int] = (None, None, 3),
        backbone: str = "resnet101",
        output_stride: int = 16,
        rates: Sequence[int] | None = None,
        multi_grid: Sequence[int] = MULTI_GRID,
        head_conv: bool = False,
        normalization: str = "batch",
        aspp_filters: int = 256,
        dropout: float = 0.1,
        align_corners: bool = False,
        backbone_options: Mapping[str, Any] | None = None,
        weights: str | None = None,
        supervised: bool = False,
        data_format: str | None = None,
        dtype: Any = None,
        name: str = "deeplab_v3",
    ):
        input_shape, data_format, policy = standardize_arguments(num_classes, input_shape, data_format, dtype)
        own: dict[str, Any] = {"multi_grid": tuple(multi_grid)} if backbone.startswith("resnet") else {}
        options = {**own, **(backbone_options or {})}

        # === Layers ===
        build = LayerFactory(data_format, policy, momentum=0.9, epsilon=1e-5, normalization=normalization)
        pyramid = AtrousSpatialPyramidPooling(
            aspp_filters,
            atrous_rates(rates, output_stride),
            normalization=normalization,
            dropout=dropout,
            data_format=data_format,
            dtype=policy,
            name="aspp",
        )

        # === Functional graph ===
        inputs = image_input(input_shape, data_format)
        features = build_features(backbone, inputs, build, output_stride=output_stride, **options)
        x = pyramid(features["level5"])
        if head_conv:
            x = build.conv(aspp_filters, 3, use_bias=False, name="head_conv")(x)
            x = build.relu(name="head_relu")(build.norm(x, "head_bn"))
        x = build.conv(num_classes, 1, name="head_classifier")(x)
        outputs = upsample_logits(x, inputs, build, align_corners=align_corners, name="logits")
        if supervised:
            before = features["stage3_block1" if backbone.startswith("mobilenet") else "level4"]
            outputs = with_auxiliary_head(
                outputs,
                before,
                inputs,
                build,
                num_classes=num_classes,
                dropout=0.1,
                align_corners=align_corners,
            )

        # === Config ===
        arguments = dict(
            num_classes=num_classes,
            input_shape=input_shape,
            backbone=backbone,
            output_stride=output_stride,
            rates=None if rates is None else tuple(rates),
            multi_grid=tuple(multi_grid),
            head_conv=head_conv,
            normalization=normalization,
            aspp_filters=aspp_filters,
            dropout=dropout,
            align_corners=align_corners,
            backbone_options=dict(backbone_options or {}),
            supervised=supervised,
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
