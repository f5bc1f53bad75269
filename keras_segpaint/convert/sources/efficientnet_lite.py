"""The authors' EfficientNet-Lite, as PyTorch has it: of `efficientnet-lite-pytorch`, and timm's `tf_efficientnet_lite0` to 4."""

from collections.abc import Callable
from functools import partial

import keras

from keras_segpaint.backbones.layouts import timm_module, torch_module
from keras_segpaint.convert.card import Card
from keras_segpaint.convert.mapping import Rename
from keras_segpaint.convert.source import Layout, Source, State, UnknownLayoutError
from keras_segpaint.convert.sources.torchvision_backbones import trunk_modules

__all__ = ["SOURCE"]

_MODULES: dict[str, Callable[[str, str], str]] = {"_conv_head": torch_module, "conv_head": timm_module}
# By the number of blocks; Lite1 and Lite2 have as many.
_DEPTHS = {16: 0, 21: 1, 24: 3, 30: 4}
_WIDTH_OF_LITE1 = 320


def _layout(state: State) -> Layout:
    head = next((head for head in _MODULES if f"{head}.weight" in state), None)
    depth = len([key for key in state if key.endswith(("_depthwise_conv.weight", ".conv_dw.weight"))])
    if head is None or depth not in _DEPTHS:
        raise UnknownLayoutError(
            "An EfficientNet-Lite has 16, 21, 24 or 30 blocks and the module _conv_head (efficientnet-lite-pytorch) or "
            "conv_head (timm)"
        )
    if any("_se_" in key or ".se." in key for key in state):
        raise UnknownLayoutError("It has squeeze-and-excitation: it is an EfficientNet, not an EfficientNet-Lite")
    wide = state[f"{head}.weight"].shape[1] > _WIDTH_OF_LITE1
    name = f"efficientnet_lite{2 if depth == 21 and wide else _DEPTHS[depth]}"
    timm = head == "conv_head"
    top = ("conv_head.", "bn2.") if timm else ("_conv_head.", "_bn1.")
    return Layout(
        "EfficientNetLite",
        {"architecture": name},
        partial(_renamer, name, _MODULES[head]),
        ignored=lambda key: key.startswith(("_fc.", "classifier.")),
        optional=lambda key: key.startswith(top),
        images=("stem_conv", (0.5,) * 3, (0.5,) * 3, False) if timm else None,
        card={"left_out": "the classifier"},
    )


def _renamer(name: str, module_of: Callable[[str, str], str], model: keras.Model) -> Rename:
    if model.get_layer("stem_conv").padding != "same":
        raise ValueError(
            "The authors' weights were trained with TensorFlow's padding; the model has padding='symmetric'. Build it with "
            "padding='same'. (Weights that timm trained itself, efficientnet_lite0, are read by "
            "EfficientNetLite(padding='symmetric', weights=PATH).)"
        )
    return trunk_modules(model, name, module_of=module_of).get


SOURCE = Source(
    "efficientnet-lite",
    Card(
        "efficientnet-lite",
        licence="Apache-2.0",
        url="https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite",
        preprocessing="RGB in [0, 1]; the model normalises by 127 and 128 of 255; 224, 240, 260, 280 and 300 pixels for "
        "Lite0 to Lite4",
    ),
    _layout,
    models=("EfficientNetLite",),
)
