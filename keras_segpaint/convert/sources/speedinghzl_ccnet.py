"""speedinghzl/CCNet: CCNet on ResNets."""

import re

import numpy as np

from keras_segpaint.convert.card import Card
from keras_segpaint.convert.source import Layout, Source, State, UnknownLayoutError
from keras_segpaint.convert.sources.resnet import resnet_layer, resnet_name

__all__ = ["SOURCE"]

_PLACES = {
    "head.conva.0": "reduce",
    "head.conva.1": "reduce_bn",
    "head.convb.0": "attended",
    "head.convb.1": "attended_bn",
    "head.bottleneck.0": "fuse",
    "head.bottleneck.1": "fuse_bn",
    "head.bottleneck.3": "classifier",
    "head.cca": "attention",
    "head.cca.query_conv": "attention/query",
    "head.cca.key_conv": "attention/key",
    "head.cca.value_conv": "attention/value",
    "dsn.0": "auxiliary_conv",
    "dsn.1": "auxiliary_conv_bn",
    "dsn.3": "auxiliary_classifier",
}
# Its normalisations, which share memory with their activations, take the size of the scale and add epsilon to it.
_EPSILON = 1e-5
# Grey levels of blue, green and red, less their mean.
_MEAN = tuple(level / 255 for level in (104.00698793, 116.66876762, 122.67891434))


def _layout(state: State) -> Layout:
    if "head.cca.query_conv.weight" not in state or "head.bottleneck.3.weight" not in state:
        raise UnknownLayoutError("A CCNet has the modules head.cca and head.bottleneck")
    return Layout(
        "CCNet",
        {
            "num_classes": state["head.bottleneck.3.weight"].shape[0],
            "backbone": resnet_name(state, ""),
            "supervised": "dsn.0.weight" in state,
        },
        lambda model: _rename,
        head=("classifier", "auxiliary_classifier"),
        adapt=_adapt,
        images=("stem1_conv", _MEAN, (1 / 255,) * 3, True),
    )


def _adapt(state: State) -> State:
    return {
        key: np.abs(array) + _EPSILON if key.endswith(".weight") and array.ndim == 1 else array
        for key, array in state.items()
    }


def _rename(module: str) -> str | None:
    if (found := re.fullmatch(r"(conv|bn)([123])", module)) is not None:
        return f"stem{found[2]}_{found[1]}"
    return _PLACES.get(module) or resnet_layer(module)


SOURCE = Source(
    "speedinghzl/ccnet",
    Card(
        "speedinghzl/ccnet",
        licence="MIT",
        url="https://github.com/speedinghzl/CCNet",
        preprocessing="RGB in [0, 1]; its grey levels of blue, green and red, less their mean, are folded into the first "
        "convolution, which sees a slightly different grey beyond the border",
        metric="Cityscapes, validation, whole images, recurrence 2: 79.74 % mean IoU, as its README says",
    ),
    _layout,
    models=("CCNet",),
)
