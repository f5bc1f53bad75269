"""Networks as functional Keras models."""

from keras_segpaint.models.segmentation import (
    APCNet,
    DeepLabV1,
    DeepLabV2,
    DeepLabV3,
    DeepLabV3Plus,
    DilatedNet,
    ENet,
    FCN8s,
    FCN16s,
    FCN32s,
    FCNResNet,
    LinkNet,
    PSPNet,
    SegNet,
    SegNetBasic,
    UNet,
)

__all__ = [
    "APCNet",
    "DeepLabV1",
    "DeepLabV2",
    "DeepLabV3",
    "DeepLabV3Plus",
    "DilatedNet",
    "ENet",
    "FCN16s",
    "FCN32s",
    "FCN8s",
    "FCNResNet",
    "LinkNet",
    "PSPNet",
    "SegNet",
    "SegNetBasic",
    "UNet",
]
