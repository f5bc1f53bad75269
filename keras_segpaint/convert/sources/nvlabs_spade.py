"""NVlabs/SPADE: generator, encoder and critic of GauGAN."""

import re
from typing import Any

import numpy as np

from keras_segpaint.convert.card import Card
from keras_segpaint.convert.source import Layout, Source, State, UnknownLayoutError

__all__ = ["SOURCE"]

# By the planes of the label map, arguments that the weights alone do not tell: classes, whether the last but one plane is
# that of pixels without a label, and the last that of the borders of instances.
_DATA_SETS: dict[int, dict[str, Any]] = {
    151: {"num_labels": 150, "ignore_class": 255, "edges": False},  # ADE20K
    184: {"num_labels": 182, "ignore_class": 255, "edges": True},  # COCO-Stuff
    36: {"num_labels": 35, "ignore_class": None, "edges": True, "upsampling": "more"},  # Cityscapes
}
_BLOCK = re.compile(
    r"(head_0|G_middle_\d|up_\d)\.(?:norm_([01s])\.(mlp_shared\.0|mlp_modulation|param_free_norm)|conv_([01s]))"
)
_PARTS = {"mlp_shared.0": "shared", "mlp_modulation": "modulation", "param_free_norm": "norm"}


def _layout(state: State) -> Layout:
    if "discriminator_0.model0.0.weight" in state:
        return _critic(state)
    if "fc_mu.weight" in state:
        filters = state["layer1.0.weight_orig"].shape[0]
        return Layout("SPADEEncoder", {"base_filters": filters}, lambda model: _encoder_layer, adapt=_channels_last)
    if "head_0.norm_0.mlp_shared.0.weight" not in state or "conv_img.weight" not in state:
        raise UnknownLayoutError(
            "A generator has the modules head_0 and conv_img, an encoder fc_mu, a critic discriminator_0"
        )
    hidden, planes = state["head_0.norm_0.mlp_shared.0.weight"].shape[:2]
    most = "up_4.conv_0.weight_orig" in state
    batch = "head_0.norm_0.param_free_norm.running_mean" in state
    arguments: dict[str, Any] = {
        **_DATA_SETS.get(planes, {"num_labels": planes, "ignore_class": None, "edges": False}),
        "base_filters": state["conv_img.weight"].shape[1] * (2 if most else 1),
        "normalization": "batch" if batch else "instance",
        "hidden": hidden,
    }
    if most:
        arguments["upsampling"] = "most"
    if state["fc.weight"].ndim == 2:
        arguments["latent_dim"] = state["fc.weight"].shape[1]
    return Layout("SPADEGenerator", arguments, lambda model: _generator_layer, adapt=_merged)


def _critic(state: State) -> Layout:
    filters, channels = state["discriminator_0.model0.0.weight"].shape[:2]
    known = _DATA_SETS.get(channels - 3, {"num_labels": channels - 3, "ignore_class": None})
    arguments = {name: value for name, value in known.items() if name != "upsampling"}
    return Layout("MultiscaleDiscriminator", {**arguments, "base_filters": filters}, lambda model: _critic_layer)


def _merged(state: State) -> State:
    """Gamma and beta are one convolution here, and the latent vector's features are (rows, columns, channels)."""
    merged = {key: value for key, value in state.items() if ".mlp_gamma." not in key and ".mlp_beta." not in key}
    for key, gamma in state.items():
        if ".mlp_gamma." in key:
            both = np.concatenate([gamma, state[key.replace("mlp_gamma", "mlp_beta")]])
            merged[key.replace("mlp_gamma", "mlp_modulation")] = both
    if state["fc.weight"].ndim == 2:
        channels = state["head_0.conv_0.weight_orig"].shape[1]
        side = round((len(state["fc.weight"]) / channels) ** 0.5)
        for key in ("fc.weight", "fc.bias"):
            value = state[key].reshape(channels, side, side, -1)
            merged[key] = np.moveaxis(value, 0, 2).reshape(state[key].shape)
    return merged


def _channels_last(state: State) -> State:
    """The features in front of the dense layers are (channels, rows, columns) there."""
    changed = dict(state)
    for key in ("fc_mu.weight", "fc_var.weight"):
        rows = state[key].reshape(len(state[key]), -1, 4, 4)
        changed[key] = np.moveaxis(rows, 1, 3).reshape(state[key].shape)
    return changed


def _generator_layer(module: str) -> str | None:
    if module in ("conv_img", "fc"):
        return {"conv_img": "image_conv", "fc": "start"}[module]
    found = _BLOCK.fullmatch(module)
    if found is None:
        return None
    block, norm, part, conv = found.groups()
    block = block.removeprefix("G_")
    return f"{block}/conv_{conv}" if conv else f"{block}/spade_{norm}/{_PARTS[part]}"


def _encoder_layer(module: str) -> str | None:
    if module in ("fc_mu", "fc_var"):
        return {"fc_mu": "mean", "fc_var": "log_variance"}[module]
    found = re.fullmatch(r"layer(\d)\.0", module)
    return f"conv{found[1]}" if found else None


def _critic_layer(module: str) -> str | None:
    found = re.fullmatch(r"discriminator_(\d)\.model(\d)\.0(?:\.0)?", module)
    if found is None:
        return None
    scale, index = found.groups()
    return f"scale{scale}_judge" if index == "4" else f"scale{scale}_conv{index}"


SOURCE = Source(
    "nvlabs/spade",
    Card(
        "nvlabs/spade",
        licence="CC BY-NC-SA 4.0",
        url="https://github.com/NVlabs/SPADE",
        preprocessing="label ids; images in [-1, 1]. Weights without a latent vector do not fit a network with one, and the "
        "other way round",
    ),
    _layout,
    models=("SPADEGenerator", "SPADEEncoder", "MultiscaleDiscriminator"),
)
