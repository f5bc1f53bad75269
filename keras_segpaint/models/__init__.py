"""Networks as functional Keras models."""

from keras_segpaint.models.segmentation import (
    AttentionToScale,
    CCNet,
    DANet,
    ENet,
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
    "ENet",
    "GFRNet",
    "LinkNet",
    "RefineNet",
    "SegNet",
    "SegNetBasic",
    "UNet",
]
