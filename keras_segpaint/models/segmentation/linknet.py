"""LinkNet."""

from collections.abc import Mapping
from typing import Any, ClassVar

import keras
from keras import layers

from keras_segpaint.backbones.base import build_features
from keras_segpaint.layers import MatchSize2D
from keras_segpaint.layers.factory import LayerFactory
from keras_segpaint.layers.named_attention import Attention, attend, standardize_attention
from keras_segpaint.models.segmentation.base import (
    SegmentationModel,
    float32_logits,
    image_input,
    standardize_arguments,
)


@keras.saving.register_keras_serializable(package="keras_segpaint")
class LinkNet(SegmentationModel):
    """LinkNet: the input of each encoder stage is added to the output of the decoder stage that mirrors it.

    Args:
        num_classes: Integer >= 1.
        input_shape: `(height, width, channels)`; height and width may be `None`. Defaults to `(None, None, 3)`.
        backbone: `"resnet18"` (the paper's), or any other. Of a ResNet the first decoder stage ends at its pooled stem;
            a backbone without one gets a fourth doubling stage to its features of stride 2, and a head that starts
            there. Defaults to `"resnet18"`.
        backbone_options: Further arguments of the backbone, such as `{"alpha": 0.5}` for a narrower MobileNetV2.
            Defaults to `None`.
        weights: Of the backbone: `None`, `"imagenet"` or the path of a weights file. Defaults to `None`.
        attention: `None`, or attention on each skip connection, in front of the sum: a layer, or one of `"se"`,
            `"eca"`, `"cbam"`, `"sk"`, `"non_local"`, `"self"`, `"position"`, `"channel"`, `"criss_cross"`,
            `"residual"`; see `keras_segpaint.layers`. Of a layer the configuration is taken, with weights of its own.
            Defaults to `None`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        dtype: Dtype or policy of the layers; the logits are float32. `None` for Keras's default.
        name: String. Defaults to `"linknet"`.

    Input shape:
        float32 images in [0, 1], `(batch, height, width, channels)`, any height and width >= 1. Images of three
        channels are normalised by ImageNet's mean and standard deviation inside the model.

    Output shape:
        float32 logits `(batch, height, width, num_classes)`.

    11,536,820 parameters at 20 classes.

    Raises:
        ValueError: If the backbone has no features of stride 2.

    References:
        - [LinkNet: Exploiting Encoder Representations for Efficient Semantic Segmentation](https://arxiv.org/abs/1707.03718)

    Example:
        >>> import numpy as np
        >>> model = LinkNet(20, data_format="channels_last")
        >>> tuple(model(np.zeros((1, 45, 60, 3), "float32")).shape)
        (1, 45, 60, 20)
    """

    paper: ClassVar[str] = "Chaurasia, Culurciello 2017, LinkNet, arXiv:1707.03718"
    good_for: ClassVar[str] = "Real time at higher accuracy than the smallest networks"
    reference_parameters: ClassVar[tuple[tuple[dict[str, Any], int], ...]] = (({"num_classes": 20}, 11_536_820),)

    def __init__(
        self,
        num_classes: int,
        *,
        input_shape: tuple[int | None, int | None, int] = (None, None, 3),
        backbone: str = "resnet18",
        backbone_options: Mapping[str, Any] | None = None,
        weights: str | None = None,
        attention: Attention = None,
        data_format: str | None = None,
        dtype: Any = None,
        name: str = "linknet",
    ):
        input_shape, data_format, policy = standardize_arguments(num_classes, input_shape, data_format, dtype)
        attention = standardize_attention(attention)

        # === Layers ===
        build = LayerFactory(data_format, policy, momentum=0.9, epsilon=1e-3)

        def unit(x: Any, layer: layers.Layer) -> Any:
            x = build.batch_norm(name=f"{layer.name}_bn")(layer(x))
            return build.relu(name=f"{layer.name}_relu")(x)

        def double(x: Any, filters: int, like: Any, name: str) -> Any:
            # 3x3, stride 2, padding 1 of PyTorch: the first row and column of the full result fall away.
            x = build.conv_transpose(filters, 3, strides=2, padding="valid", name=name)(x)
            x = layers.Cropping2D(((1, 0), (1, 0)), data_format=data_format, dtype=policy, name=f"{name}_crop")(x)
            x = MatchSize2D(data_format=data_format, dtype=policy, name=f"{name}_fit")(x, like)
            x = build.batch_norm(name=f"{name}_bn")(x)
            return build.relu(name=f"{name}_relu")(x)

        def decoder_block(x: Any, skip: Any, strides: int, name: str) -> Any:
            inner = build.channels(x) // 4
            x = unit(x, build.conv(inner, 1, name=f"{name}_reduce"))
            if strides == 2:
                x = double(x, inner, skip, f"{name}_upsample")
            else:
                x = unit(x, build.conv_transpose(inner, 3, name=f"{name}_upsample"))
            x = unit(x, build.conv(build.channels(skip), 1, name=f"{name}_expand"))
            skip = attend(skip, attention, build, f"{name}_attention")
            return build.relu(name=f"{name}_relu")(build.add(name=f"{name}_add")([x, skip]))

        # === Functional graph ===
        inputs = image_input(input_shape, data_format)
        features = build_features(backbone, inputs, build, **(backbone_options or {}))
        if "level1" not in features:
            raise ValueError(f"`backbone` must have features of stride 2. Received: backbone={backbone!r}")
        x = features["level5"]
        x = decoder_block(x, features["level4"], 2, "decoder4")
        x = decoder_block(x, features["level3"], 2, "decoder3")
        x = decoder_block(x, features["level2"], 2, "decoder2")
        if "pool" in features:
            x = decoder_block(x, features["pool"], 1, "decoder1")
            x = double(x, 32, features["level1"], "head_upsample")
        else:
            x = decoder_block(x, features["level1"], 2, "decoder1")
        x = unit(x, build.conv(32, 3, name="head_conv"))
        x = build.conv_transpose(num_classes, 2, strides=2, padding="valid", name="classifier")(x)
        x = MatchSize2D(data_format=data_format, dtype=policy, name="classifier_fit")(x, inputs)
        outputs = float32_logits(x)

        # === Config ===
        arguments = dict(
            num_classes=num_classes,
            input_shape=input_shape,
            backbone=backbone,
            backbone_options=dict(backbone_options or {}),
            attention=attention,
            data_format=data_format,
            dtype=policy.name,
        )
        super().__init__(inputs, outputs, arguments=arguments, name=name, weights=weights)
