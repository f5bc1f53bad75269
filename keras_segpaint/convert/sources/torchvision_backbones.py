"""torchvision's classification networks, as backbones of this package; the names are those of `weights=` of a backbone."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from keras_segpaint.backbones.layouts import TRUNK, torch_module
from keras_segpaint.convert.mapping import Rename
from keras_segpaint.convert.source import Layout, State, UnknownLayoutError
from keras_segpaint.convert.sources.resnet import resnet_name

__all__ = ["classification_layout", "head_layout", "trunk_modules"]

_VGG = {(13, False): "vgg16", (13, True): "vgg16_bn", (16, False): "vgg19"}


def classification_layout(state: State) -> Layout | None:
    """The backbone whose weights the keys of a classification network are; `None` for keys of something else.

    Raises:
        UnknownLayoutError: If this package does not have that backbone.
    """
    if "layer1.0.conv1.weight" in state and "conv1.weight" in state:
        name = resnet_name(state, "")
        return _layout("ResNet", name, {"architecture": name, "base_filters": len(state["conv1.weight"])})
    if "features.0.bias" in state:
        return _vgg_layout(state)
    if "features.1.conv.0.0.weight" in state:
        if "features.18.0.weight" not in state:
            raise UnknownLayoutError("It is a MobileNet of other blocks than MobileNetV2's")
        return _layout("MobileNetV2", "mobilenet_v2", {}, optional=("features.18.",))
    if "features.1.block.0.0.weight" in state:
        if "features.16.0.weight" not in state:
            raise UnknownLayoutError("It is a MobileNetV3-Small, or an EfficientNet; there is MobileNetV3Large only")
        return _layout("MobileNetV3Large", "mobilenet_v3_large", {}, optional=("features.16.",))
    return None


def head_layout(state: State) -> Layout:
    """MobileNetV3 of an LR-ASPP, without its head."""
    head = sum(key.startswith("classifier.") for key in state)
    return Layout(
        "MobileNetV3Large",
        {"output_stride": 16},
        lambda model: _rename(trunk_modules(model, "mobilenet_v3_large", "backbone.")),
        ignored=lambda key: key.startswith("classifier."),
        optional=lambda key: key.startswith("backbone.16."),
        card={"left_out": f"{head} arrays of the LR-ASPP head"},
    )


def _vgg_layout(state: State) -> Layout:
    normalized = "features.1.running_mean" in state
    convolutions = sum(key.startswith("features.") and np.ndim(array) == 4 for key, array in state.items())
    name = _VGG.get((convolutions, normalized))
    if name is None:
        kind = "with" if normalized else "without"
        raise UnknownLayoutError(
            f"It is a VGG of {convolutions} convolutions {kind} normalisation; there are VGG-16 of either kind and "
            "VGG-19 without"
        )
    return _layout(
        "VGG19" if name == "vgg19" else "VGG16",
        name,
        {"architecture": name, "base_filters": len(state["features.0.weight"])},
        # The fully connected layers that a backbone may have, as convolutions.
        optional=("classifier.0.", "classifier.3."),
        adapt=_as_convolution,
    )


def _as_convolution(state: State) -> State:
    """The first fully connected layer of a VGG sees 7x7 pixels."""
    weight = state.get("classifier.0.weight")
    if weight is None or weight.ndim != 2 or weight.shape[1] % 49:
        return state
    return {**state, "classifier.0.weight": weight.reshape(len(weight), -1, 7, 7)}


def _layout(
    model: str, backbone: str, arguments: dict[str, Any], optional: tuple[str, ...] = (), **further: Any
) -> Layout:
    return Layout(
        model,
        arguments,
        lambda built: _rename(trunk_modules(built, backbone)),
        ignored=lambda key: key.startswith(("fc.", "classifier.")) and not key.startswith(optional),
        optional=lambda key: key.startswith(optional),
        card={"left_out": "the classifier"},
        **further,
    )


def _rename(modules: dict[str, str]) -> Rename:
    return modules.get


def trunk_modules(
    model: keras.Model, backbone: str, prefix: str = "", module_of: Callable[[str, str], str] = torch_module
) -> dict[str, str]:
    """The layers of a trunk by their modules; with a `prefix` in place of `features.`."""
    found = {
        module_of(backbone, layer.name): layer.name
        for layer in model.layers
        if TRUNK.fullmatch(layer.name) and layer.weights
    }
    return {module.replace("features.", prefix, 1) if prefix else module: layer for module, layer in found.items()}
