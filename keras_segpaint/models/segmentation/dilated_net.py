"""Dilated convolutions: the front end and the context module of Yu and Koltun."""

from typing import Any, ClassVar

import keras

from keras_segpaint.backbones.base import build_features
from keras_segpaint.layers import ContextModule, MatchSize2D, ReflectionPadding2D, Resize
from keras_segpaint.layers.factory import LayerFactory
from keras_segpaint.models.segmentation.base import (
    SegmentationModel,
    float32_logits,
    image_input,
    standardize_arguments,
)

# How far the unpadded convolutions of the front end see beyond the image, for each output pixel to be one of its 8 x 8.
MARGIN = 186
MULTIPLIERS = {"basic": None, "large": (2, 2, 4, 8, 16, 32, 32)}
# By the number of layers, the last 1x1 convolution among them.
RATES = {
    7: (1, 1, 2, 4, 8, 1),
    8: (1, 1, 2, 4, 8, 16, 1),
    10: (1, 1, 2, 4, 8, 16, 32, 64, 1),
}


@keras.saving.register_keras_serializable(package="keras_segpaint")
class DilatedNet(SegmentationModel):
    """DilatedNet: VGG-16 whose last two pools are gone and whose later convolutions are dilated, and a context module.

    The front end gives scores at an eighth of the image's size; the context module, convolutions of growing dilation
    rates that start as the identity, lets every place look around in them. Train the front end first
    (`context=None`), then the context module behind it, then both.

    Args:
        num_classes: Integer >= 1.
        input_shape: `(height, width, channels)`; height and width may be `None`. Defaults to `(None, None, 3)`.
        backbone: `"vgg16"` (the paper's) or `"vgg16_bn"`. Defaults to `"vgg16"`.
        context: `"basic"` (as many channels everywhere as classes), `"large"` (up to 32 times as many; 8 layers), or
            `None` for the front end alone. Defaults to `"basic"`.
        context_layers: 7 (KITTI), 8 (Pascal VOC, CamVid) or 10 (Cityscapes). Defaults to `8`.
        padding: `"same"` pads every convolution with zeros. `"reflect"`, the authors', continues the image by 186
            mirrored pixels on each side, leaves the convolutions of the front end unpadded, and pads the scores once in
            front of the context module: better borders, and for small images many times the work. Defaults to `"same"`.
        dropout: Float in [0, 1), rate behind each fully connected layer. Defaults to `0.5`.
        base_filters: Integer >= 1, width of the first block; 64 times as much in the fully connected layers. Defaults
            to `64`.
        normalization: `"batch"`, `"frozen_batch"` or `"group"`, for `"vgg16_bn"`. Defaults to `"batch"`.
        weights: `None`, `"imagenet"` for the backbone, or the path of a weights file. Defaults to `None`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        dtype: Dtype or policy of the layers; the logits are float32. `None` for Keras's default.
        name: String. Defaults to `"dilated_net"`.

    Input shape:
        float32 images in [0, 1], `(batch, height, width, channels)`, any height and width >= 1. Images of three
        channels are normalised by ImageNet's mean and standard deviation inside the model.

    Output shape:
        float32 logits `(batch, height, width, num_classes)`: the scores, upsampled bilinearly 8 times, as the authors
        do for Pascal VOC. For Cityscapes they have a fixed transposed convolution, which differs in the outermost 4
        pixels alone.

    134,368,179 parameters for Cityscapes (19 classes, 10 layers), 134,313,443 for CamVid (11 classes), 141,149,720 for
    Pascal VOC (21 classes, large context).

    Raises:
        ValueError: If an argument is not one of the above.

    References:
        - [Multi-Scale Context Aggregation by Dilated Convolutions](https://arxiv.org/abs/1511.07122)

    Example:
        >>> import numpy as np
        >>> model = DilatedNet(11, base_filters=2, data_format="channels_last")
        >>> tuple(model(np.zeros((1, 45, 60, 3), "float32")).shape)
        (1, 45, 60, 11)
    """

    paper: ClassVar[str] = "Yu, Koltun 2015, Multi-scale context aggregation by dilated convolutions, arXiv:1511.07122"
    good_for: ClassVar[str] = "Street scenes; adding context to a trained network"
    reference_parameters: ClassVar[tuple[tuple[dict[str, Any], int], ...]] = (
        ({"num_classes": 19, "context_layers": 10}, 134_368_179),
        ({"num_classes": 21, "context": "large"}, 141_149_720),
        ({"num_classes": 11}, 134_313_443),
    )

    def __init__(
        self,
        num_classes: int,
        *,
        input_shape: tuple[int | None, int | None, int] = (None, None, 3),
        backbone: str = "vgg16",
        context: str | None = "basic",
        context_layers: int = 8,
        padding: str = "same",
        dropout: float = 0.5,
        base_filters: int = 64,
        normalization: str = "batch",
        weights: str | None = None,
        data_format: str | None = None,
        dtype: Any = None,
        name: str = "dilated_net",
    ):
        input_shape, data_format, policy = standardize_arguments(num_classes, input_shape, data_format, dtype)
        if backbone not in ("vgg16", "vgg16_bn"):
            raise ValueError(f'`backbone` must be "vgg16" or "vgg16_bn". Received: backbone={backbone!r}')
        if context not in (None, *MULTIPLIERS):
            raise ValueError(f'`context` must be "basic", "large" or None. Received: context={context!r}')
        if context_layers not in RATES or (context == "large" and context_layers != 8):
            raise ValueError(
                '`context_layers` must be 7, 8 or 10, and 8 with context="large". '
                f"Received: context_layers={context_layers!r}, context={context!r}"
            )
        if padding not in ("same", "reflect"):
            raise ValueError(f'`padding` must be "same" or "reflect". Received: padding={padding!r}')

        # === Layers ===
        build = LayerFactory(data_format, policy, momentum=0.9, epsilon=1e-5, normalization=normalization)
        settings: dict[str, Any] = dict(data_format=data_format, dtype=policy)

        # === Functional graph ===
        inputs = x = image_input(input_shape, data_format)
        if padding == "reflect":
            x = ReflectionPadding2D(MARGIN, data_format=data_format, dtype="float32", name="reflect")(x)
        features = build_features(
            backbone,
            x,
            build,
            output_stride=8,
            dilated_pools=False,
            padding="valid" if padding == "reflect" else "same",
            fully_convolutional=True,
            dropout=dropout,
            base_filters=base_filters,
        )
        noise = keras.initializers.RandomNormal(stddev=0.001)
        x = build.conv(num_classes, 1, kernel_initializer=noise, name="score")(features["fc7"])
        if context is not None:
            x = ContextModule(
                num_classes,
                RATES[context_layers],
                MULTIPLIERS[context],
                padding="first" if padding == "reflect" else "same",
                name="context",
                **settings,
            )(x)
        x = Resize(scale=8, name="upsample", **settings)(x)
        x = MatchSize2D(name="upsample_fit", **settings)(x, inputs)
        outputs = float32_logits(x)

        # === Config ===
        arguments = dict(
            num_classes=num_classes,
            input_shape=input_shape,
            backbone=backbone,
            context=context,
            context_layers=context_layers,
            padding=padding,
            dropout=dropout,
            base_filters=base_filters,
            normalization=normalization,
            data_format=data_format,
            dtype=policy.name,
        )
        super().__init__(inputs, outputs, arguments=arguments, name=name, weights=weights)
