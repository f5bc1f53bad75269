"""SegNet and SegNet-Basic, with their Bayesian forms."""

from typing import Any, ClassVar

import keras
from keras import layers

from keras_segpaint.layers import LocalResponseNormalization, MaxPoolingWithArgmax2D, MaxUnpooling2D
from keras_segpaint.layers.factory import LayerFactory
from keras_segpaint.layers.named_attention import Attention, attend, standardize_attention
from keras_segpaint.models.segmentation.base import (
    SegmentationModel,
    float32_logits,
    image_input,
    standardize_arguments,
)

PAPER = "Badrinarayanan, Kendall, Cipolla 2015, SegNet, arXiv:1511.00561"


@keras.saving.register_keras_serializable(package="keras_segpaint")
class SegNet(SegmentationModel):
    """SegNet: a VGG-16 encoder whose pooling positions place the decoder's values.

    Thirteen 3x3 convolutions with bias, batch normalisation and ReLU in five stages, each followed by 2x2 max pooling;
    the decoder mirrors them, each stage beginning with unpooling to the positions of the encoder's maxima.

    Args:
        num_classes: Integer >= 1.
        input_shape: `(height, width, channels)`; height and width may be `None`. Defaults to `(None, None, 3)`.
        base_filters: Integer >= 1, width of the first stage; the others have 2, 4, 8 and 8 times as many.
            Defaults to `64`.
        bayesian: Boolean, dropout of one half after pools 3, 4 and 5 and after decoder stages 5, 4 and 3 (Bayesian
            SegNet). `keras_segpaint.inference.mc_dropout` keeps it on at test time. Defaults to `False`.
        pool_padding: `"same"` rounds odd sizes up, as Caffe's pooling in the original; `"valid"` rounds them down, as
            the PyTorch ports do, and needs at least 32 rows and columns. Defaults to `"same"`.
        attention: `None`, or attention between encoder and decoder: a layer, or one of `"se"`, `"eca"`, `"cbam"`,
            `"sk"`, `"non_local"`, `"self"`, `"position"`, `"channel"`, `"criss_cross"`, `"residual"`; see
            `keras_segpaint.layers`. Of a layer the configuration is taken, with weights of its own. Defaults to `None`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        dtype: Dtype or policy of the layers; the logits are float32. `None` for Keras's default.
        name: String. Defaults to `"segnet"`.

    Input shape:
        float32 images in [0, 1], `(batch, height, width, channels)`, any height and width >= 1.

    Output shape:
        float32 logits `(batch, height, width, num_classes)`.

    29,449,355 parameters at 11 classes. The paper's local contrast normalisation of the input is left to the caller:
    batch normalisation after the first convolution takes its place in the published models too.

    References:
        - [SegNet](https://arxiv.org/abs/1511.00561)
        - [Bayesian SegNet](https://arxiv.org/abs/1511.02680)

    Example:
        >>> import numpy as np
        >>> model = SegNet(11, base_filters=2, data_format="channels_last")
        >>> tuple(model(np.zeros((1, 45, 60, 3), "float32")).shape)
        (1, 45, 60, 11)
    """

    paper: ClassVar[str] = PAPER
    good_for: ClassVar[str] = "Road scenes; sharp boundaries from little memory; Bayesian form: how sure it is"
    reference_parameters: ClassVar[tuple[tuple[dict[str, Any], int], ...]] = (({"num_classes": 11}, 29_449_355),)

    def __init__(
        self,
        num_classes: int,
        *,
        input_shape: tuple[int | None, int | None, int] = (None, None, 3),
        base_filters: int = 64,
        bayesian: bool = False,
        pool_padding: str = "same",
        attention: Attention = None,
        data_format: str | None = None,
        dtype: Any = None,
        name: str = "segnet",
    ):
        input_shape, data_format, policy = standardize_arguments(num_classes, input_shape, data_format, dtype)
        attention = standardize_attention(attention)

        # === Layers ===
        build = LayerFactory(data_format, policy, momentum=0.9, epsilon=1e-5)
        widths = [base_filters * factor for factor in (1, 2, 4, 8, 8)]
        depths = (2, 2, 3, 3, 3)

        def convolutions(x: Any, filters: list[int], prefix: str) -> Any:
            for index, width in enumerate(filters, start=1):
                x = build.conv(width, 3, name=f"{prefix}_{index}")(x)
                x = build.batch_norm(name=f"{prefix}_{index}_bn")(x)
                x = build.relu(name=f"{prefix}_{index}_relu")(x)
            return x

        # === Functional graph ===
        inputs = image_input(input_shape, data_format)
        x = inputs
        pooled = []
        for stage, (width, depth) in enumerate(zip(widths, depths, strict=True), start=1):
            x = convolutions(x, [width] * depth, f"conv{stage}")
            before = x
            x, positions = _pool(build, pool_padding, f"pool{stage}")(x)
            pooled.append((before, positions))
            if bayesian and stage >= 3:
                x = layers.Dropout(0.5, dtype=policy, name=f"encoder_dropout{stage}")(x)
        x = attend(x, attention, build, "attention")
        for stage in range(5, 0, -1):
            before, positions = pooled[stage - 1]
            x = _unpool(build, pool_padding, f"unpool{stage}")(x, positions, like=before)
            # Each stage ends in the width of the stage before it; the last one leaves its final place to the head.
            filters = [widths[stage - 1]] * (depths[stage - 1] - 1)
            if stage > 1:
                filters.append(widths[stage - 2])
            x = convolutions(x, filters, f"decoder{stage}")
            if bayesian and stage >= 3:
                x = layers.Dropout(0.5, dtype=policy, name=f"decoder_dropout{stage}")(x)
        outputs = float32_logits(build.conv(num_classes, 3, name="classifier")(x))

        # === Config ===
        arguments = dict(
            num_classes=num_classes,
            input_shape=input_shape,
            base_filters=base_filters,
            bayesian=bayesian,
            pool_padding=pool_padding,
            attention=attention,
            data_format=data_format,
            dtype=policy.name,
        )
        super().__init__(inputs, outputs, arguments=arguments, name=name)


@keras.saving.register_keras_serializable(package="keras_segpaint")
class SegNetBasic(SegmentationModel):
    """SegNet-Basic: four 7x7 convolutions down, four up, no rectifier in the decoder.

    Args:
        num_classes: Integer >= 1.
        input_shape: `(height, width, channels)`; height and width may be `None`. Defaults to `(None, None, 3)`.
        base_filters: Integer >= 1, width of every convolution. Defaults to `64`.
        bayesian: Boolean, dropout of one half after pools 3 and 4 and after decoder convolutions 4 and 3.
            Defaults to `False`.
        pool_padding: `"same"` rounds odd sizes up, as the original; `"valid"` rounds them down and needs at least 16
            rows and columns. Defaults to `"same"`.
        attention: `None`, or attention between encoder and decoder: a layer, or one of `"se"`, `"eca"`, `"cbam"`,
            `"sk"`, `"non_local"`, `"self"`, `"position"`, `"channel"`, `"criss_cross"`, `"residual"`; see
            `keras_segpaint.layers`. Of a layer the configuration is taken, with weights of its own. Defaults to `None`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        dtype: Dtype or policy of the layers; the logits are float32. `None` for Keras's default.
        name: String. Defaults to `"segnet_basic"`.

    Input shape:
        float32 images in [0, 1], `(batch, height, width, channels)`, any height and width >= 1. They are scaled to
        [0, 255] for the local response normalisation, whose constants were chosen for that range.

    Output shape:
        float32 logits `(batch, height, width, num_classes)`.

    1,416,587 parameters at 11 classes.

    References:
        - [SegNet](https://arxiv.org/abs/1511.00561)
        - [Bayesian SegNet](https://arxiv.org/abs/1511.02680)

    Example:
        >>> import numpy as np
        >>> model = SegNetBasic(11, base_filters=4, data_format="channels_last")
        >>> tuple(model(np.zeros((1, 45, 60, 3), "float32")).shape)
        (1, 45, 60, 11)
    """

    paper: ClassVar[str] = PAPER
    good_for: ClassVar[str] = "Road scenes on small machines; the Bayesian form tells how sure it is"
    reference_parameters: ClassVar[tuple[tuple[dict[str, Any], int], ...]] = (({"num_classes": 11}, 1_416_587),)

    def __init__(
        self,
        num_classes: int,
        *,
        input_shape: tuple[int | None, int | None, int] = (None, None, 3),
        base_filters: int = 64,
        bayesian: bool = False,
        pool_padding: str = "same",
        attention: Attention = None,
        data_format: str | None = None,
        dtype: Any = None,
        name: str = "segnet_basic",
    ):
        input_shape, data_format, policy = standardize_arguments(num_classes, input_shape, data_format, dtype)
        attention = standardize_attention(attention)

        # === Layers ===
        build = LayerFactory(data_format, policy, momentum=0.9, epsilon=1e-5)

        # === Functional graph ===
        inputs = image_input(input_shape, data_format)
        x = layers.Rescaling(255.0, dtype="float32", name="to_bytes")(inputs)
        x = LocalResponseNormalization(5, 1e-4, 0.75, data_format=data_format, dtype=policy, name="norm")(x)
        pooled = []
        for stage in range(1, 5):
            x = build.conv(base_filters, 7, name=f"conv{stage}")(x)
            x = build.batch_norm(name=f"conv{stage}_bn")(x)
            x = build.relu(name=f"conv{stage}_relu")(x)
            before = x
            x, positions = _pool(build, pool_padding, f"pool{stage}")(x)
            pooled.append((before, positions))
            if bayesian and stage >= 3:
                x = layers.Dropout(0.5, dtype=policy, name=f"encoder_dropout{stage}")(x)
        x = attend(x, attention, build, "attention")
        for stage in range(4, 0, -1):
            before, positions = pooled[stage - 1]
            x = _unpool(build, pool_padding, f"unpool{stage}")(x, positions, like=before)
            x = build.conv(base_filters, 7, name=f"decoder{stage}")(x)
            x = build.batch_norm(name=f"decoder{stage}_bn")(x)
            if bayesian and stage >= 3:
                x = layers.Dropout(0.5, dtype=policy, name=f"decoder_dropout{stage}")(x)
        outputs = float32_logits(build.conv(num_classes, 1, name="classifier")(x))

        # === Config ===
        arguments = dict(
            num_classes=num_classes,
            input_shape=input_shape,
            base_filters=base_filters,
            bayesian=bayesian,
            pool_padding=pool_padding,
            attention=attention,
            data_format=data_format,
            dtype=policy.name,
        )
        super().__init__(inputs, outputs, arguments=arguments, name=name)


def _pool(build: LayerFactory, padding: str, name: str) -> MaxPoolingWithArgmax2D:
    return MaxPoolingWithArgmax2D(2, padding=padding, data_format=build.data_format, dtype=build.dtype, name=name)


def _unpool(build: LayerFactory, padding: str, name: str) -> MaxUnpooling2D:
    return MaxUnpooling2D(2, padding=padding, data_format=build.data_format, dtype=build.dtype, name=name)
