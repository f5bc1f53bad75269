"""One case for every public layer, backbone and model: how to build it and what to feed it."""

import zlib
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np

from keras_segpaint import backbones, layers, models

DATA_FORMATS = ("channels_last", "channels_first")
POLICIES = ("float32", "mixed_bfloat16", "mixed_float16")


@dataclass(frozen=True)
class LayerCase:
    """A layer, built by `build(data_format)`, and the shapes of its inputs (channels last, without the batch)."""

    build: Callable[[str], keras.layers.Layer]
    inputs: tuple[tuple[int, ...], ...] = ((9, 13, 4),)
    apply: Callable[[Any, list[Any]], Any] = field(default=lambda layer, tensors: layer(*tensors))
    settled: bool = False


@dataclass(frozen=True)
class ModelCase:
    """A model, built by `build(**kwargs)`, narrow enough for a test."""

    build: Callable[..., keras.Model]
    channels: int = 3
    sizes: tuple[tuple[int, int], ...] = ((1, 1), (9, 13), (16, 24))
    fit_size: tuple[int, int] = (16, 24)
    margin: int = 0
    reduction: int = 1


@dataclass(frozen=True)
class InpaintingCase:
    """An inpainting network or its critic, built by `build(**kwargs)`, narrow enough for a test."""

    build: Callable[..., keras.Model]
    sizes: tuple[tuple[int, int], ...] = ((32, 40), (40, 64))
    fit_size: tuple[int, int] = (32, 40)
    sketch: bool = False
    labels: bool = False
    critic: bool = False
    stride: int = 64


def _labels_alone(size: tuple[int, int], batch: int) -> list[np.ndarray]:
    return [label_maps((batch, *size))]


@dataclass(frozen=True)
class SynthesisCase:
    """A network that makes images, its critic or its encoder, built by `build(**kwargs)`, narrow enough for a test.

    `inputs(size, batch)` makes what it takes, of any number, rank (maps channels last) and dtype; `outputs(size)` gives
    the shapes of all that it makes without the batch, `None` for one image of the input's size.
    """

    build: Callable[..., keras.Model]
    inputs: Callable[[tuple[int, int], int], list[np.ndarray]] = _labels_alone
    outputs: Callable[[tuple[int, int]], list[tuple[int, ...]]] | None = None
    sizes: tuple[tuple[int, int], ...] = ((32, 64), (40, 52))
    fit_size: tuple[int, int] = (32, 64)
    # Whether height and width may be unknown while the network is built.
    any_size: bool = True
    # Whether an image is sure to be in [-1, 1].
    bounded: bool = True


def _unpool(data_format: str) -> keras.layers.Layer:
    return layers.MaxUnpooling2D(2, padding="same", data_format=data_format)


def _pool_then_unpool(layer: Any, tensors: list[Any]) -> Any:
    pool = layers.MaxPoolingWithArgmax2D(2, padding="same", data_format=layer.data_format)
    values, positions = pool(tensors[0])
    return layer(values, positions, like=tensors[0])


def _with_hole(layer: Any, tensors: list[Any]) -> Any:
    """The first output for features and a hole mask of zeros and ones."""
    features, mask = tensors
    return layer(features, keras.ops.round(mask))[0]


def _by_labels(layer: Any, tensors: list[Any]) -> Any:
    """The result for features and labels from 0 to 5, of which 5 is none that the layer knows."""
    features, chances = tensors
    return layer(features, keras.ops.cast(6.0 * chances, "int32"))


LAYERS = {
    "AdaIN": LayerCase(
        lambda f: layers.AdaIN(data_format=f),
        inputs=((9, 12, 4), (5, 6, 4)),
        apply=lambda layer, tensors: layer(*tensors, alpha=0.75),
    ),
    "AdaptiveContextModule": LayerCase(lambda f: layers.AdaptiveContextModule(5, bins=2, data_format=f)),
    "AtrousPooling2D": LayerCase(
        lambda f: layers.AtrousPooling2D(3, 2, padding=((1, 2), (2, 2)), mode="average", data_format=f)
    ),
    "AtrousSpatialPyramidPooling": LayerCase(
        lambda f: layers.AtrousSpatialPyramidPooling(6, rates=(1, 2, 4), data_format=f)
    ),
    "AtrousSpatialPyramidPooling-separable": LayerCase(
        lambda f: layers.AtrousSpatialPyramidPooling(
            6, rates=(2, 3), separable=True, normalization="group", dropout=0.1, data_format=f
        )
    ),
    "AtrousSpatialPyramidPooling-sum": LayerCase(
        lambda f: layers.AtrousSpatialPyramidPooling(3, rates=(1, 2, 4), mode="sum", data_format=f)
    ),
    "BatchNormalization": LayerCase(
        lambda f: layers.BatchNormalization(
            axis=-1 if f == "channels_last" else 1, moving_mean_initializer="random_normal"
        )
    ),
    "ChainedResidualPooling": LayerCase(lambda f: layers.ChainedResidualPooling(3, data_format=f)),
    "ChainedResidualPooling-conv_first": LayerCase(
        lambda f: layers.ChainedResidualPooling(2, pool_size=3, conv_first=True, data_format=f)
    ),
    "ChannelAttention": LayerCase(lambda f: layers.ChannelAttention(data_format=f)),
    "ChannelGate": LayerCase(lambda f: layers.ChannelGate(1, data_format=f), inputs=((5, 7, 16),)),
    "ContextModule": LayerCase(lambda f: layers.ContextModule(3, (1, 2, 1), (2, 4, 4), padding="first", data_format=f)),
    "ContextualAttention": LayerCase(
        lambda f: layers.ContextualAttention(data_format=f),
        inputs=((10, 14, 4), (10, 14, 1)),
        apply=lambda layer, tensors: layer(tensors[0], tensors[0], keras.ops.round(0.53 * tensors[1])),
    ),
    "ContextualAttention-corners": LayerCase(
        lambda f: layers.ContextualAttention(downsampling="corners", data_format=f),
        inputs=((10, 14, 4), (20, 28, 1)),
        apply=lambda layer, tensors: layer(tensors[0], tensors[0], keras.ops.round(0.53 * tensors[1])),
    ),
    "ContextualAttention-exclude": LayerCase(
        lambda f: layers.ContextualAttention(
            1, stride=2, rate=1, fuse=False, masking="exclude", block_rows=3, data_format=f
        ),
        inputs=((5, 7, 4), (9, 6, 4)),
        apply=lambda layer, tensors: layer(*tensors),
    ),
    "ConvBlockAttention": LayerCase(lambda f: layers.ConvBlockAttention(1, data_format=f), inputs=((5, 7, 16),)),
    "ConvCRF": LayerCase(lambda f: layers.ConvCRF(3, iterations=2, data_format=f), inputs=((9, 7, 4), (9, 7, 3))),
    "ConvCRF-full": LayerCase(
        lambda f: layers.ConvCRF(
            5, iterations=2, srgb=100, compat="full", learn_deviations=True, blur=2, data_format=f
        ),
        inputs=((5, 8, 3), (5, 8, 3)),
    ),
    "CrissCrossAttention": LayerCase(lambda f: layers.CrissCrossAttention(data_format=f), inputs=((9, 7, 16),)),
    "EfficientChannelAttention": LayerCase(
        lambda f: layers.EfficientChannelAttention(data_format=f), inputs=((5, 7, 16),)
    ),
    "ExternalSpatialAttention": LayerCase(lambda f: layers.ExternalSpatialAttention((9, 13), data_format=f)),
    "ExternalSpatialAttention-resize": LayerCase(
        lambda f: layers.ExternalSpatialAttention((4, 6), factor=1, resize=True, data_format=f)
    ),
    "FeatureShift": LayerCase(
        lambda f: layers.FeatureShift(data_format=f),
        inputs=((5, 7, 4), (5, 7, 1)),
        apply=lambda layer, tensors: layer(tensors[0], tensors[0], keras.ops.round(tensors[1])),
    ),
    "GatedConv2D": LayerCase(lambda f: layers.GatedConv2D(5, 3, strides=2, data_format=f)),
    "GatedConv2D-same": LayerCase(lambda f: layers.GatedConv2D(2, 3, strides=2, padding="same", data_format=f)),
    "GatedConv2D-upsampling": LayerCase(lambda f: layers.GatedConv2D(3, 3, upsampling=2, data_format=f)),
    "GateUnit": LayerCase(lambda f: layers.GateUnit(data_format=f), inputs=((9, 6, 4), (5, 3, 4))),
    "InstanceNormalization": LayerCase(lambda f: layers.InstanceNormalization(data_format=f)),
    "LabelMapEncoding": LayerCase(
        lambda f: layers.LabelMapEncoding(3, data_format=f),
        inputs=((9, 13, 4), (9, 13, 1)),
        apply=lambda layer, tensors: tensors[0] * layer(keras.ops.floor(4.0 * tensors[1])),
    ),
    "LocalResponseNormalization": LayerCase(lambda f: layers.LocalResponseNormalization(3, alpha=0.5, data_format=f)),
    "MatchSize2D": LayerCase(lambda f: layers.MatchSize2D("center", data_format=f), inputs=((9, 6, 4), (5, 10, 2))),
    "MaxPoolingWithArgmax2D": LayerCase(
        lambda f: layers.MaxPoolingWithArgmax2D(3, strides=2, padding=1, data_format=f),
        apply=lambda layer, tensors: layer(tensors[0])[0],
    ),
    "MaxUnpooling2D": LayerCase(_unpool, apply=_pool_then_unpool),
    "MultiResolutionFusion": LayerCase(
        lambda f: layers.MultiResolutionFusion(data_format=f),
        inputs=((9, 6, 4), (5, 3, 6)),
        apply=lambda layer, tensors: layer(tensors),
    ),
    "NonLocalBlock": LayerCase(
        lambda f: layers.NonLocalBlock(max_attention_elements=200, data_format=f), inputs=((5, 7, 4),)
    ),
    "NonLocalBlock-dot_product": LayerCase(
        lambda f: layers.NonLocalBlock("dot_product", norm=False, data_format=f), inputs=((5, 7, 4),)
    ),
    "NonLocalBlock-gaussian": LayerCase(
        lambda f: layers.NonLocalBlock("gaussian", subsample=True, data_format=f), inputs=((5, 7, 4),)
    ),
    "PartialConv2D": LayerCase(
        lambda f: layers.PartialConv2D(5, 3, strides=2, activation="relu", data_format=f),
        inputs=((9, 13, 4), (9, 13, 1)),
        apply=_with_hole,
    ),
    "PartialConv2D-groups": LayerCase(
        lambda f: layers.PartialConv2D(3, 3, dilation_rate=2, data_format=f),
        inputs=((9, 13, 4), (9, 13, 2), (9, 13, 1), (9, 13, 2)),
        apply=lambda layer, tensors: layer(tensors[:2], [keras.ops.round(mask) for mask in tensors[2:]])[0],
    ),
    "PositionAttention": LayerCase(lambda f: layers.PositionAttention(data_format=f), inputs=((5, 7, 16),)),
    "PyramidPooling": LayerCase(lambda f: layers.PyramidPooling(filters=3, data_format=f)),
    "ReflectionPadding2D": LayerCase(lambda f: layers.ReflectionPadding2D(10, data_format=f)),
    "ResidualAttention": LayerCase(lambda f: layers.ResidualAttention(data_format=f), inputs=((5, 7, 8),)),
    "ResidualConvUnit": LayerCase(lambda f: layers.ResidualConvUnit(data_format=f)),
    "Resize": LayerCase(lambda f: layers.Resize(size=(15, 7), data_format=f)),
    "Resize-points": LayerCase(
        lambda f: layers.Resize(scale=(3, 0.6), interpolation="nearest", align_corners=True, data_format=f)
    ),
    "ScaleAttention": LayerCase(lambda f: layers.ScaleAttention(3, filters=8, data_format=f)),
    "SelectiveKernel": LayerCase(
        lambda f: layers.SelectiveKernel(groups=2, min_units=4, data_format=f), inputs=((5, 7, 8),)
    ),
    "SelectiveKernel-strides": LayerCase(
        lambda f: layers.SelectiveKernel(groups=2, min_units=4, strides=2, fuse_norm=False, data_format=f),
        inputs=((5, 7, 8),),
    ),
    "SelfAttention2D": LayerCase(
        lambda f: layers.SelfAttention2D(2, 2, max_attention_elements=200, data_format=f), inputs=((5, 7, 4),)
    ),
    "SemanticWiseAttention": LayerCase(
        lambda f: layers.SemanticWiseAttention(2, max_attention_elements=200, data_format=f),
        inputs=((5, 7, 8), (5, 7, 3), (5, 7, 1)),
        apply=lambda layer, tensors: layer(*tensors[:2], keras.ops.round(tensors[2])),
    ),
    "SemanticWiseAttention-soft": LayerCase(
        lambda f: layers.SemanticWiseAttention(soft=True, separation=4.0, data_format=f),
        inputs=((5, 7, 8), (5, 7, 3), (5, 7, 1)),
        apply=lambda layer, tensors: layer(*tensors[:2], keras.ops.round(tensors[2])),
    ),
    "SPADE": LayerCase(
        lambda f: layers.SPADE(5, hidden=8, data_format=f), inputs=((9, 13, 4), (18, 21, 1)), apply=_by_labels
    ),
    "SPADE-planes": LayerCase(
        lambda f: layers.SPADE(normalization="instance", hidden=8, kernel_size=5, data_format=f),
        inputs=((9, 13, 4), (5, 26, 3)),
    ),
    "SPADEResBlock": LayerCase(
        lambda f: layers.SPADEResBlock(6, 5, hidden=8, data_format=f),
        inputs=((9, 13, 4), (27, 26, 1)),
        apply=_by_labels,
        settled=True,
    ),
    "SPADEResBlock-group": LayerCase(
        lambda f: layers.SPADEResBlock(4, normalization="group", spectral_norm=False, hidden=8, data_format=f),
        inputs=((9, 13, 4), (9, 13, 3)),
    ),
    "SpatialGate": LayerCase(lambda f: layers.SpatialGate(data_format=f)),
    "SpatialTransformer": LayerCase(lambda f: layers.SpatialTransformer(data_format=f)),
    "SpatialTransformer-size": LayerCase(
        lambda f: layers.SpatialTransformer(
            keras.Sequential([keras.layers.GlobalAveragePooling2D(data_format=f), keras.layers.Dense(5)]),
            size=(6, 5),
            data_format=f,
        ),
        inputs=((5, 7, 4),),
    ),
    "SpectralNormalization": LayerCase(
        lambda f: layers.SpectralNormalization(keras.layers.Conv2D(5, 3, data_format=f))
    ),
    "SqueezeExcitation": LayerCase(lambda f: layers.SqueezeExcitation(1, data_format=f), inputs=((5, 7, 16),)),
    "SymmetricPadding2D": LayerCase(lambda f: layers.SymmetricPadding2D((3, 5), data_format=f)),
    "WeightedSum": LayerCase(
        lambda f: layers.WeightedSum(data_format=f),
        inputs=((5, 6, 4), (5, 6, 4), (5, 6, 2)),
        apply=lambda layer, tensors: layer(tensors[:2], tensors[2]),
    ),
}

NARROW = {"backbone": "resnet18", "backbone_options": {"base_filters": 4}}

MODELS = {
    "AlexNet": ModelCase(lambda **kw: backbones.AlexNet(fully_convolutional=True, base_filters=4, **kw)),
    "APCNet": ModelCase(lambda **kw: models.APCNet(3, filters=6, bins=(1, 3), **NARROW, **kw)),
    "AttentionToScale": ModelCase(
        lambda **kw: models.AttentionToScale(
            3, model="UNet", model_arguments={"base_filters": 2}, scales=(1.0, 0.5), attention_filters=4, **kw
        )
    ),
    "AttentionToScale-max": ModelCase(
        lambda **kw: models.AttentionToScale(
            3, model="UNet", model_arguments={"base_filters": 2}, scales=(0.75, 0.5), fusion="max", **kw
        )
    ),
    "CCNet": ModelCase(lambda **kw: models.CCNet(3, backbone="resnet18", base_filters=4, **kw)),
    "DANet": ModelCase(lambda **kw: models.DANet(3, backbone="resnet18", base_filters=4, multi_grid=(4, 8), **kw)),
    "DeepLabV1": ModelCase(lambda **kw: models.DeepLabV1(3, base_filters=4, **kw), sizes=((1, 1), (9, 13), (17, 24))),
    "DeepLabV1-msc": ModelCase(
        lambda **kw: models.DeepLabV1(3, field_of_view="base", multi_scale=True, base_filters=4, **kw),
        # The taps of a 4x4 kernel of rate 4 lie outside a smaller map, all of them.
        fit_size=(33, 41),
    ),
    "DeepLabV2": ModelCase(lambda **kw: models.DeepLabV2(3, backbone="resnet18", base_filters=4, **kw)),
    "DeepLabV2-vgg": ModelCase(
        lambda **kw: models.DeepLabV2(3, backbone="vgg16", scales=(1.0,), rates=(2, 4), base_filters=4, **kw)
    ),
    "DeepLabV3": ModelCase(lambda **kw: models.DeepLabV3(3, aspp_filters=6, head_conv=True, **NARROW, **kw)),
    "DeepLabV3-mobile": ModelCase(
        lambda **kw: models.DeepLabV3(
            3,
            backbone="mobilenet_v3_large",
            aspp_filters=6,
            backbone_options={"alpha": 0.1, "top": False, "dilate_first": True},
            **kw,
        )
    ),
    "DeepLabV3Plus": ModelCase(
        lambda **kw: models.DeepLabV3Plus(3, rates=(1, 2), aspp_filters=6, decoder_filters=6, **NARROW, **kw)
    ),
    "DeepLabV3Plus-separable": ModelCase(
        lambda **kw: models.DeepLabV3Plus(
            3,
            output_stride=8,
            rates=(1, 2),
            separable=True,
            head_conv=True,
            decoder_convs=1,
            aspp_filters=6,
            decoder_filters=6,
            align_corners=True,
            **NARROW,
            **kw,
        )
    ),
    "DeepLabV3Plus-xception": ModelCase(
        # Through forty normalisations over four pixels each, gradients grow beyond what float16 holds.
        lambda **kw: models.DeepLabV3Plus(
            3,
            backbone="xception41",
            rates=(1, 2),
            separable=True,
            aspp_filters=6,
            decoder_filters=6,
            backbone_options={"base_filters": 4},
            **kw,
        ),
        fit_size=(48, 64),
    ),
    "DilatedNet": ModelCase(lambda **kw: models.DilatedNet(3, base_filters=4, **kw)),
    "DilatedNet-reflect": ModelCase(lambda **kw: models.DilatedNet(3, padding="reflect", base_filters=4, **kw)),
    "EfficientNetLite": ModelCase(lambda **kw: backbones.EfficientNetLite(alpha=0.1, top=False, **kw)),
    "ENet": ModelCase(lambda **kw: models.ENet(3, **kw)),
    "ENet-encoder": ModelCase(lambda **kw: models.ENet(3, stage="encoder", **kw), reduction=8),
    "FCN16s": ModelCase(lambda **kw: models.FCN16s(3, upsampling="learned", base_filters=4, **kw)),
    "FCN32s": ModelCase(lambda **kw: models.FCN32s(3, backbone="vgg16_bn", base_filters=4, **kw)),
    "FCN32s-alexnet": ModelCase(lambda **kw: models.FCN32s(3, backbone="alexnet", base_filters=4, **kw)),
    "FCN8s": ModelCase(lambda **kw: models.FCN8s(3, base_filters=4, **kw)),
    "FCN8s-pad100": ModelCase(lambda **kw: models.FCN8s(3, padding="pad100", at_once=True, base_filters=4, **kw)),
    "FCNResNet": ModelCase(lambda **kw: models.FCNResNet(3, **NARROW, **kw)),
    "GFRNet": ModelCase(lambda **kw: models.GFRNet(3, base_filters=4, **kw)),
    "LinkNet": ModelCase(lambda **kw: models.LinkNet(3, **kw)),
    "LinkNet-mobile": ModelCase(
        # Where the deepest features are of one pixel, batch normalisation hides the shifts of the one before it.
        lambda **kw: models.LinkNet(3, backbone="mobilenet_v2", backbone_options={"alpha": 0.1, "top": False}, **kw),
        fit_size=(48, 64),
    ),
    "MobileNetV2": ModelCase(lambda **kw: backbones.MobileNetV2(alpha=0.1, top=False, **kw)),
    "MobileNetV3Large": ModelCase(lambda **kw: backbones.MobileNetV3Large(alpha=0.1, **kw)),
    "PSPNet": ModelCase(lambda **kw: models.PSPNet(3, filters=6, **NARROW, **kw)),
    "RefineNet": ModelCase(lambda **kw: models.RefineNet(3, backbone="resnet18", base_filters=4, filters=4, **kw)),
    "ResNet": ModelCase(lambda **kw: backbones.ResNet("resnet18", **kw)),
    "SegNet": ModelCase(lambda **kw: models.SegNet(3, base_filters=4, bayesian=True, **kw)),
    "SegNetBasic": ModelCase(lambda **kw: models.SegNetBasic(3, base_filters=4, bayesian=True, **kw)),
    "UNet": ModelCase(lambda **kw: models.UNet(3, base_filters=4, dropout=0.1, **kw)),
    "UNet-bilinear": ModelCase(lambda **kw: models.UNet(3, base_filters=4, upsampling="bilinear", **kw)),
    "UNet-valid": ModelCase(
        lambda **kw: models.UNet(3, base_filters=4, padding="valid", **kw),
        sizes=((188, 204),),
        fit_size=(188, 188),
        margin=184,
    ),
    "VGG16": ModelCase(lambda **kw: backbones.VGG16(output_stride=8, base_filters=4, **kw)),
    "VGG16-bn": ModelCase(lambda **kw: backbones.VGG16("vgg16_bn", fully_convolutional=True, base_filters=2, **kw)),
    "VGG19": ModelCase(lambda **kw: backbones.VGG19(base_filters=2, **kw)),
    "Xception": ModelCase(lambda **kw: backbones.Xception("xception41", base_filters=4, output_stride=16, **kw)),
}


INPAINTING = {
    "CoherencePriorsInpainting": InpaintingCase(
        lambda **kw: models.CoherencePriorsInpainting(3, base_filters=4, all_scales=True, **kw)
    ),
    "DeepFillV1": InpaintingCase(lambda **kw: models.DeepFillV1(4, **kw)),
    "DeepFillV2": InpaintingCase(lambda **kw: models.DeepFillV2(8, sketch=True, both_stages=True, **kw), sketch=True),
    "DeepFillV2-tensorflow": InpaintingCase(lambda **kw: models.DeepFillV2(8, variant="tensorflow", **kw)),
    "PConvUNet": InpaintingCase(
        lambda **kw: models.PConvUNet(4, base_filters=4, **kw), sizes=((1, 1), (9, 13), (24, 40)), fit_size=(16, 24)
    ),
    "SNPatchDiscriminator": InpaintingCase(
        lambda **kw: models.SNPatchDiscriminator(2, sketch=True, **kw),
        sizes=((65, 9), (24, 40)),
        sketch=True,
        critic=True,
    ),
    "SemanticGuidedCritic": InpaintingCase(
        lambda **kw: models.SemanticGuidedCritic(3, base_filters=2, **kw),
        sizes=((32, 48), (64, 32)),
        fit_size=(32, 48),
        labels=True,
        critic=True,
        stride=16,
    ),
    "SemanticGuidedInpainting": InpaintingCase(
        lambda **kw: models.SemanticGuidedInpainting(
            3,
            base_filters=4,
            guide_filters=4,
            attention_grid=(8, 6),
            both_stages=True,
            **{"input_shape": (None, None, 3), **kw},
        ),
        labels=True,
    ),
}


def _latents(batch: int, length: int = 6) -> np.ndarray:
    return np.random.default_rng(4).normal(size=(batch, length)).astype("float32")


def _edges(size: tuple[int, int], batch: int) -> np.ndarray:
    return np.round(images((batch, *size, 1), seed=5))


SYNTHESIS = {
    "CRN": SynthesisCase(lambda **kw: models.CRN(5, filters=(8, 8, 6, 4), **kw), bounded=False),
    "MultiscaleDiscriminator": SynthesisCase(
        lambda **kw: models.MultiscaleDiscriminator(5, edges=True, base_filters=2, num_layers=3, **kw),
        inputs=lambda size, batch: [images((batch, *size, 3)), label_maps((batch, *size)), _edges(size, batch)],
        outputs=lambda size: [
            (*map_size, channels)
            for side in (size, tuple(-(-extent // 2) for extent in size))
            for map_size, channels in _patch_features(side)
        ],
    ),
    "Pix2PixHDGenerator": SynthesisCase(
        lambda **kw: models.Pix2PixHDGenerator(5, blocks=2, downsampling=3, base_filters=4, **kw)
    ),
    "SPADEEncoder": SynthesisCase(
        lambda **kw: models.SPADEEncoder(6, base_filters=2, size=128, **kw),
        inputs=lambda size, batch: [images((batch, *size, 3)) * 2 - 1],
        outputs=lambda size: [(6,), (6,)],
    ),
    "SPADEGenerator": SynthesisCase(lambda **kw: models.SPADEGenerator(5, base_filters=2, hidden=8, **kw)),
    "SPADEGenerator-latent": SynthesisCase(
        lambda **kw: models.SPADEGenerator(
            5, edges=True, latent_dim=6, upsampling="more", base_filters=2, hidden=8, **kw
        ),
        inputs=lambda size, batch: [label_maps((batch, *size)), _edges(size, batch), _latents(batch)],
        sizes=((64, 100),),
        fit_size=(64, 128),
        any_size=False,
    ),
    "StyleTransfer": SynthesisCase(
        lambda **kw: models.StyleTransfer(base_filters=8, alpha=0.9, **kw),
        inputs=lambda size, batch: [images((batch, *size, 3)), images((batch, *size, 3), seed=1) ** 2],
        # Its last layer is linear.
        outputs=lambda size: [(*size, 3)],
        sizes=((1, 1), (9, 13), (24, 40)),
        fit_size=(16, 24),
    ),
}


def _patch_features(size: tuple[int, ...]) -> list[tuple[tuple[int, ...], int]]:
    """Sizes and channels of what the discriminator's case gives at one scale."""
    first = tuple(extent // 2 + 1 for extent in size)
    second = tuple(extent // 2 + 1 for extent in first)
    third, judged = (tuple(extent + more for extent in second) for more in (1, 2))
    return [(first, 2), (second, 4), (third, 8), (judged, 1)]


def label_maps(shape: tuple[int, ...], num_labels: int = 5, seed: int = 3) -> np.ndarray:
    """Reproducible labels in stripes, and some pixels that are to be ignored."""
    generator = np.random.default_rng(seed)
    rows, columns = np.meshgrid(np.arange(shape[-2]), np.arange(shape[-1]), indexing="ij")
    maps = (rows // 7 + columns // 9 + generator.integers(0, num_labels, (*shape[:-2], 1, 1))) % num_labels
    return np.where(generator.random(shape) < 0.02, 255, maps).astype("int32")


def images(shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    """Reproducible float32 images in [0, 1]."""
    return np.random.default_rng(seed).random(shape, dtype="float32")


def to_format(array: np.ndarray, data_format: str) -> np.ndarray:
    """A channels-last batch in `data_format`."""
    return array if data_format == "channels_last" else np.moveaxis(array, -1, 1)


def fill_weights(layer: keras.layers.Layer, settled: bool = False) -> None:
    """Sets every weight from its path: the same on every backend, of the usual magnitudes.

    With `settled` spectral normalisations have found the largest singular values, as those of a trained network have:
    kernels divided by less would make numbers that grow from layer to layer.
    """
    for index, variable in enumerate(layer.variables):
        name = variable.path.rsplit("/", 1)[-1]
        if "seed" in name:
            continue
        # The order of the variables, not their paths: automatic layer names count on from test to test.
        generator = np.random.default_rng(zlib.crc32(f"{index}/{name}".encode()))
        shape = tuple(variable.shape)
        if name in ("moving_variance", "gamma", "variance"):
            value = generator.uniform(0.7, 1.3, shape)
        elif name == "alpha":
            value = generator.uniform(0.1, 0.4, shape)
        else:
            fan_in = max(1, int(np.prod(shape[:-1]))) if len(shape) > 1 else 100
            value = generator.normal(0.0, np.sqrt(2.0 / fan_in), shape)
        variable.assign(value.astype("float32"))
    for inner in layer._flatten_layers() if settled else ():
        if isinstance(inner, layers.SpectralNormalization):
            matrix = keras.ops.convert_to_numpy(inner._matrix()).astype("float64")
            left, _, right = np.linalg.svd(matrix, full_matrices=False)
            inner.u.assign(left[:, 0].astype("float32"))
            inner.v.assign(right[0].astype("float32"))


def policies(
    names: Iterable[str], on_jax: Collection[str] | None = None, each_on: Collection[str] = ("torch",)
) -> list[tuple[str, str]]:
    """Each case with the policies that it trains in.

    Compiling takes seconds for each, and so do a network's many operators one by one on TensorFlow: a case has one of the
    policies there, TensorFlow another one than JAX, which trains one case of each class.

    Args:
        names: Of the cases.
        on_jax: The classes that JAX trains, if not all.
        each_on: The backends on which a case has every policy.
    """
    names, backend = sorted(names), keras.backend.backend()
    if backend in each_on:
        return [(name, policy) for name in names for policy in POLICIES]
    first = 0 if backend == "jax" else 1
    pairs = [(name, POLICIES[(number + first) % len(POLICIES)]) for number, name in enumerate(names)]
    if backend != "jax":
        return pairs
    once = {name.partition("-")[0]: (name, policy) for name, policy in reversed(pairs)}
    return [pair for kind, pair in sorted(once.items()) if on_jax is None or kind in on_jax]


def can_train(path: str) -> bool:
    """Whether a weight has a gradient but for rounding.

    A softmax over keys is blind to what all keys share, their bias; so is batch normalisation to that of the convolution
    in front of it, as in GFRNet's first stage and the non-local block's last.
    """
    return not path.endswith(("key/bias", "conv6/bias", "conv7/bias", "output_conv/bias"))
