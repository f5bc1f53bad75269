"""Which layer of a Keras model a module of torchvision's or segmentation_models.pytorch's networks is.

`load_state_dict(model, state_dict, rename)` fills a model from a PyTorch state_dict of arrays; `pairs` gives what would
be assigned to what, and works on shapes too.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import keras
import numpy as np

from keras_segpaint.backbones.layouts import TRUNK, torch_module
from tests.reference import _match

Rename = Callable[[str], str]


def resnet_layer(module: str) -> str:
    """A module of torchvision's ResNet."""
    if module in ("conv1", "bn1"):
        return f"stem_{module[:-1]}"
    stage, block, part = re.fullmatch(r"layer(\d)\.(\d+)\.(.+)", module).groups()
    name = f"stage{stage}_block{int(block) + 1}"
    if part.startswith("downsample."):
        return f"{name}_shortcut_" + ("conv", "bn")[int(part[-1])]
    kind, index = re.fullmatch(r"(conv|bn)(\d)", part).groups()
    return f"{name}_{index}_{kind}"


def pyramid_layer(module: str) -> str:
    """A module of torchvision's `ASPP` or of segmentation_models.pytorch's, plain or separable."""
    part, *rest = module.split(".")
    if part == "project":
        return "projection/" + ("conv", "bn")[int(rest[0])]
    branch, *position = rest
    if branch == "4":
        return "image_branch/" + ("", "conv", "bn")[int(position[0])]
    kind = {("0",): "conv", ("1",): "bn", ("0", "0"): "depthwise", ("0", "1"): "conv"}[tuple(position)]
    return f"branch{branch}/{kind}"


def fcn_head_layer(module: str, name: str) -> str:
    """A module of torchvision's `FCNHead`."""
    return f"{name}_" + {"0": "conv", "1": "bn", "4": "classifier"}[module]


def torchvision_fcn_layer(module: str) -> str:
    """A module of torchvision's `fcn_resnet50` and the like."""
    part, rest = module.split(".", 1)
    if part == "backbone":
        return resnet_layer(rest)
    return fcn_head_layer(rest, "aux" if part == "aux_classifier" else "head")


def torchvision_deeplab_layer(module: str) -> str:
    """A module of torchvision's `deeplabv3_resnet50` and the like."""
    part, rest = module.split(".", 1)
    if part == "backbone":
        return resnet_layer(rest)
    if part == "aux_classifier":
        return fcn_head_layer(rest, "aux")
    if rest.startswith("0."):
        return f"aspp/{pyramid_layer(rest[2:])}"
    return {"1": "head_conv", "2": "head_bn", "4": "head_classifier"}[rest]


def smp_deeplab_v3_layer(module: str) -> str:
    """A module of segmentation_models.pytorch's `DeepLabV3`."""
    part, rest = module.split(".", 1)
    if part == "encoder":
        return resnet_layer(rest)
    if part == "segmentation_head":
        return "head_classifier"
    if rest.startswith("aspp."):
        return f"aspp/{pyramid_layer(rest[5:])}"
    return f"head_{rest}"


def smp_deeplab_v3_plus_layer(module: str) -> str:
    """A module of segmentation_models.pytorch's `DeepLabV3Plus`."""
    part, rest = module.split(".", 1)
    if part == "encoder":
        return resnet_layer(rest)
    if part == "segmentation_head":
        return "head_classifier"
    if rest.startswith("aspp.0."):
        return f"aspp/{pyramid_layer(rest[7:])}"
    return {
        "aspp.1.0": "head_depthwise",
        "aspp.1.1": "head_conv",
        "aspp.2": "head_bn",
        "block1.0": "low_level_conv",
        "block1.1": "low_level_bn",
        "block2.0.0": "decoder1_depthwise",
        "block2.0.1": "decoder1_conv",
        "block2.1": "decoder1_bn",
    }[rest]


def mobile_deeplab_layers(model: keras.Model, backbone: str) -> Rename:
    """The same of torchvision's DeepLab on a mobile network, whose trunk counts its blocks through."""
    trunk = {
        torch_module(backbone, layer.name).replace("features", "backbone", 1): layer.name
        for layer in model.layers
        if TRUNK.fullmatch(layer.name) and layer.weights
    }
    return lambda module: trunk.get(module) or torchvision_deeplab_layer(module)


def find_layer(model: keras.Model, path: str) -> keras.layers.Layer:
    """The layer of a model by its name, with a slash in front of each name of a layer inside of it."""
    layer: Any = model
    for name in path.split("/"):
        parts = layer._flatten_layers(include_self=False, recursive=False)
        layer = next(part for part in parts if part.name == name)
    return layer


def pairs(model: keras.Model, state: Mapping[str, np.ndarray], rename: Rename) -> Iterator[tuple[Any, np.ndarray]]:
    """Each variable of the model with its value in Keras's order of axes; every key and every variable once."""
    used: set[int] = set()
    for key, value in state.items():
        module, kind = key.rsplit(".", 1)
        if kind == "num_batches_tracked":
            continue
        layer = find_layer(model, rename(module))
        if isinstance(layer, keras.layers.DepthwiseConv2D) and kind == "weight":
            variable, array = layer.kernel, value.transpose(2, 3, 0, 1)
        else:
            variable, array = _match(layer, kind, value, False)
        assert tuple(variable.shape) == array.shape, (key, variable.path, tuple(variable.shape), array.shape)
        assert id(variable) not in used, f"{key} names {variable.path}, which another key names too"
        used.add(id(variable))
        yield variable, array
    missing = [v.path for v in model.variables if id(v) not in used and "seed_generator" not in v.path]
    assert not missing, f"weights without a value: {missing[:5]}"


def load_state_dict(model: keras.Model, state: Mapping[str, np.ndarray], rename: Rename) -> None:
    """Fills a model from a PyTorch state_dict."""
    for variable, array in pairs(model, state, rename):
        variable.assign(array)
