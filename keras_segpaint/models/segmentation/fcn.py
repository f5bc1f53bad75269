"""Fully convolutional networks: FCN-32s, FCN-16s and FCN-8s."""

from typing import Any, ClassVar

import keras
from keras import layers

from keras_segpaint.backbones.base import build_features
from keras_segpaint.layers import BilinearInitializer, MatchSize2D
from keras_segpaint.layers.factory import LayerFactory
from keras_segpaint.layers.named_attention import Attention, attend, standardize_attention
from keras_segpaint.models.segmentation.base import (
    SegmentationModel,
    float32_logits,
    image_input,
    standardize_arguments,
)

PAPER = "Long, Shelhamer, Darrell 2015, Fully convolutional networks, arXiv:1411.4038"
# Where the maps lie within one another when the image is padded by 100: the skip connections from the upsampled scores
# on, and the result from the last upsampling on, by its factor.
SKIP_OFFSETS = {"pool4": 5, "pool3": 9}
RESULT_OFFSETS = {32: 19, 16: 27, 8: 31}
# What brings the pools of a network that is trained in one go to the size of the scores.
AT_ONCE_SCALES = {"pool4": 0.01, "pool3": 0.0001}


class _FullyConvolutionalNetwork(SegmentationModel):
    """What the three share; each names its skip connections, deepest first."""

    paper: ClassVar[str] = PAPER
    skips: ClassVar[tuple[str, ...]] = ()

    def __init__(
        self,
        num_classes: int,
        *,
        input_shape: tuple[int | None, int | None, int] = (None, None, 3),
        backbone: str = "vgg16",
        padding: str = "same",
        upsampling: str = "fixed",
        at_once: bool = False,
        dropout: float = 0.5,
        base_filters: int = 64,
        normalization: str = "batch",
        weights: str | None = None,
        attention: Attention = None,
        data_format: str | None = None,
        dtype: Any = None,
        name: str | None = None,
    ):
        input_shape, data_format, policy = standardize_arguments(num_classes, input_shape, data_format, dtype)
        attention = standardize_attention(attention)
        choices = ("vgg16", "vgg16_bn") if self.skips else ("vgg16", "vgg16_bn", "alexnet")
        if backbone not in choices:
            raise ValueError(f"`backbone` must be one of {choices}. Received: backbone={backbone!r}")
        if padding not in ("same", "pad100"):
            raise ValueError(f'`padding` must be "same" or "pad100". Received: padding={padding!r}')
        if padding == "pad100" and backbone == "alexnet":
            raise ValueError('`padding` must be "same" with backbone="alexnet". Received: padding="pad100"')
        if upsampling not in ("fixed", "learned"):
            raise ValueError(f'`upsampling` must be "fixed" or "learned". Received: upsampling={upsampling!r}')
        if at_once and not self.skips:
            raise ValueError("`at_once` is for networks with skip connections. Received: at_once=True")

        # === Layers ===
        build = LayerFactory(data_format, policy, momentum=0.9, epsilon=1e-5, normalization=normalization)
        settings: dict[str, Any] = dict(data_format=data_format, dtype=policy)

        def score(x: Any, name: str) -> Any:
            return build.conv(num_classes, 1, kernel_initializer="zeros", name=name)(x)

        def upsample(x: Any, factor: int, name: str) -> Any:
            layer = build.conv_transpose(
                num_classes,
                2 * factor,
                strides=factor,
                padding="same" if padding == "same" else "valid",
                use_bias=False,
                kernel_initializer=BilinearInitializer(),
                name=name,
            )
            layer.trainable = upsampling == "learned"
            return layer(x)

        def fit(x: Any, like: Any, offset: int, name: str) -> Any:
            if padding == "pad100":
                x = layers.Cropping2D(((offset, 0), (offset, 0)), name=f"{name}_crop", **settings)(x)
            return MatchSize2D(name=f"{name}_fit", **settings)(x, like)

        # === Functional graph ===
        inputs = image_input(input_shape, data_format)
        original = dict(image_padding=100, fc_padding="valid") if padding == "pad100" else {}
        features = build_features(
            backbone,
            inputs,
            build,
            fully_convolutional=True,
            dropout=dropout,
            base_filters=base_filters,
            **original,
        )
        x = score(attend(features["fc7"], attention, build, "attention"), "score_fc7")
        stride = 32
        for skip in self.skips:
            x = upsample(x, 2, f"upsample_{skip}")
            side = features[skip]
            if at_once:
                side = layers.Rescaling(AT_ONCE_SCALES[skip], dtype=policy, name=f"{skip}_rescale")(side)
            side = score(side, f"score_{skip}")
            if padding == "pad100":
                side = fit(side, x, SKIP_OFFSETS[skip], f"score_{skip}")
            else:
                x = fit(x, side, 0, f"upsample_{skip}")
            x = build.add(name=f"add_{skip}")([x, side])
            stride //= 2
        x = upsample(x, stride, "upsample")
        x = fit(x, inputs, RESULT_OFFSETS[stride], "upsample")
        outputs = float32_logits(x)

        # === Config ===
        arguments = dict(
            num_classes=num_classes,
            input_shape=input_shape,
            backbone=backbone,
            padding=padding,
            upsampling=upsampling,
            dropout=dropout,
            base_filters=base_filters,
            normalization=normalization,
            attention=attention,
            data_format=data_format,
            dtype=policy.name,
        )
        if self.skips:
            arguments["at_once"] = at_once
        name = type(self).__name__.lower() if name is None else name
        super().__init__(inputs, outputs, arguments=arguments, name=name, weights=weights)


@keras.saving.register_keras_serializable(package="keras_segpaint")
class FCN32s(_FullyConvolutionalNetwork):
    """FCN-32s: a classification network applied to every place of the image, its scores upsampled 32 times.

    The layers of scores start at zero, so the first step trains them alone. Upsampling is a transposed convolution that
    starts as bilinear interpolation, from every class to every class as in the released networks: those weights fit,
    and a network with fixed upsampling hands them on to one that learns it. It costs below 1 % of VGG-16 at 21 classes,
    but grows with their square.

    Args:
        num_classes: Integer >= 1.
        input_shape: `(height, width, channels)`; height and width may be `None`. Defaults to `(None, None, 3)`.
        backbone: `"vgg16"` (the paper's), `"vgg16_bn"`, or `"alexnet"`, the small variant. Defaults to `"vgg16"`.
        padding: `"same"` pads every layer by what it takes away. `"pad100"`, the released networks', pads the image by
            100 zeros and cuts the result out: the same inside, but it computes 198 rows and columns more. Defaults to
            `"same"`.
        upsampling: `"fixed"`, as in the released networks, or `"learned"`. Defaults to `"fixed"`.
        dropout: Float in [0, 1), rate behind each fully connected layer. Defaults to `0.5`.
        base_filters: Integer >= 1, width of the first block; 64 times as much in the fully connected layers. Defaults
            to `64`.
        normalization: `"batch"`, `"frozen_batch"` or `"group"`, for `"vgg16_bn"`. Defaults to `"batch"`.
        weights: `None`, `"imagenet"` for the backbone, or the path of a weights file. Defaults to `None`.
        attention: `None`, or attention on the last fully connected layer's features, in front of their scores: a layer,
            or one of `"se"`, `"eca"`, `"cbam"`, `"sk"`, `"non_local"`, `"self"`, `"position"`, `"channel"`,
            `"criss_cross"`, `"residual"`; see `keras_segpaint.layers`. Of a layer the configuration is taken, with
            weights of its own. Defaults to `None`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        dtype: Dtype or policy of the layers; the logits are float32. `None` for Keras's default.
        name: String. Defaults to `"fcn32s"`.

    Input shape:
        float32 images in [0, 1], `(batch, height, width, channels)`, any height and width >= 1. Images of three
        channels are normalised by ImageNet's mean and standard deviation inside the model.

    Output shape:
        float32 logits `(batch, height, width, num_classes)`.

    134,346,581 parameters at 21 classes, 56,954,261 on AlexNet; fixed upsampling has 1,806,336 more that are not
    trained.

    Raises:
        ValueError: If an argument is not one of the above.

    References:
        - [Fully Convolutional Networks for Semantic Segmentation](https://arxiv.org/abs/1411.4038)

    Example:
        >>> import numpy as np
        >>> model = FCN32s(21, base_filters=2, data_format="channels_last")
        >>> tuple(model(np.zeros((1, 45, 60, 3), "float32")).shape)
        (1, 45, 60, 21)
    """

    good_for: ClassVar[str] = "A first baseline with ImageNet weights; coarse outlines"
    reference_parameters: ClassVar[tuple[tuple[dict[str, Any], int], ...]] = (
        ({"num_classes": 21}, 134_346_581),
        ({"num_classes": 21, "backbone": "alexnet"}, 56_954_261),
    )


@keras.saving.register_keras_serializable(package="keras_segpaint")
class FCN16s(_FullyConvolutionalNetwork):
    """FCN-16s: FCN-32s whose scores, upsampled twice, are joined by those of the fourth pool.

    Args:
        num_classes: Integer >= 1.
        backbone: `"vgg16"` or `"vgg16_bn"`. Defaults to `"vgg16"`.
        at_once: Boolean: trained in one go rather than from a trained FCN-32s. The fourth pool is scaled by 0.01 in
            front of its scores. Defaults to `False`.
        input_shape: As in `FCN32s`, and so are `padding`, `upsampling`, `dropout`, `base_filters`, `normalization`,
            `weights`, `attention`, `data_format`, `dtype` and `name`.

    Input shape:
        float32 images in [0, 1], `(batch, height, width, channels)`, any height and width >= 1.

    Output shape:
        float32 logits `(batch, height, width, num_classes)`.

    134,357,354 parameters at 21 classes; fixed upsampling has 458,640 more that are not trained.

    Raises:
        ValueError: If an argument is not one of those named.

    References:
        - [Fully Convolutional Networks for Semantic Segmentation](https://arxiv.org/abs/1411.4038), section 4.2.

    Example:
        >>> import numpy as np
        >>> model = FCN16s(21, base_filters=2, data_format="channels_last")
        >>> tuple(model(np.zeros((1, 45, 60, 3), "float32")).shape)
        (1, 45, 60, 21)
    """

    good_for: ClassVar[str] = "The step between FCN32s and FCN8s"
    skips: ClassVar[tuple[str, ...]] = ("pool4",)
    reference_parameters: ClassVar[tuple[tuple[dict[str, Any], int], ...]] = (({"num_classes": 21}, 134_357_354),)


@keras.saving.register_keras_serializable(package="keras_segpaint")
class FCN8s(_FullyConvolutionalNetwork):
    """FCN-8s: FCN-16s whose scores, upsampled twice more, are joined by those of the third pool.

    Args:
        num_classes: Integer >= 1.
        backbone: `"vgg16"` or `"vgg16_bn"`. Defaults to `"vgg16"`.
        at_once: Boolean: trained in one go rather than from a trained FCN-16s. The fourth and third pools are scaled by
            0.01 and 0.0001 in front of their scores. Defaults to `False`.
        input_shape: As in `FCN32s`, and so are `padding`, `upsampling`, `dropout`, `base_filters`, `normalization`,
            `weights`, `attention`, `data_format`, `dtype` and `name`.

    Input shape:
        float32 images in [0, 1], `(batch, height, width, channels)`, any height and width >= 1.

    Output shape:
        float32 logits `(batch, height, width, num_classes)`.

    134,362,751 parameters at 21 classes; fixed upsampling has 127,008 more that are not trained.

    Raises:
        ValueError: If an argument is not one of those named.

    References:
        - [Fully Convolutional Networks for Semantic Segmentation](https://arxiv.org/abs/1411.4038), section 4.2.

    Example:
        >>> import numpy as np
        >>> model = FCN8s(21, base_filters=2, at_once=True, data_format="channels_last")
        >>> tuple(model(np.zeros((1, 45, 60, 3), "float32")).shape)
        (1, 45, 60, 21)
    """

    good_for: ClassVar[str] = "The finest of the FCNs, the usual baseline of older papers"
    skips: ClassVar[tuple[str, ...]] = ("pool4", "pool3")
    reference_parameters: ClassVar[tuple[tuple[dict[str, Any], int], ...]] = (({"num_classes": 21}, 134_362_751),)
