"""segmentation_models.pytorch: DeepLab v3 and v3+ on ResNets."""

from keras_segpaint.convert.card import Card
from keras_segpaint.convert.source import Layout, Source, State, UnknownLayoutError
from keras_segpaint.convert.sources.pyramid import pyramid_layer
from keras_segpaint.convert.sources.resnet import resnet_layer, resnet_name

__all__ = ["SOURCE", "plain_layer", "plus_layer"]

_PLUS = {
    "aspp.1.0": "head_depthwise",
    "aspp.1.1": "head_conv",
    "aspp.2": "head_bn",
    "block1.0": "low_level_conv",
    "block1.1": "low_level_bn",
    "block2.0.0": "decoder1_depthwise",
    "block2.0.1": "decoder1_conv",
    "block2.1": "decoder1_bn",
}
# Decoders that are not those of the papers, by a key that only they have.
_OTHERS = {
    "decoder.blocks.0.block.1.0.weight": "Its LinkNet has five decoder blocks with transposed convolutions of 4x4, the last "
    "without features to add, and a head of 1x1; this package's LinkNet has the paper's four of 3x3, a transposed one, a "
    "3x3 and a transposed 2x2",
    "decoder.blocks.0.conv1.0.weight": "Its U-Net joins the features of a ResNet, enlarged by repeating pixels; this "
    "package's U-Net has the paper's own encoder, enlarged by transposed convolutions or bilinearly",
    "decoder.psp.blocks.0.pool.1.0.weight": "Its PSPNet pools the encoder's third stage, of stride 8, and leaves the "
    "others out; this package's PSPNet pools the last stage, dilated, as the paper's, and has a 3x3 before its classifier",
    "decoder.p5.weight": "Its FPN sums four levels of a feature pyramid; this package has no such network",
}


def _layout(state: State) -> Layout:
    for key, reason in _OTHERS.items():
        if key in state:
            raise UnknownLayoutError(
                f"{reason}: the weights have no place. DeepLabV3 and DeepLabV3Plus on ResNets can be read"
            )
    if not any(key.startswith("decoder.aspp.") for key in state) or "segmentation_head.0.weight" not in state:
        raise UnknownLayoutError("Of its networks DeepLabV3 and DeepLabV3Plus on ResNets can be read")
    plus = "decoder.block1.0.weight" in state
    arguments = {
        "num_classes": state["segmentation_head.0.weight"].shape[0],
        "backbone": resnet_name(state, "encoder."),
        "multi_grid": (),
        "head_conv": True,
        "rates": (12, 24, 36),
        "align_corners": True,
        "output_stride": 16 if plus else 8,
    }
    if plus:
        arguments.update(separable=True, depthwise_norm=False, decoder_convs=1)
    return Layout(
        "DeepLabV3Plus" if plus else "DeepLabV3",
        arguments,
        lambda model: plus_layer if plus else plain_layer,
        head=("head_classifier",),
    )


def plain_layer(module: str) -> str | None:
    """The layer of `DeepLabV3` that a module is."""
    part, _, rest = module.partition(".")
    if part == "encoder":
        return resnet_layer(rest)
    if part == "segmentation_head":
        return "head_classifier"
    if rest.startswith("aspp."):
        return f"aspp/{pyramid_layer(rest[5:])}"
    return f"head_{rest}"


def plus_layer(module: str) -> str | None:
    """The layer of `DeepLabV3Plus` that a module is."""
    part, _, rest = module.partition(".")
    if part == "encoder":
        return resnet_layer(rest)
    if part == "segmentation_head":
        return "head_classifier"
    if rest.startswith("aspp.0."):
        return f"aspp/{pyramid_layer(rest[7:])}"
    return _PLUS[rest]


SOURCE = Source(
    "segmentation_models_pytorch",
    Card(
        "segmentation_models_pytorch",
        licence="MIT",
        url="https://github.com/qubvel-org/segmentation_models.pytorch",
        preprocessing="RGB in [0, 1]; the model normalises by ImageNet's mean and deviation",
    ),
    _layout,
    models=("DeepLabV3", "DeepLabV3Plus"),
)
