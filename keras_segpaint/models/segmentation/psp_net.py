"""PSPNet."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import keras

from keras_segpaint.backbones.base import build_features
from keras_segpaint.layers import PyramidPooling
from keras_segpaint.layers.factory import LayerFactory
from keras_segpaint.layers.named_attention import Attention, attend, standardize_attention
from keras_segpaint.models.segmentation.base import SegmentationModel, image_input, standardize_arguments
from keras_segpaint.models.segmentation.heads import fcn_head, upsample_logits, with_auxiliary_head


@keras.saving.register_keras_serializable(package="keras_segpaint")
class PSPNet(SegmentationModel):
    """PSPNet: features at an eighth of the image's size, joined by what coarse grids laid over them see.

    Args:
        num_classes: Integer >= 1.
        input_shape: `(height, width, channels)`; height and width may be `None`. Defaults to `(None, None, 3)`.
        backbone: `"resnet50"`, `"resnet101"` or any other. Defaults to `"resnet50"`.
        output_stride: 8 (the paper's), 16 or 32: of the features that are pooled. Defaults to `8`.
        normalization: `"batch"`, `"frozen_batch"` or `"group"`. Defaults to `"batch"`. The grid of one bin is a single
            pixel, of which batch normalisation makes a constant in a batch of one: train batches of one with
            another normalisation, or with `single_bin_norm=False`.
        bins: Integers >= 1, rows and columns of each grid. Defaults to `(1, 2, 3, 6)`.
        single_bin_norm: Boolean, whether the grid of one bin is normalised (the paper) or has a bias instead. Defaults
            to `True`.
        filters: Integer >= 1, channels of the convolution behind the pyramid. Defaults to `512`.
        dropout: Float in [0, 1), rate in front of the classifiers. Defaults to `0.1`.
        align_corners: Boolean, the convention of all resizing. Defaults to `True`, the authors'.
        backbone_options: Further arguments of the backbone, such as `{"base_filters": 32}` for a narrower ResNet or
            `{"stem": "plain"}` for one that starts with a 7x7 convolution. ResNets have the authors'
            `{"stem": "deep"}` unless told otherwise. Defaults to `None`.
        weights: `None`, or weights of the backbone: `"imagenet"` or the path of a file. Defaults to `None`.
        supervised: Boolean, adds the auxiliary head on the features before the last stage, for training. Its loss
            counts 0.4. Defaults to `False`.
        attention: `None`, or attention on the backbone's features, in front of the pyramid: a layer, or one of `"se"`,
            `"eca"`, `"cbam"`, `"sk"`, `"non_local"`, `"self"`, `"position"`, `"channel"`, `"criss_cross"`,
            `"residual"`; see `keras_segpaint.layers`. Of a layer the configuration is taken, with weights of its own.
            Defaults to `None`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        dtype: Dtype or policy of the layers; the logits are float32. `None` for Keras's default.
        name: String. Defaults to `"psp_net"`.

    Input shape:
        float32 images in [0, 1], `(batch, height, width, channels)`, any height and width >= 1. Images of three
        channels are normalised inside the model.

    Output shape:
        float32 logits `(batch, height, width, num_classes)`; with `supervised=True` a dictionary of two of them,
        `"logits"` and `"aux"`.

    46,716,373 parameters at 21 classes, 65,708,501 with ResNet-101; the auxiliary head has 2,365,205. The authors' code
    takes sizes of 8 * n + 1 only; all others are taken here too.

    Raises:
        ValueError: If an argument is not one of the above.

    References:
        - [Pyramid Scene Parsing Network](https://arxiv.org/abs/1612.01105)

    Example:
        >>> import numpy as np
        >>> model = PSPNet(21, filters=8, backbone_options={"base_filters": 2}, data_format="channels_last")
        >>> tuple(model(np.zeros((1, 45, 60, 3), "float32")).shape)
        (1, 45, 60, 21)
    """

    paper: ClassVar[str] = "Zhao, Shi, Qi, Wang, Jia 2016, PSPNet, arXiv:1612.01105"
    good_for: ClassVar[str] = "Whole scenes, whose parts explain each other"
    reference_parameters: ClassVar[tuple[tuple[dict[str, Any], int], ...]] = (
        ({"num_classes": 19}, 46_715_347),
        ({"num_classes": 21}, 46_716_373),
        ({"num_classes": 21, "supervised": True}, 46_716_373 + 2_365_205),
        ({"num_classes": 150}, 46_782_550),
        ({"num_classes": 21, "backbone": "resnet101"}, 65_708_501),
    )

    def __init__(
        self,
        num_classes: int,
        *,
        input_shape: tuple[int | None, int | None, int] = (None, None, 3),
        backbone: str = "resnet50",
        output_stride: int = 8,
        normalization: str = "batch",
        bins: Sequence[int] = (1, 2, 3, 6),
        single_bin_norm: bool = True,
        filters: int = 512,
        dropout: float = 0.1,
        align_corners: bool = True,
        backbone_options: Mapping[str, Any] | None = None,
        weights: str | None = None,
        supervised: bool = False,
        attention: Attention = None,
        data_format: str | None = None,
        dtype: Any = None,
        name: str = "psp_net",
    ):
        input_shape, data_format, policy = standardize_arguments(num_classes, input_shape, data_format, dtype)
        attention = standardize_attention(attention)
        own: dict[str, Any] = {"stem": "deep"} if backbone.startswith("resnet") else {}
        options = {**own, **(backbone_options or {})}

        # === Layers ===
        build = LayerFactory(data_format, policy, momentum=0.9, epsilon=1e-5, normalization=normalization)
        pyramid = PyramidPooling(
            bins,
            normalization=normalization,
            single_bin_norm=single_bin_norm,
            align_corners=align_corners,
            data_format=data_format,
            dtype=policy,
            name="pyramid",
        )

        # === Functional graph ===
        inputs = image_input(input_shape, data_format)
        features = build_features(backbone, inputs, build, output_stride=output_stride, **options)
        x = pyramid(attend(features["level5"], attention, build, "attention"))
        x = fcn_head(x, num_classes, build, filters=filters, dropout=dropout, name="head")
        outputs = upsample_logits(x, inputs, build, align_corners=align_corners, name="logits")
        if supervised:
            outputs = with_auxiliary_head(
                outputs,
                features["level4"],
                inputs,
                build,
                num_classes=num_classes,
                dropout=dropout,
                align_corners=align_corners,
            )

        # === Config ===
        arguments = dict(
            num_classes=num_classes,
            input_shape=input_shape,
            backbone=backbone,
            output_stride=output_stride,
            normalization=normalization,
            bins=tuple(bins),
            single_bin_norm=single_bin_norm,
            filters=filters,
            dropout=dropout,
            align_corners=align_corners,
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
            supervision={"aux": 0.4} if supervised else None,
            weights=weights,
        )
