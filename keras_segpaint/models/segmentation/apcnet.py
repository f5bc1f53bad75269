"""APCNet."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import keras

from keras_segpaint.backbones.base import build_features
from keras_segpaint.layers import AdaptiveContextModule
from keras_segpaint.layers.factory import LayerFactory
from keras_segpaint.models.segmentation.base import SegmentationModel, image_input, standardize_arguments
from keras_segpaint.models.segmentation.heads import fcn_head, upsample_logits, with_auxiliary_head


@keras.saving.register_keras_serializable(package="keras_segpaint")
class APCNet(SegmentationModel):
    """APCNet: features at an eighth of the image's size, joined by context that each pixel picks from several grids.

    Args:
        num_classes: Integer >= 1.
        input_shape: `(height, width, channels)`; height and width may be `None`. Defaults to `(None, None, 3)`.
        backbone: `"resnet101"` (the paper's), `"resnet50"` or any other. Defaults to `"resnet101"`.
        output_stride: 8 (the paper's), 16 or 32. Defaults to `8`.
        normalization: `"batch"`, `"frozen_batch"` or `"group"`. Defaults to `"batch"`. The context modules see the
            whole image as a single pixel, of which batch normalisation makes a constant in a batch of one: train
            batches of one with another normalisation.
        bins: Integers >= 1, rows and columns of regions of each context module. Defaults to `(1, 2, 3, 6)`.
        fusion: Boolean, whether each context module ends with a 1x1 convolution. Defaults to `True`.
        filters: Integer >= 1, channels of the context modules and of the convolution behind them. Defaults to `512`.
        dropout: Float in [0, 1), rate in front of the classifiers. Defaults to `0.1`.
        backbone_options: Further arguments of the backbone, such as `{"base_filters": 32}` for a narrower ResNet or
            `{"stem": "deep"}` for PSPNet's. Defaults to `None`.
        weights: `None`, or weights of the backbone: `"imagenet"` or the path of a file. Defaults to `None`.
        supervised: Boolean, adds the auxiliary head on the features before the last stage, for training. Its loss
            counts 0.4. Defaults to `False`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        dtype: Dtype or policy of the layers; the logits are float32. `None` for Keras's default.
        name: String. Defaults to `"apcnet"`.

    Input shape:
        float32 images in [0, 1], `(batch, height, width, channels)`, any height and width >= 1. Images of three
        channels are normalised inside the model.

    Output shape:
        float32 logits `(batch, height, width, num_classes)`; with `supervised=True` a dictionary of two of them,
        `"logits"` and `"aux"`.

    72,966,791 parameters at 21 classes, 53,974,663 with ResNet-50; the auxiliary head has 2,365,205. What the paper
    leaves open follows mmsegmentation, whose ResNet begins with three narrow convolutions instead of one.

    Raises:
        ValueError: If an argument is not one of the above.

    References:
        - [Adaptive Pyramid Context Network for Semantic Segmentation](
          https://openaccess.thecvf.com/content_CVPR_2019/html/He_Adaptive_Pyramid_Context_Network_for_Semantic_Segmentation_CVPR_2019_paper.html)

    Example:
        >>> import numpy as np
        >>> model = APCNet(
        ...     21, backbone="resnet50", filters=8, backbone_options={"base_filters": 2}, data_format="channels_last"
        ... )
        >>> tuple(model(np.zeros((1, 45, 60, 3), "float32")).shape)
        (1, 45, 60, 21)
    """

    paper: ClassVar[str] = "He, Deng, Zhou, Wang, Qiao 2019, APCNet, CVPR 2019"
    good_for: ClassVar[str] = "Scenes whose context differs from place to place"
    reference_parameters: ClassVar[tuple[tuple[dict[str, Any], int], ...]] = (
        ({"num_classes": 21}, 72_966_791),
        ({"num_classes": 21, "backbone": "resnet50", "supervised": True}, 53_974_663 + 2_365_205),
    )

    def __init__(
        self,
        num_classes: int,
        *,
        input_shape: tuple[int | None, int | None, int] = (None, None, 3),
        backbone: str = "resnet101",
        output_stride: int = 8,
        normalization: str = "batch",
        bins: Sequence[int] = (1, 2, 3, 6),
        fusion: bool = True,
        filters: int = 512,
        dropout: float = 0.1,
        backbone_options: Mapping[str, Any] | None = None,
        weights: str | None = None,
        supervised: bool = False,
        data_format: str | None = None,
        dtype: Any = None,
        name: str = "apcnet",
    ):
        input_shape, data_format, policy = standardize_arguments(num_classes, input_shape, data_format, dtype)
        bins = tuple(bins)

        # === Layers ===
        build = LayerFactory(data_format, policy, momentum=0.9, epsilon=1e-5, normalization=normalization)
        contexts = [
            AdaptiveContextModule(
                filters,
                count,
                fusion=fusion,
                normalization=normalization,
                data_format=data_format,
                dtype=policy,
                name=f"context{index}",
            )
            for index, count in enumerate(bins)
        ]

        # === Functional graph ===
        inputs = image_input(input_shape, data_format)
        features = build_features(backbone, inputs, build, output_stride=output_stride, **(backbone_options or {}))
        deep = features["level5"]
        x = build.concatenate(name="pyramid")([deep, *(context(deep) for context in contexts)])
        x = fcn_head(x, num_classes, build, filters=filters, dropout=dropout, name="head")
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
            bins=bins,
            fusion=fusion,
            filters=filters,
            dropout=dropout,
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
            supervision={"aux": 0.4} if supervised else None,
            weights=weights,
        )
