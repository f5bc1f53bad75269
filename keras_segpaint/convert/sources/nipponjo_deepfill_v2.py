"""nipponjo/deepfillv2-pytorch: the generator of DeepFill v2."""

import re

import keras

from keras_segpaint.convert.card import Card
from keras_segpaint.convert.mapping import Rename
from keras_segpaint.convert.source import Layout, Source, State, UnknownLayoutError

__all__ = ["SOURCE"]

# Where the modules are in the paper's order of layers, by the path behind the branch.
_POSITIONS = {
    "conv1": 1,
    "down_block1.conv1_downsample": 2,
    "down_block1.conv2": 3,
    "down_block2.conv1_downsample": 4,
    "down_block2.conv2": 5,
    "up_block1.conv1_upsample.conv": 13,
    "up_block1.conv2": 14,
    "up_block2.conv1_upsample.conv": 15,
    "up_block2.conv2": 16,
    "conv_to_rgb": 17,
}


def _layout(state: State) -> Layout:
    if "stage1.conv1.conv.weight" not in state or "stage2.ca_conv1.conv.weight" not in state:
        raise UnknownLayoutError("A generator has the modules stage1.conv1 and stage2.ca_conv1")
    filters, channels = state["stage1.conv1.conv.weight"].shape[:2]
    return Layout(
        "DeepFillV2",
        # Gated convolutions have half of their filters as gates.
        {"cnum": filters, "sketch": channels == 6},
        _renamer,
        ignored=lambda key: ".contextual_attention." in key,
    )


def _renamer(model: keras.Model) -> Rename:
    gated = {layer.name for layer in model.layers if hasattr(layer, "conv")}

    def rename(module: str) -> str | None:
        stage, _, path = module.partition(".")
        path = path.removesuffix(".conv")
        if stage == "stage1":
            prefix = "coarse"
        elif path.startswith("ca_"):
            prefix, path = "attention", path.removeprefix("ca_")
        else:
            # Of the branch of convolutions: `conv_conv1`, `conv_down_block1`; behind the join: `conv_bn6`, `up_block1`.
            prefix, path = "refine", re.sub(r"^conv_(?=conv|down)", "", path)
        found = re.fullmatch(r"conv_bn(\d)", path)
        name = f"{prefix}_conv{int(found[1]) + 5 if found else _POSITIONS[path]}"
        return f"{name}/conv" if name in gated else name

    return rename


SOURCE = Source(
    "nipponjo/deepfill_v2",
    Card(
        "nipponjo/deepfill_v2",
        licence="none is named; weights converted from the authors' are CC BY-NC 4.0",
        url="https://github.com/nipponjo/deepfillv2-pytorch",
        preprocessing="RGB in [-1, 1], 1 is a hole; trained at 256x256. Weights for the network that pads as TensorFlow "
        "does give other results here: take those that were tuned for plain padding",
    ),
    _layout,
    models=("DeepFillV2",),
    part="G",
)
