"""DeepLab v3+."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import keras

from keras_segpaint.backbones.base import build_features
from keras_segpaint.layers import AtrousSpatialPyramidPooling, Resize
from keras_segpaint.layers.factory import LayerFactory
from keras_segpaint.layers.named_attention import Attention, attend, standardize_attention
from keras_segpaint.models.segmentation.base import SegmentationModel, image_input, standardize_arguments
from keras_segpaint.models.segmentation.deeplab_v3 import MULTI_GRID, atrous_rates
from keras_segpaint.models.segmentation.heads import upsample_logits


@keras.saving.register_keras_serializable(package="keras_segpaint")
class DeepLabV3Plus(SegmentationModel):
    """DeepLab v3+: the pyramid of v3, joined in a small decoder by features of a quarter of the image's size.

    segmentation_models.pytorch's network is `DeepLabV3Plus(21, backbone="resnet50", rates=(12, 24, 36), multi_grid=(),
    separable=True, depthwise_norm=False, head_conv=True, decoder_convs=1, align_corners=True, dropout=0.5)`.

    Args:
        num_classes: Integer >= 1.
        input_shape: `(height, width, channels)`; height and width may be `None`. Defaults to `(None, None, 3)`.
        backbone: `"resnet101"`, `"xception65"`, `"mobilenet_v2"` or any other. Defaults to `"resnet101"`.
        output_stride: 8, 16 or 32: of the features that the pyramid sees. Defaults to `16`.
        rates: Dilation rates of the pyramid, integers >= 1; `None` for the paper's `(6, 12, 18)`, and `(12, 24, 36)` at
            an output stride of 8. Defaults to `None`.
        multi_grid: Multiplies the dilation rates of a ResNet's last blocks, in turn; `()` for no change. Only for
            ResNets. Defaults to `(1, 2, 4)`.
        separable: Boolean, depthwise and pointwise convolutions in place of the 3x3 ones of pyramid and decoder, as the
            authors' have with Xception. Defaults to `False`.
        depthwise_norm: Boolean, whether normalisation and a rectifier stand between a depthwise and its pointwise
            convolution. Defaults to `True`, the authors'.
        head_conv: Boolean, a 3x3 convolution behind the pyramid, in front of the decoder. Defaults to `False`.
        decoder_convs: Integer >= 1, 3x3 convolutions of the decoder. Defaults to `2`.
        normalization: `"batch"`, `"frozen_batch"` or `"group"`. Defaults to `"batch"`. The pyramid sees the whole image
            as a single pixel, of which batch normalisation makes a constant in a batch of one: train batches of
            one with another normalisation.
        aspp_filters: Integer >= 1, channels of the pyramid. Defaults to `256`.
        low_level_filters: Integer >= 1, to which the features of a quarter of the image's size are reduced. Defaults to
            `48`.
        decoder_filters: Integer >= 1, channels of the decoder. Defaults to `256`.
        dropout: Float in [0, 1), rate behind the pyramid. Defaults to `0.1`.
        align_corners: Boolean, the convention of all resizing. Defaults to `False`.
        backbone_options: Further arguments of the backbone, such as `{"base_filters": 32}` for a narrower ResNet.
            Defaults to `None`.
        weights: `None`, or weights of the backbone: `"imagenet"` or the path of a file. Defaults to `None`.
        attention: `None`, or attention between the encoder, whose end the pyramid is, and the decoder: a layer, or one
            of `"se"`, `"eca"`, `"cbam"`, `"sk"`, `"non_local"`, `"self"`, `"position"`, `"channel"`, `"criss_cross"`,
            `"residual"`; see `keras_segpaint.layers`. Of a layer the configuration is taken, with weights of its own.
            Defaults to `None`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        dtype: Dtype or policy of the layers; the logits are float32. `None` for Keras's default.
        name: String. Defaults to `"deeplab_v3_plus"`.

    Input shape:
        float32 images in [0, 1], `(batch, height, width, channels)`, any height and width >= 1. Images of three
        channels are normalised inside the model.

    Output shape:
        float32 logits `(batch, height, width, num_classes)`.

    59,344,309 parameters at 21 classes; in the form of segmentation_models.pytorch 26,682,725 with ResNet-50,
    45,674,853 with ResNet-101 and 41,042,005 with Xception-65.

    Raises:
        ValueError: If an argument is not one of the above.

    References:
        - [Encoder-Decoder with Atrous Separable Convolution for Semantic Image Segmentation](
          https://arxiv.org/abs/1802.02611)

    Example:
        >>> import numpy as np
        >>> model = DeepLabV3Plus(
        ...     21, aspp_filters=8, decoder_filters=8, backbone_options={"base_filters": 2}, data_format="channels_last"
        ... )
        >>> tuple(model(np.zeros((1, 45, 60, 3), "float32")).shape)
        (1, 45, 60, 21)
    """

    paper: ClassVar[str] = "Chen, Zhu, Papandreou, Schroff, Adam 2018, DeepLab v3+, arXiv:1802.02611"
    good_for: ClassVar[str] = "Objects of many sizes with sharp borders"
    reference_parameters: ClassVar[tuple[tuple[dict[str, Any], int], ...]] = (
        ({"num_classes": 21}, 59_344_309),
        *(
            (
                {
                    "num_classes": 21,
                    "backbone": backbone,
                    "separable": True,
                    "depthwise_norm": False,
                    "head_conv": True,
                    "decoder_convs": 1,
                },
                count,
            )
            for backbone, count in (
                ("resnet50", 26_682_725),
                ("resnet101", 45_674_853),
                ("xception65", 41_042_005),
            )
        ),
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
        separable: bool = False,
        depthwise_norm: bool = True,
        head_conv: bool = False,
        decoder_convs: int = 2,
        normalization: str = "batch",
        aspp_filters: int = 256,
        low_level_filters: int = 48,
        decoder_filters: int = 256,
        dropout: float = 0.1,
        align_corners: bool = False,
        backbone_options: Mapping[str, Any] | None = None,
        weights: str | None = None,
        attention: Attention = None,
        data_format: str | None = None,
        dtype: Any = None,
        name: str = "deeplab_v3_plus",
    ):
        input_shape, data_format, policy = standardize_arguments(num_classes, input_shape, data_format, dtype)
        attention = standardize_attention(attention)
        if decoder_convs < 1:
            raise ValueError(f"`decoder_convs` must be an integer >= 1. Received: decoder_convs={decoder_convs}")
        own: dict[str, Any] = {"multi_grid": tuple(multi_grid)} if backbone.startswith("resnet") else {}
        options = {**own, **(backbone_options or {})}

        # === Layers ===
        build = LayerFactory(data_format, policy, momentum=0.9, epsilon=1e-5, normalization=normalization)
        pyramid = AtrousSpatialPyramidPooling(
            aspp_filters,
            atrous_rates(rates, output_stride),
            separable=separable,
            depthwise_norm=depthwise_norm,
            normalization=normalization,
            dropout=dropout,
            data_format=data_format,
            dtype=policy,
            name="aspp",
        )

        # === Functional graph ===
        inputs = image_input(input_shape, data_format)
        features = build_features(backbone, inputs, build, output_stride=output_stride, **options)
        x = decoder(
            attend(pyramid(features["level5"]), attention, build, "attention"),
            features["level2"],
            build,
            filters=decoder_filters,
            low_level_filters=low_level_filters,
            head_conv=head_conv,
            convs=decoder_convs,
            separable=separable,
            depthwise_norm=depthwise_norm,
            align_corners=align_corners,
        )
        x = build.conv(num_classes, 1, name="head_classifier")(x)
        outputs = upsample_logits(x, inputs, build, align_corners=align_corners, name="logits")

        # === Config ===
        arguments = dict(
            num_classes=num_classes,
            input_shape=input_shape,
            backbone=backbone,
            output_stride=output_stride,
            rates=None if rates is None else tuple(rates),
            multi_grid=tuple(multi_grid),
            separable=separable,
            depthwise_norm=depthwise_norm,
            head_conv=head_conv,
            decoder_convs=decoder_convs,
            normalization=normalization,
            aspp_filters=aspp_filters,
            low_level_filters=low_level_filters,
            decoder_filters=decoder_filters,
            dropout=dropout,
            align_corners=align_corners,
            backbone_options=dict(backbone_options or {}),
            attention=attention,
            data_format=data_format,
            dtype=policy.name,
        )
        super().__init__(inputs, outputs, arguments=arguments, name=name, weights=weights)


def decoder(
    x: Any,
    low_level: Any,
    build: LayerFactory,
    *,
    filters: int,
    low_level_filters: int,
    head_conv: bool,
    convs: int,
    separable: bool,
    depthwise_norm: bool,
    align_corners: bool,
) -> Any:
    """Joins the pyramid's features `x` with those of a quarter of the image's size."""

    def unit(x: Any, filters: int, kernel_size: int, name: str) -> Any:
        if separable and kernel_size > 1:
            x = build.depthwise_conv(kernel_size, use_bias=False, name=f"{name}_depthwise")(x)
            if depthwise_norm:
                x = build.norm(x, f"{name}_depthwise_bn")
                x = build.relu(name=f"{name}_depthwise_relu")(x)
            kernel_size = 1
        x = build.conv(filters, kernel_size, use_bias=False, name=f"{name}_conv")(x)
        return build.relu(name=f"{name}_relu")(build.norm(x, f"{name}_bn"))

    if head_conv:
        x = unit(x, build.channels(x), 3, "head")
    resize = Resize(align_corners=align_corners, data_format=build.data_format, dtype=build.dtype, name="upsample")
    low_level = unit(low_level, low_level_filters, 1, "low_level")
    x = build.concatenate(name="decoder_concat")([resize(x, like=low_level), low_level])
    for index in range(1, convs + 1):
        x = unit(x, filters, 3, f"decoder{index}")
    return x
