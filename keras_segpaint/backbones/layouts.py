"""Where published files keep the weights of a trunk's layers."""

import re
from collections.abc import Sequence

# Layers of a trunk with weights, of every family; other layers of a model have other names.
TRUNK = re.compile(
    r"(stem\d?|top|stage\d_block\d+_\w+|(entry|middle|exit)\d+_\w+)_(conv|bn)|conv[1-5](_[1-4])?(_bn)?|fc[67]"
)
STEMS = ("stem_conv", "stem1_conv", "conv1_1", "conv1")

_BLOCK = re.compile(r"stage(\d)_block(\d+)_(\w+)_(conv|bn)")
_XCEPTION_BLOCK = re.compile(r"(entry|middle|exit)(\d+)_(?:unit(\d)_)?(\w+)_(conv|bn)")
_VGG = re.compile(r"conv(\d)_(\d)(_bn)?")
# Blocks per stage, of VGG convolutions.
_DEPTHS = {
    "vgg16": (2, 2, 3, 3, 3),
    "vgg16_bn": (2, 2, 3, 3, 3),
    "vgg19": (2, 2, 4, 4, 4),
    "mobilenet_v2": (1, 2, 3, 7, 4),
    "mobilenet_v3_large": (1, 2, 3, 6, 3),
    "efficientnet_lite0": (1, 2, 2, 6, 5),
    "efficientnet_lite1": (1, 3, 3, 8, 6),
    "efficientnet_lite2": (1, 3, 3, 8, 6),
    "efficientnet_lite3": (1, 3, 3, 10, 7),
    "efficientnet_lite4": (1, 4, 4, 12, 9),
}
_XCEPTION_BLOCKS = {"xception41": (3, 8), "xception65": (3, 16), "xception71": (5, 16)}


class UnknownLayerError(ValueError):
    """A layer of the trunk has no counterpart in a kind of file."""

    def __init__(self, layer: str, kind: str):
        super().__init__(f"no {kind} has weights for layer {layer!r}")


def torch_module(backbone: str, layer: str) -> str:
    """The module in torchvision's networks (timm's for Xception) that a layer of a trunk is.

    Args:
        backbone: Name of the architecture.
        layer: Name of the layer.

    Raises:
        UnknownLayerError: If there is none.

    Example:
        >>> torch_module("resnet50", "stage2_block1_shortcut_bn")
        'layer2.0.downsample.1'
        >>> torch_module("mobilenet_v2", "stage2_block1_depthwise_conv")
        'features.2.conv.1.0'
    """
    translate = {
        "resnet": _torch_resnet,
        "mobilenet_v2": _torch_mobilenet_v2,
        "mobilenet_v3_large": _torch_mobilenet_v3,
        "efficientnet_lite": _torch_efficientnet_lite,
        "xception": _torch_xception,
        "vgg": _torch_vgg,
    }.get(family_of(backbone))
    module = None if translate is None or backbone.endswith("_v1") else translate(backbone, layer)
    if module is None:
        raise UnknownLayerError(layer, f"PyTorch file for {backbone!r}")
    return module


def timm_module(backbone: str, layer: str) -> str:
    """The module in timm's EfficientNet-Lite that a layer of a trunk is.

    Args:
        backbone: Name of the architecture.
        layer: Name of the layer.

    Raises:
        UnknownLayerError: If there is none.

    Example:
        >>> timm_module("efficientnet_lite0", "stage4_block4_expand_conv")
        'blocks.4.0.conv_pw'
    """
    ends = {"stem_conv": "conv_stem", "stem_bn": "bn1", "top_conv": "conv_head", "top_bn": "bn2"}
    if layer in ends:
        return ends[layer]
    match = _BLOCK.fullmatch(layer)
    if match is None or family_of(backbone) != "efficientnet_lite":
        raise UnknownLayerError(layer, f"file of timm for {backbone!r}")
    stage, index, part, kind = int(match[1]), int(match[2]) - 1, match[3], match[4]
    depth = _DEPTHS[backbone][stage - 1]
    # The last two stages are of two kinds of blocks, which are stages of their own there.
    first = {4: depth // 2, 5: depth - 1}.get(stage, depth)
    block = f"blocks.{stage - 1 + (stage == 5) + (index >= first)}.{index - first if index >= first else index}"
    parts = ("depthwise", "project") if stage == 1 else ("expand", "depthwise", "project")
    convs = ("conv_dw", "conv_pw") if stage == 1 else ("conv_pw", "conv_dw", "conv_pwl")
    number = parts.index(part)
    return f"{block}.{_of_kind(kind, convs[number], f'bn{number + 1}')}"


def application_layer(backbone: str, layer: str) -> str:
    """The layer in `keras.applications` that a layer of a trunk is.

    Args:
        backbone: Name of the architecture.
        layer: Name of the layer.

    Raises:
        UnknownLayerError: If there is none.

    Example:
        >>> application_layer("resnet50_v1", "stage2_block1_shortcut_bn")
        'conv3_block1_0_bn'
        >>> application_layer("mobilenet_v2", "stage2_block1_depthwise_conv")
        'block_1_depthwise'
    """
    translate = {
        "resnet": _keras_resnet,
        "mobilenet_v2": _keras_mobilenet_v2,
        "mobilenet_v3_large": _keras_mobilenet_v3,
        "vgg": _keras_vgg,
    }.get(family_of(backbone))
    name = None if translate is None else translate(layer)
    if name is None:
        raise UnknownLayerError(layer, f"file of keras.applications for {backbone!r}")
    return name


def family_of(backbone: str) -> str:
    """The name of the family without its depth."""
    for family in ("resnet", "xception", "vgg", "efficientnet_lite"):
        if backbone.startswith(family):
            return family
    return backbone


def _position(backbone: str, layer: str) -> tuple[int, str, str] | None:
    """The number of a mobile network's block, counted from 1, and its part."""
    match = _BLOCK.fullmatch(layer)
    if match is None:
        return None
    stage, block, part, kind = match.groups()
    return sum(_DEPTHS[backbone][: int(stage) - 1]) + int(block), part, kind


def _of_kind(kind: str, conv: str, bn: str) -> str:
    return conv if kind == "conv" else bn


def _torch_resnet(backbone: str, layer: str) -> str | None:
    if layer in ("stem_conv", "stem_bn"):
        return _of_kind(layer.removeprefix("stem_"), "conv1", "bn1")
    match = _BLOCK.fullmatch(layer)
    if match is None:
        return None
    stage, block, part, kind = match.groups()
    module = f"layer{stage}.{int(block) - 1}"
    if part == "shortcut":
        return f"{module}.downsample.{_of_kind(kind, '0', '1')}"
    return f"{module}.{kind}{part}"


def _torch_mobilenet_v2(backbone: str, layer: str) -> str | None:
    ends = {"stem_conv": "0.0", "stem_bn": "0.1", "top_conv": "18.0", "top_bn": "18.1"}
    if layer in ends:
        return f"features.{ends[layer]}"
    position = _position(backbone, layer)
    if position is None:
        return None
    block, part, kind = position
    parts = ("depthwise", "project") if block == 1 else ("expand", "depthwise", "project")
    index = parts.index(part)
    if part == "project":
        return f"features.{block}.conv.{index + (kind == 'bn')}"
    return f"features.{block}.conv.{index}.{_of_kind(kind, '0', '1')}"


def _torch_mobilenet_v3(backbone: str, layer: str) -> str | None:
    ends = {"stem_conv": "0.0", "stem_bn": "0.1", "top_conv": "16.0", "top_bn": "16.1"}
    if layer in ends:
        return f"features.{ends[layer]}"
    position = _position(backbone, layer)
    if position is None:
        return None
    block, part, kind = position
    parts = [] if block == 1 else ["expand"]
    parts.append("depthwise")
    if block in (4, 5, 6) or block >= 11:
        parts.append("squeeze")
    parts.append("project")
    module = f"features.{block}.block.{parts.index('squeeze' if part == 'excite' else part)}"
    if part in ("squeeze", "excite"):
        return f"{module}.{'fc1' if part == 'squeeze' else 'fc2'}"
    return f"{module}.{_of_kind(kind, '0', '1')}"


def _torch_efficientnet_lite(backbone: str, layer: str) -> str | None:
    ends = {"stem_conv": "_conv_stem", "stem_bn": "_bn0", "top_conv": "_conv_head", "top_bn": "_bn1"}
    if layer in ends:
        return ends[layer]
    position = _position(backbone, layer)
    if position is None:
        return None
    block, part, kind = position
    norms = {"expand": "_bn0", "depthwise": "_bn1", "project": "_bn2"}
    return f"_blocks.{block - 1}.{_of_kind(kind, f'_{part}_conv', norms[part])}"


def _torch_xception(backbone: str, layer: str) -> str | None:
    stem = re.fullmatch(r"stem([12])_(conv|bn)", layer)
    if stem:
        return f"stem.{int(stem[1]) - 1}.{stem[2]}"
    match = _XCEPTION_BLOCK.fullmatch(layer)
    if match is None:
        return None
    flow, index, unit, part, kind = match.groups()
    entry, middle = _XCEPTION_BLOCKS[backbone]
    block = int(index) - 1 + {"entry": 0, "middle": entry, "exit": entry + middle}[flow]
    if unit is None:
        return f"blocks.{block}.{part}.{kind}"
    return f"blocks.{block}.stack.conv{unit}.{kind}_{'dw' if part == 'depthwise' else 'pw'}"


def _torch_vgg(backbone: str, layer: str) -> str | None:
    if layer in ("fc6", "fc7"):
        return "classifier.0" if layer == "fc6" else "classifier.3"
    match = _VGG.fullmatch(layer)
    if match is None:
        return None
    block, index = int(match[1]), int(match[2])
    # In front: a convolution, its normalisation and its rectifier each, and the pools of the blocks before.
    convolutions = sum(_DEPTHS[backbone][: block - 1]) + index - 1
    per_convolution = 3 if backbone == "vgg16_bn" else 2
    return f"features.{convolutions * per_convolution + block - 1 + (match[3] is not None)}"


def _keras_resnet(layer: str) -> str | None:
    if layer in ("stem_conv", "stem_bn"):
        return layer.replace("stem", "conv1")
    match = _BLOCK.fullmatch(layer)
    if match is None:
        return None
    stage, block, part, kind = match.groups()
    return f"conv{int(stage) + 1}_block{block}_{'0' if part == 'shortcut' else part}_{kind}"


def _keras_mobile(layer: str, backbone: str, ends: Sequence[str], prefix: str, bn: str) -> str | None:
    names = dict(zip(("stem_conv", "stem_bn", "top_conv", "top_bn"), ends, strict=True))
    if layer in names:
        return names[layer]
    position = _position(backbone, layer)
    if position is None:
        return None
    block, part, kind = position
    start = "expanded_conv_" if block == 1 else f"{prefix}{block - 1}_"
    if part in ("squeeze", "excite"):
        return f"{start}squeeze_excite_conv{'_1' if part == 'excite' else ''}"
    return f"{start}{part}{bn if kind == 'bn' else ''}"


def _keras_mobilenet_v2(layer: str) -> str | None:
    return _keras_mobile(layer, "mobilenet_v2", ("Conv1", "bn_Conv1", "Conv_1", "Conv_1_bn"), "block_", "_BN")


def _keras_mobilenet_v3(layer: str) -> str | None:
    ends = ("conv", "conv_bn", "conv_1", "conv_1_bn")
    return _keras_mobile(layer, "mobilenet_v3_large", ends, "expanded_conv_", "_bn")


def _keras_vgg(layer: str) -> str | None:
    if layer in ("fc6", "fc7"):
        return "fc1" if layer == "fc6" else "fc2"
    match = _VGG.fullmatch(layer)
    return None if match is None or match[3] else f"block{match[1]}_conv{match[2]}"
