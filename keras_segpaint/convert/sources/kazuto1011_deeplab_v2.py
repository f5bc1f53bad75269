"""kazuto1011/deeplab-pytorch: DeepLab v2 on ResNet-101, the authors' Caffe weights among them."""

import re

from keras_segpaint.convert.card import Card
from keras_segpaint.convert.source import Layout, Source, State, UnknownLayoutError, count

__all__ = ["SOURCE"]

_PARTS = {"reduce": "1", "conv3x3": "2", "increase": "3", "shortcut": "shortcut"}
_RATES = (6, 12, 18, 24)
_DEPTHS = {(3, 4, 6, 3): "resnet50_v1", (3, 4, 23, 3): "resnet101_v1", (3, 8, 36, 3): "resnet152_v1"}
# Grey levels of blue, green and red, less their mean.
_MEAN = tuple(level / 255 for level in (104.008, 116.669, 122.675))
_METRICS = {
    21: "PASCAL VOC 2012, validation: 76.65 % mean IoU, 77.93 % with its CRF, as its README says",
    182: "COCO-Stuff, 164k validation: 39.1 % mean IoU, 39.7 % with its CRF, as its README says",
}


def _layout(state: State) -> Layout:
    prefix = "base." if "base.aspp.c0.weight" in state else ""
    if f"{prefix}aspp.c0.weight" not in state or f"{prefix}layer1.conv1.conv.weight" not in state:
        raise UnknownLayoutError("A DeepLab v2 has the modules layer1.conv1 and aspp.c0")
    depths = tuple(count(state, f"{prefix}layer{stage}.block{{}}.", first=1) for stage in range(2, 6))
    if depths not in _DEPTHS:
        raise UnknownLayoutError(f"Its encoder has {depths} blocks, which no ResNet of this package has")
    classes = state[f"{prefix}aspp.c0.weight"].shape[0]
    return Layout(
        "DeepLabV2",
        {"num_classes": classes, "backbone": _DEPTHS[depths]},
        lambda model: lambda module: _rename(module.removeprefix(prefix)),
        head=("aspp",),
        images=("stem_conv", _MEAN, (1 / 255,) * 3, True),
        card={"metric": _METRICS.get(classes, "")},
    )


def _rename(module: str) -> str | None:
    if (found := re.fullmatch(r"layer1\.conv1\.(conv|bn)", module)) is not None:
        return f"stem_{found[1]}"
    if (found := re.fullmatch(r"layer([2-5])\.block(\d+)\.(\w+)\.(conv|bn)", module)) is not None:
        return f"stage{int(found[1]) - 1}_block{found[2]}_{_PARTS[found[3]]}_{found[4]}"
    if (found := re.fullmatch(r"aspp\.c(\d)", module)) is not None:
        return f"aspp/rate{_RATES[int(found[1])]}"
    return None


SOURCE = Source(
    "kazuto1011/deeplab_v2",
    Card(
        "kazuto1011/deeplab_v2",
        licence="MIT",
        url="https://github.com/kazuto1011/deeplab-pytorch",
        preprocessing="RGB in [0, 1]; the model subtracts the mean of Caffe's networks, and the order of its channels is "
        "turned round in the first convolution. Sizes of 8 * k + 1 fit exactly",
    ),
    _layout,
    models=("DeepLabV2",),
)
