"""Networks as functional Keras models."""

from keras_segpaint.models.segmentation import (
    APCNet,
    DeepLabV3,
    DeepLabV3Plus,
    ENet,
    FCNResNet,
    LinkNet,
    PSPNet,
    SegNet,
    SegNetBasic,
    UNet,
)

__all__ = [
    "APCNet",
    "DeepLabV3",
    "DeepLabV3Plus",
    "ENet",
    "FCNResNet",
    "LinkNet",
    "PSPNet",
    "SegNet",
    "SegNetBasic",
    "UNet",
]
