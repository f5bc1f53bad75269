"""DrSleep/refinenet-pytorch: RefineNet on ResNet-101."""

import re

from keras_segpaint.convert.card import Card
from keras_segpaint.convert.source import Layout, Source, State, UnknownLayoutError
from keras_segpaint.convert.sources.resnet import resnet_layer, resnet_name

__all__ = ["SOURCE"]

_UNIT = {"_conv": "conv1", "_conv_relu_varout_dimred": "conv2"}


def _layout(state: State) -> Layout:
    if "p_ims1d2_outl1_dimred.weight" not in state or "clf_conv.weight" not in state:
        raise UnknownLayoutError("A RefineNet has the modules p_ims1d2_outl1_dimred and clf_conv")
    return Layout(
        "RefineNet",
        {"num_classes": state["clf_conv.weight"].shape[0], "backbone": resnet_name(state, ""), "variant": "code"},
        lambda model: _rename,
        head=("classifier",),
    )


def _rename(module: str) -> str | None:
    """Its first block is the deepest, which is the fourth of the paper."""
    if module == "clf_conv":
        return "classifier"
    if (found := re.fullmatch(r"p_ims1d2_outl(\d)_dimred", module)) is not None:
        return f"refine{5 - int(found[1])}_reduce"
    if (found := re.fullmatch(r"adapt_stage(\d)_b2_joint_varout_dimred", module)) is not None:
        return f"refine{5 - int(found[1])}_fusion/conv1"
    if (found := re.fullmatch(r"mflow_conv_g(\d)_b3_joint_varout_dimred", module)) is not None:
        return f"refine{4 - int(found[1])}_fusion/conv2"
    if (found := re.fullmatch(r"mflow_conv_g(\d)_pool\.0\.(\d)_outvar_dimred", module)) is not None:
        return f"refine{5 - int(found[1])}_pools/conv{found[2]}"
    if (found := re.fullmatch(r"(adapt_stage|mflow_conv_g)(\d)_b\.0\.(\d)(_conv\w*)", module)) is not None:
        side = "input" if found[1] == "adapt_stage" else "output"
        return f"refine{5 - int(found[2])}_{side}{found[3]}/{_UNIT[found[4]]}"
    return resnet_layer(module)


SOURCE = Source(
    "drsleep/refinenet",
    Card(
        "drsleep/refinenet",
        licence="for non-commercial purposes, as its files say",
        url="https://github.com/DrSleep/refinenet-pytorch",
        preprocessing="RGB in [0, 1]; the model normalises by ImageNet's mean and deviation",
    ),
    _layout,
    models=("RefineNet",),
)
