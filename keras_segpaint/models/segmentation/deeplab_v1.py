"""DeepLab v1."""

from typing import Any, ClassVar

import keras
from keras import layers

from keras_segpaint.backbones.base import build_features
from keras_segpaint.layers import Resize
from keras_segpaint.layers.factory import LayerFactory
from keras_segpaint.models.segmentation.base import (
    SegmentationModel,
    float32_logits,
    image_input,
    standardize_arguments,
)

# Kernel, dilation rate and width (as a multiple of the first block's) of the first fully connected layer.
FIELDS_OF_VIEW = {
    "large": (3, 12, 16),
    "base": (4, 4, 64),
    "4x4": (4, 8, 64),
    "7x7": (7, 4, 64),
}
BRANCHES = ("image", "pool1", "pool2", "pool3", "pool4")


@keras.saving.register_keras_serializable(package="keras_segpaint")
class DeepLabV1(SegmentationModel):
    """DeepLab v1: VGG-16 whose last pools do not stride and whose later convolutions are dilated, at stride 8.

    Its outlines are as coarse as the stride; the paper sharpens them by a dense conditional random field on top, which
    is no part of the network.

    Args:
        num_classes: Integer >= 1.
        input_shape: `(height, width, channels)`; height and width may be `None`. Defaults to `(None, None, 3)`.
        backbone: `"vgg16"` (the paper's) or `"vgg16_bn"`. Defaults to `"vgg16"`.
        field_of_view: The first fully connected layer, and what comes with it. `"large"`: 3x3 of rate 12, 1024
            channels, pools of 3x3 and a 3x3 average behind them. `"base"`: 4x4 of rate 4, `"4x4"`: 4x4 of rate 8,
            `"7x7"`: 7x7 of rate 4, all of 4096 channels, with pools of 2x2. Defaults to `"large"`.
        multi_scale: Boolean: the image and the first four pools have classifiers of their own (3x3 and 1x1 of 128
            channels, 1x1), added to the scores at full size as in the authors' code; the paper's text joins them by
            concatenation. Defaults to `False`.
        dropout: Float in [0, 1), rate behind each fully connected layer and within the branches. Defaults to `0.5`.
        base_filters: Integer >= 1, width of the first block; the others follow. Defaults to `64`.
        normalization: `"batch"`, `"frozen_batch"` or `"group"`, for `"vgg16_bn"`. Defaults to `"batch"`.
        weights: `None`, `"imagenet"` for the backbone, or the path of a weights file. Defaults to `None`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        dtype: Dtype or policy of the layers; the logits are float32. `None` for Keras's default.
        name: String. Defaults to `"deeplab_v1"`.

    Input shape:
        float32 images in [0, 1], `(batch, height, width, channels)`, any height and width >= 1. Images of three
        channels are normalised by ImageNet's mean and standard deviation inside the model. With pools of 3x3 the places
        of the scores are every eighth pixel, from the first: sizes of `8 * k + 1` fit exactly.

    Output shape:
        float32 logits `(batch, height, width, num_classes)`, upsampled bilinearly, corners aligned with pools of 3x3.
        The authors train on labels made eight times as small instead; here the loss sees every pixel.

    20,505,429 parameters at 21 classes (21,711,550 with `multi_scale`), 65,140,565 and 134,346,581 with the 4x4 and 7x7
    fields of view.

    Raises:
        ValueError: If an argument is not one of the above.

    References:
        - [Semantic Image Segmentation with Deep Convolutional Nets and Fully Connected
          CRFs](https://arxiv.org/abs/1412.7062)

    Example:
        >>> import numpy as np
        >>> model = DeepLabV1(21, base_filters=2, data_format="channels_last")
        >>> tuple(model(np.zeros((1, 45, 60, 3), "float32")).shape)
        (1, 45, 60, 21)
    """

    paper: ClassVar[str] = "Chen, Papandreou, Kokkinos, Murphy, Yuille 2014, DeepLab (v1), arXiv:1412.7062"
    good_for: ClassVar[str] = "Objects in photographs, with a dense CRF behind it"
    reference_parameters: ClassVar[tuple[tuple[dict[str, Any], int], ...]] = (
        ({"num_classes": 21}, 20_505_429),
        ({"num_classes": 21, "multi_scale": True}, 21_711_550),
        ({"num_classes": 21, "field_of_view": "base"}, 65_140_565),
        ({"num_classes": 21, "field_of_view": "7x7"}, 134_346_581),
    )

    def __init__(
        self,
        num_classes: int,
        *,
        input_shape: tuple[int | None, int | None, int] = (None, None, 3),
        backbone: str = "vgg16",
        field_of_view: str = "large",
        multi_scale: bool = False,
        dropout: float = 0.5,
        base_filters: int = 64,
        normalization: str = "batch",
        weights: str | None = None,
        data_format: str | None = None,
        dtype: Any = None,
        name: str = "deeplab_v1",
    ):
        input_shape, data_format, policy = standardize_arguments(num_classes, input_shape, data_format, dtype)
        if backbone not in ("vgg16", "vgg16_bn"):
            raise ValueError(f'`backbone` must be "vgg16" or "vgg16_bn". Received: backbone={backbone!r}')
        if field_of_view not in FIELDS_OF_VIEW:
            raise ValueError(
                f"`field_of_view` must be one of {', '.join(FIELDS_OF_VIEW)}. Received: field_of_view={field_of_view!r}"
            )
        kernel_size, rate, width = FIELDS_OF_VIEW[field_of_view]
        large = field_of_view == "large"

        # === Layers ===
        build = LayerFactory(data_format, policy, momentum=0.9, epsilon=1e-5, normalization=normalization)

        def upsample(x: Any, like: Any, name: str) -> Any:
            return Resize(align_corners=large, data_format=data_format, dtype=policy, name=name)(x, like=like)

        def branch(x: Any, name: str) -> Any:
            for part, kernel in (("conv", 3), ("fc", 1)):
                x = build.conv(2 * base_filters, kernel, name=f"{name}_{part}")(x)
                x = build.relu(name=f"{name}_{part}_relu")(x)
                if dropout:
                    x = layers.Dropout(dropout, dtype=policy, name=f"{name}_{part}_dropout")(x)
            return build.conv(num_classes, 1, name=f"{name}_score")(x)

        # === Functional graph ===
        inputs = image_input(input_shape, data_format)
        features = build_features(
            backbone,
            inputs,
            build,
            output_stride=8,
            pool_size=3 if large else 2,
            average_pool=large,
            fully_convolutional=True,
            fc_kernel_size=kernel_size,
            fc_dilation_rate=rate,
            fc_filters=width * base_filters,
            dropout=dropout,
            base_filters=base_filters,
        )
        x = build.conv(num_classes, 1, name="fc8")(features["fc7"])
        x = upsample(x, inputs, "upsample")
        if multi_scale:
            scores = [upsample(branch(features[name], name), inputs, f"{name}_upsample") for name in BRANCHES]
            x = build.add(name="fusion")([x, *scores])
        outputs = float32_logits(x)

        # === Config ===
        arguments = dict(
            num_classes=num_classes,
            input_shape=input_shape,
            backbone=backbone,
            field_of_view=field_of_view,
            multi_scale=multi_scale,
            dropout=dropout,
            base_filters=base_filters,
            normalization=normalization,
            data_format=data_format,
            dtype=policy.name,
        )
        super().__init__(inputs, outputs, arguments=arguments, name=name, weights=weights)
