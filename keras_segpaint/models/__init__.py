"""Networks as functional Keras models."""

from keras_segpaint.models.segmentation import ENet, LinkNet, SegNet, SegNetBasic, UNet

__all__ = ["ENet", "LinkNet", "SegNet", "SegNetBasic", "UNet"]
