"""junfu1115/DANet: DANet on ResNets."""

import re

from keras_segpaint.convert.card import Card
from keras_segpaint.convert.source import Layout, Source, State, UnknownLayoutError
from keras_segpaint.convert.sources.resnet import resnet_layer, resnet_name

__all__ = ["SOURCE"]

_BRANCHES = {"5a": "position_reduce", "5c": "channel_reduce", "51": "position_conv", "52": "channel_conv"}
_HEADS = {"6": "position_classifier", "7": "channel_classifier", "8": "sum_classifier"}
_ATTENTION = {"sa": "position_attention", "sc": "channel_attention"}


def _layout(state: State) -> Layout:
    if "head.sa.query_conv.weight" not in state or "head.conv8.1.weight" not in state:
        raise UnknownLayoutError("A DANet has the modules head.sa and head.conv8")
    if "pretrained.conv1.weight" not in state:
        raise UnknownLayoutError(
            "Its encoder begins with several convolutions; only plain ones (--no-deepstem) can be read"
        )
    return Layout(
        "DANet",
        {
            "num_classes": state["head.conv8.1.weight"].shape[0],
            "backbone": resnet_name(state, "pretrained."),
            # As its published weights were trained, and their test command says.
            "multi_grid": (4, 8, 16),
            "supervised": True,
        },
        lambda model: _rename,
        head=tuple(_HEADS.values()),
        ignored=lambda key: key.startswith("pretrained.fc."),
    )


def _rename(module: str) -> str | None:
    part, _, rest = module.partition(".")
    if part == "pretrained":
        return resnet_layer(rest)
    if (found := re.fullmatch(r"conv(5a|5c|51|52)\.([01])", rest)) is not None:
        return _BRANCHES[found[1]] + ("", "_bn")[int(found[2])]
    if (found := re.fullmatch(r"conv([678])\.1", rest)) is not None:
        return _HEADS[found[1]]
    attention, _, conv = rest.partition(".")
    return _ATTENTION[attention] + (f"/{conv.removesuffix('_conv')}" if conv else "")


SOURCE = Source(
    "junfu1115/danet",
    Card(
        "junfu1115/danet",
        licence="MIT",
        url="https://github.com/junfu1115/DANet",
        preprocessing="RGB in [0, 1]; the model normalises by ImageNet's mean and deviation",
        metric="Cityscapes, validation, ResNet-101, whole images: 79.93 % mean IoU, as its README says",
    ),
    _layout,
    models=("DANet",),
)
