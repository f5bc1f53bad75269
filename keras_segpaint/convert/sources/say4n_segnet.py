"""say4n/pytorch-segnet: SegNet with transposed convolutions in its decoder."""

import re

from keras_segpaint.convert.card import Card
from keras_segpaint.convert.source import Layout, Source, State, UnknownLayoutError

__all__ = ["SOURCE"]

_DEPTHS = (2, 2, 3, 3, 3)


def _layout(state: State) -> Layout:
    if "decoder_convtr_00.0.weight" not in state or "encoder_conv_00.0.weight" not in state:
        raise UnknownLayoutError("A SegNet has the modules encoder_conv_00 and decoder_convtr_00")
    return Layout(
        "SegNet",
        {
            "num_classes": state["decoder_convtr_00.0.weight"].shape[1],
            "base_filters": state["encoder_conv_00.0.weight"].shape[0],
            "pool_padding": "valid",
        },
        lambda model: _rename,
        head=("classifier",),
        flipped=lambda module: "convtr" in module,
        # The weights that the encoder began with.
        ignored=lambda key: key.startswith("vgg16."),
    )


def _rename(module: str) -> str | None:
    found = re.fullmatch(r"(encoder_conv|decoder_convtr)_(\d)(\d)\.(\d)", module)
    if found is None:
        return None
    kind, stage, index, position = found.groups()
    if kind == "encoder_conv":
        name = f"conv{int(stage) + 1}_{int(index) + 1}"
    elif (stage, index) == ("0", "0"):
        return "classifier"
    else:
        # The decoder's convolutions are counted downwards.
        name = f"decoder{int(stage) + 1}_{_DEPTHS[int(stage)] - int(index)}"
    return name + ("", "_bn")[int(position)]


SOURCE = Source(
    "say4n/segnet",
    Card(
        "say4n/segnet",
        url="https://github.com/say4n/pytorch-segnet",
        preprocessing="as the network was trained; the published code gives RGB in [0, 1]",
    ),
    _layout,
    models=("SegNet",),
)
