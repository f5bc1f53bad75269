"""DeepLab v2."""

from collections.abc import Sequence
from typing import Any, ClassVar

import keras
from keras import layers

from keras_segpaint.backbones.base import FAMILIES, build_features
from keras_segpaint.backbones.vgg import fully_connected
from keras_segpaint.layers import AtrousSpatialPyramidPooling, Resize
from keras_segpaint.layers.factory import LayerFactory
from keras_segpaint.models.segmentation.base import (
    SegmentationModel,
    float32_logits,
    image_input,
    standardize_arguments,
)

BACKBONES = tuple(sorted(name for name in FAMILIES if name.startswith(("resnet", "vgg"))))


@keras.saving.register_keras_serializable(package="keras_segpaint")
class DeepLabV2(SegmentationModel):
    """DeepLab v2: scores from several fields of view at once, summed, and of several sizes of the image, the largest.

    On a ResNet at stride 8 one 3x3 convolution for each dilation rate gives scores; on VGG-16 each rate has fully
    connected layers of its own. The same network, with the same weights, looks at the image at each of `scales`, and
    each pixel and class takes the highest score.

    Args:
        num_classes: Integer >= 1.
        input_shape: `(height, width, channels)`; height and width may be `None`. Defaults to `(None, None, 3)`.
        backbone: A ResNet (`"resnet101"` is the paper's), `"vgg16"` or `"vgg16_bn"`. Defaults to `"resnet101"`.
        rates: Dilation rates, integers >= 1: `(6, 12, 18, 24)` is the paper's ASPP-L, `(2, 4, 8, 12)` its ASPP-S, and
            `(12,)` its LargeFOV. Defaults to `(6, 12, 18, 24)`.
        scales: Factors of the image's size. The paper's are the default; `(1.0,)` is the network alone, for less than
            half of the work. Defaults to `(1.0, 0.75, 0.5)`.
        normalization: `"batch"`, `"frozen_batch"` (the paper's, on ImageNet's weights) or `"group"`. Defaults to
            `"batch"`.
        dropout: Float in [0, 1), rate behind the fully connected layers of VGG-16. Defaults to `0.5`.
        base_filters: Integer >= 1, width of the backbone's first stage. Defaults to `64`.
        weights: `None`, `"imagenet"` for the backbone, or the path of a weights file. Defaults to `None`.
        supervised: Boolean, for training with several `scales`: the output is a dictionary of the `"logits"` and the
            scores of each scale at an eighth of its size, `"scale_100"`, `"scale_75"` and `"scale_50"`, each with a
            loss of its own of the same weight. Defaults to `False`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        dtype: Dtype or policy of the layers; the logits are float32. `None` for Keras's default.
        name: String. Defaults to `"deeplab_v2"`.

    Input shape:
        float32 images in [0, 1], `(batch, height, width, channels)`, any height and width >= 1. Images of three
        channels are normalised by ImageNet's mean and standard deviation inside the model. The places of the scores are
        every eighth pixel, from the first: sizes of `8 * k + 1` fit exactly.

    Output shape:
        float32 logits `(batch, height, width, num_classes)`, upsampled bilinearly with aligned corners. The authors
        compute the loss on labels of the scores' size, here that of the logits sees every pixel.

    44,048,532 parameters at 21 classes; 37,877,652 on VGG-16. Blocks of the ResNet stride in their 3x3 convolution, as
    torchvision's do and its weights expect; the authors' stride in the first 1x1.

    Raises:
        ValueError: If an argument is not one of the above.

    References:
        - [DeepLab: Semantic Image Segmentation with Deep Convolutional Nets, Atrous Convolution, and Fully Connected
          CRFs](https://arxiv.org/abs/1606.00915)

    Example:
        >>> import numpy as np
        >>> model = DeepLabV2(21, backbone="resnet50", scales=(1.0,), base_filters=2, data_format="channels_last")
        >>> tuple(model(np.zeros((1, 45, 60, 3), "float32")).shape)
        (1, 45, 60, 21)
    """

    paper: ClassVar[str] = "Chen, Papandreou, Kokkinos, Murphy, Yuille 2016, DeepLab (v2), arXiv:1606.00915"
    good_for: ClassVar[str] = "Objects of many sizes in photographs"
    reference_parameters: ClassVar[tuple[tuple[dict[str, Any], int], ...]] = (
        ({"num_classes": 21}, 44_048_532),
        ({"num_classes": 21, "rates": (12,), "scales": (1.0,)}, 42_887_253),
        ({"num_classes": 21, "backbone": "vgg16"}, 37_877_652),
    )

    def __init__(
        self,
        num_classes: int,
        *,
        input_shape: tuple[int | None, int | None, int] = (None, None, 3),
        backbone: str = "resnet101",
        rates: Sequence[int] = (6, 12, 18, 24),
        scales: Sequence[float] = (1.0, 0.75, 0.5),
        normalization: str = "batch",
        dropout: float = 0.5,
        base_filters: int = 64,
        weights: str | None = None,
        supervised: bool = False,
        data_format: str | None = None,
        dtype: Any = None,
        name: str = "deeplab_v2",
    ):
        input_shape, data_format, policy = standardize_arguments(num_classes, input_shape, data_format, dtype)
        if backbone not in BACKBONES:
            raise ValueError(f"`backbone` must be one of {', '.join(BACKBONES)}. Received: backbone={backbone!r}")
        rates, scales = tuple(rates), tuple(scales)
        if not rates or not all(isinstance(rate, int) and rate >= 1 for rate in rates):
            raise ValueError(f"`rates` must be integers >= 1, at least one. Received: rates={rates!r}")
        if not scales or len(set(scales)) < len(scales) or not all(scale > 0 for scale in scales):
            raise ValueError(f"`scales` must be different positive numbers, at least one. Received: scales={scales!r}")
        if supervised and len(scales) == 1:
            raise ValueError(f"`supervised` needs several `scales`. Received: supervised=True, scales={scales!r}")

        # === Layers ===
        build = LayerFactory(data_format, policy, momentum=0.9, epsilon=1e-5, normalization=normalization)
        settings: dict[str, Any] = dict(data_format=data_format, dtype=policy)

        def resnet_scores(image: Any) -> Any:
            features = build_features(backbone, image, build, output_stride=8, base_filters=base_filters)
            return AtrousSpatialPyramidPooling(num_classes, rates, mode="sum", name="aspp", **settings)(
                features["level5"]
            )

        def vgg_scores(image: Any) -> Any:
            features = build_features(
                backbone, image, build, output_stride=8, pool_size=3, average_pool=True, base_filters=base_filters
            )
            scores = []
            for index, rate in enumerate(rates, start=1):
                branch = fully_connected(
                    features["pool5"],
                    build,
                    filters=16 * base_filters,
                    kernel_size=3,
                    dilation_rate=rate,
                    dropout=dropout,
                    suffix=f"_{index}",
                )
                noise = keras.initializers.RandomNormal(stddev=0.01)
                score = build.conv(num_classes, 1, kernel_initializer=noise, name=f"fc8_{index}")
                scores.append(score(branch["fc7"]))
            return build.add(name="fc8")(scores) if len(scores) > 1 else scores[0]

        # === Functional graph ===
        inputs = image_input(input_shape, data_format)
        scores = vgg_scores(inputs) if backbone.startswith("vgg") else resnet_scores(inputs)
        # The same layers again, on smaller images.
        network = keras.Model(inputs, scores)
        heads = {}
        for scale in scales:
            head = f"scale_{round(100 * scale)}"
            if scale == 1:
                heads[head] = scores
            else:
                resize = Resize(scale=scale, data_format=data_format, dtype="float32", name=f"{head}_image")
                heads[head] = network.call(resize(inputs))
        first, *others = heads.values()
        x = first
        if others:
            fits = [
                Resize(align_corners=True, name=f"{head}_fit", **settings)(score, like=first)
                for head, score in list(heads.items())[1:]
            ]
            x = layers.Maximum(dtype=policy, name="fusion")([first, *fits])
        x = Resize(align_corners=True, name="upsample", **settings)(x, like=inputs)
        outputs = float32_logits(x)
        if supervised:
            heads = {
                head: layers.Activation("linear", dtype="float32", name=head)(score) for head, score in heads.items()
            }
            outputs = {"logits": outputs, **heads}

        # === Config ===
        arguments = dict(
            num_classes=num_classes,
            input_shape=input_shape,
            backbone=backbone,
            rates=rates,
            scales=scales,
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
            supervision=dict.fromkeys(heads, 1.0) if supervised else None,
            weights=weights,
        )
