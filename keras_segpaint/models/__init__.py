"""Networks as functional Keras models."""

from keras_segpaint.models.segmentation import (
    AttentionToScale,
    CCNet,
    DANet,
    DeepLabV1,
    DeepLabV2,
    DilatedNet,
    ENet,
    FCN8s,
    FCN16s,
    FCN32s,
    GFRNet,
    LinkNet,
    RefineNet,
    SegNet,
    SegNetBasic,
    UNet,
)

__all__ = [
    "AttentionToScale",
    "CCNet",
    "DANet",
    "DeepLabV1",
    "DeepLabV2",
    "DilatedNet",
    "ENet",
    "FCN16s",
    "FCN32s",
    "FCN8s",
    "GFRNet",
    "LinkNet",
    "RefineNet",
    "SegNet",
    "SegNetBasic",
    "UNet",
]
