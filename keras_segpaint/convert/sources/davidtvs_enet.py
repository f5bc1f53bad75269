"""davidtvs/PyTorch-ENet: ENet trained on CamVid and Cityscapes."""

import re
from typing import Any

from keras_segpaint.convert.card import Card
from keras_segpaint.convert.mapping import Rename
from keras_segpaint.convert.source import Layout, Source, State, UnknownLayoutError

__all__ = ["SOURCE"]

# In the order of the logits.
CAMVID = {
    "sky": (128, 128, 128),
    "building": (128, 0, 0),
    "pole": (192, 192, 128),
    "road": (128, 64, 128),
    "pavement": (60, 40, 222),
    "tree": (128, 128, 0),
    "sign_symbol": (192, 128, 128),
    "fence": (64, 64, 128),
    "car": (64, 0, 128),
    "pedestrian": (64, 64, 0),
    "bicyclist": (0, 128, 192),
    "unlabelled": (0, 0, 0),
}
CITYSCAPES = {
    "unlabelled": (0, 0, 0),
    "road": (128, 64, 128),
    "sidewalk": (244, 35, 232),
    "building": (70, 70, 70),
    "wall": (102, 102, 156),
    "fence": (190, 153, 153),
    "pole": (153, 153, 153),
    "traffic light": (250, 170, 30),
    "traffic sign": (220, 220, 0),
    "vegetation": (107, 142, 35),
    "terrain": (152, 251, 152),
    "sky": (70, 130, 180),
    "person": (220, 20, 60),
    "rider": (255, 0, 0),
    "car": (0, 0, 142),
    "truck": (0, 0, 70),
    "bus": (0, 60, 100),
    "train": (0, 80, 100),
    "motorcycle": (0, 0, 230),
    "bicycle": (119, 11, 32),
}
# By the number of logits: the classes, and the mean IoU without the unlabelled one that its README gives.
TRAINED = {
    12: (CAMVID, "CamVid, test, 480x360: 52.1 % mean IoU of the 11 classes, as its README says"),
    20: (CITYSCAPES, "Cityscapes, validation, 1024x512: 59.5 % mean IoU of the 19 classes, as its README says"),
}


def _layout(state: State) -> Layout:
    if "transposed_conv.weight" not in state or not any(key.startswith("initial_block.") for key in state):
        raise UnknownLayoutError("An ENet has the modules initial_block and transposed_conv")
    # Two codes were published; the older one names its last activations otherwise.
    older = any(".out_prelu." in key for key in state)
    classes = state["transposed_conv.weight"].shape[1]
    card: dict[str, Any] = {}
    if classes in TRAINED:
        colours, metric = TRAINED[classes]
        names = tuple(colours)
        card = {
            "classes": names,
            "unlabelled": names.index("unlabelled"),
            "palette": tuple(colours.values()),
            "metric": metric,
        }
    return Layout(
        "ENet",
        {"num_classes": classes, "variant": "pytorch_2018" if older else "pytorch"},
        lambda model: _renamer(older),
        head=("classifier",),
        card=card,
    )


def _renamer(older: bool) -> Rename:
    # The newer code calls the last convolution of an upsampling bottleneck `ext_conv2`, the older one `ext_conv3`.
    up_last = "ext_conv3" if older else "ext_conv2"

    def rename(module: str) -> str | None:
        if module == "transposed_conv":
            return "classifier"
        block, _, part = module.partition(".")
        if block == "initial_block":
            return {
                "main_branch": "initial_conv",
                "batch_norm": "initial_bn",
                "out_activation": "initial_act",
                "out_prelu": "initial_act",
            }[part]
        found = re.fullmatch(r"[a-z]+(\d)_(\d)", block)
        if found is None:
            return None
        stage, index = found.groups()
        # Stage 3 is counted from 0 in the code, and from 1 in the paper.
        name = f"bottleneck{stage}_{int(index) + (stage == '3')}"
        if part in ("out_activation", "out_prelu"):
            return f"{name}_act"
        branch, _, position = part.partition(".")
        if branch == "main_conv1":
            return f"{name}_skip" + ("", "_bn")[int(position)]
        if branch == "ext_tconv1":
            return f"{name}_conv"
        if branch == "ext_tconv1_bnorm":
            return f"{name}_conv_bn"
        if branch == "ext_conv1":
            return f"{name}_reduce" + ("", "_bn", "_act")[int(position)]
        if branch == (up_last if block.startswith("upsample") else "ext_conv3"):
            return f"{name}_expand" + ("", "_bn", "_act")[int(position)]
        if block.startswith("asymmetric") and int(position) < 3:
            return f"{name}_conv_5x1" + ("", "_bn", "_act")[int(position)]
        return f"{name}_conv" + ("", "_bn", "_act")[int(position) % 3]

    return rename


SOURCE = Source(
    "davidtvs/enet",
    Card(
        "davidtvs/enet",
        licence="MIT",
        url="https://github.com/davidtvs/PyTorch-ENet",
        preprocessing="RGB in [0, 1], not normalised; trained at 480x360 (CamVid) or 1024x512 (Cityscapes)",
    ),
    _layout,
    models=("ENet",),
)
