"""Segmentation networks, one file per paper."""

from keras_segpaint.models.segmentation.enet import ENet
from keras_segpaint.models.segmentation.linknet import LinkNet
from keras_segpaint.models.segmentation.segnet import SegNet, SegNetBasic
from keras_segpaint.models.segmentation.unet import UNet

__all__ = ["ENet", "LinkNet", "SegNet", "SegNetBasic", "UNet"]
