"""daa233/generative-inpainting-pytorch: the generator of DeepFill v1."""

import re

from keras_segpaint.convert.card import Card
from keras_segpaint.convert.source import Layout, Source, State, UnknownLayoutError

__all__ = ["SOURCE"]

_BRANCHES = {"": "refine", "all": "refine", "pm": "attention"}


def _layout(state: State) -> Layout:
    if "coarse_generator.conv1.conv.weight" not in state or "fine_generator.pmconv1.conv.weight" not in state:
        raise UnknownLayoutError("A generator has the modules coarse_generator.conv1 and fine_generator.pmconv1")
    return Layout(
        "DeepFillV1",
        {"base_filters": state["coarse_generator.conv1.conv.weight"].shape[0], "patch_norm": "add"},
        lambda model: _rename,
    )


def _rename(module: str) -> str | None:
    found = re.fullmatch(r"(coarse|fine)_generator\.([a-z]*)conv(\d+)(?:_[a-z]+)?\.conv", module)
    if found is None or found[2] not in _BRANCHES:
        return None
    prefix = "coarse" if found[1] == "coarse" else _BRANCHES[found[2]]
    return f"{prefix}_conv{found[3]}"


SOURCE = Source(
    "daa233/deepfill_v1",
    Card(
        "daa233/deepfill_v1",
        licence="MIT (the code)",
        url="https://github.com/daa233/generative-inpainting-pytorch",
        preprocessing="RGB in [-1, 1], 1 is a hole; trained at 256x256",
    ),
    _layout,
    models=("DeepFillV1",),
)
