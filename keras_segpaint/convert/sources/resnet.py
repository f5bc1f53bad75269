"""The names of torchvision's ResNet, which other implementations build on."""

import re

from keras_segpaint.convert.source import State, UnknownLayoutError, count

__all__ = ["resnet_layer", "resnet_name"]

_DEPTHS: dict[tuple[bool, tuple[int, ...]], str] = {
    (False, (2, 2, 2, 2)): "resnet18",
    (False, (3, 4, 6, 3)): "resnet34",
    (True, (3, 4, 6, 3)): "resnet50",
    (True, (3, 4, 23, 3)): "resnet101",
    (True, (3, 8, 36, 3)): "resnet152",
}


def resnet_layer(module: str) -> str | None:
    """The layer of a ResNet that a module of torchvision's is.

    Example:
        >>> resnet_layer("layer2.0.downsample.1")
        'stage2_block1_shortcut_bn'
    """
    if module in ("conv1", "bn1"):
        return f"stem_{module[:-1]}"
    found = re.fullmatch(r"layer(\d)\.(\d+)\.(?:(downsample)\.(\d)|(conv|bn)(\d))", module)
    if found is None:
        return None
    stage, block, shortcut, position, kind, index = found.groups()
    name = f"stage{stage}_block{int(block) + 1}"
    return f"{name}_shortcut_" + ("conv", "bn")[int(position)] if shortcut else f"{name}_{index}_{kind}"


def resnet_name(state: State, prefix: str) -> str:
    """Which ResNet it is whose modules begin with a prefix.

    Raises:
        UnknownLayoutError: If it is none of them.
    """
    bottleneck = f"{prefix}layer1.0.conv3.weight" in state
    depths = tuple(count(state, f"{prefix}layer{stage}.{{}}.") for stage in range(1, 5))
    if (bottleneck, depths) not in _DEPTHS:
        raise UnknownLayoutError(f"Its encoder has {depths} blocks, which no ResNet of this package has")
    return _DEPTHS[bottleneck, depths]
