"""torchvision's segmentation networks, and its classification networks as backbones."""

import keras

from keras_segpaint.convert.card import Card
from keras_segpaint.convert.mapping import Rename
from keras_segpaint.convert.source import Layout, Source, State, UnknownLayoutError
from keras_segpaint.convert.sources.pyramid import fcn_head_layer, pyramid_layer
from keras_segpaint.convert.sources.resnet import resnet_layer, resnet_name
from keras_segpaint.convert.sources.torchvision_backbones import classification_layout, head_layout, trunk_modules

__all__ = ["SOURCE"]

VOC = (
    "background aeroplane bicycle bird boat bottle bus car cat chair cow diningtable dog horse motorbike person "
    "pottedplant sheep sofa train tvmonitor"
).split()
# Of the weights named COCO_WITH_VOC_LABELS_V1, mean IoU of the validation images of COCO that have a class of VOC.
SCORES = {
    ("FCNResNet", "resnet50"): 60.5,
    ("FCNResNet", "resnet101"): 63.7,
    ("DeepLabV3", "resnet50"): 66.4,
    ("DeepLabV3", "resnet101"): 67.4,
    ("DeepLabV3", "mobilenet_v3_large"): 60.3,
}


def _layout(state: State) -> Layout:
    if "classifier.low_classifier.weight" in state:
        return head_layout(state)
    classification = classification_layout(state)
    if classification is not None:
        return classification
    if "classifier.4.weight" not in state:
        raise UnknownLayoutError(
            "A segmentation network of torchvision has the modules backbone and classifier.4; of its classification "
            "networks ResNets, VGGs, MobileNetV2 and V3 can be read"
        )
    pyramid = "classifier.0.convs.0.0.weight" in state
    mobile = "backbone.0.0.weight" in state
    backbone = "mobilenet_v3_large" if mobile else resnet_name(state, "backbone.")
    model = "DeepLabV3" if pyramid else "FCNResNet"
    if mobile and not pyramid:
        raise UnknownLayoutError("There is no FCN on a mobile network")
    arguments = {
        "num_classes": state["classifier.4.weight"].shape[0],
        "backbone": backbone,
        "output_stride": 16 if mobile else 8,
        "supervised": "aux_classifier.0.weight" in state,
    }
    if pyramid:
        arguments.update(multi_grid=(), head_conv=True, backbone_options={"dilate_first": mobile})
        if mobile:
            arguments["rates"] = (12, 24, 36)
    classes = tuple(VOC) if arguments["num_classes"] == len(VOC) else ()
    score = SCORES.get((model, backbone)) if classes else None
    metric = f"{score} % mean IoU on COCO's validation images, in VOC's classes, as torchvision says" if score else ""
    return Layout(
        model,
        arguments,
        lambda built: _renamer(built, backbone if mobile else None),
        head=("head_classifier", "aux_classifier"),
        card={"classes": classes, "metric": metric},
    )


def _renamer(model: keras.Model, mobile: str | None) -> Rename:
    trunk = {} if mobile is None else trunk_modules(model, mobile, "backbone.")

    def rename(module: str) -> str | None:
        if module in trunk:
            return trunk[module]
        part, _, rest = module.partition(".")
        if part == "backbone":
            return resnet_layer(rest)
        if part == "aux_classifier":
            return fcn_head_layer(rest, "aux")
        if rest.startswith("0."):
            return f"aspp/{pyramid_layer(rest[2:])}"
        if type(model).__name__ == "FCNResNet":
            return fcn_head_layer(rest, "head")
        return {"1": "head_conv", "2": "head_bn", "4": "head_classifier"}[rest]

    return rename


SOURCE = Source(
    "torchvision",
    Card(
        "torchvision",
        licence="BSD-3-Clause",
        url="https://github.com/pytorch/vision",
        preprocessing="RGB in [0, 1]; the model normalises by ImageNet's mean and deviation; shorter side 520 pixels, of "
        "classification networks 224",
    ),
    _layout,
    models=("FCNResNet", "DeepLabV3", "ResNet", "VGG16", "VGG19", "MobileNetV2", "MobileNetV3Large"),
)
