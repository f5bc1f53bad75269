"""Networks as functional Keras models."""

from keras_segpaint.models.segmentation import (
    DeepLabV1,
    DeepLabV2,
    DilatedNet,
    ENet,
    FCN8s,
    FCN16s,
    FCN32s,
    LinkNet,
    SegNet,
    SegNetBasic,
    UNet,
)

__all__ = [
    "DeepLabV1",
    "DeepLabV2",
    "DilatedNet",
    "ENet",
    "FCN16s",
    "FCN32s",
    "FCN8s",
    "LinkNet",
    "SegNet",
    "SegNetBasic",
    "UNet",
]
