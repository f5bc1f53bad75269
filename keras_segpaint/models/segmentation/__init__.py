"""Segmentation networks, one file per paper."""

from keras_segpaint.models.segmentation.apcnet import APCNet
from keras_segpaint.models.segmentation.deeplab_v3 import DeepLabV3
from keras_segpaint.models.segmentation.deeplab_v3_plus import DeepLabV3Plus
from keras_segpaint.models.segmentation.enet import ENet
from keras_segpaint.models.segmentation.fcn_resnet import FCNResNet
from keras_segpaint.models.segmentation.linknet import LinkNet
from keras_segpaint.models.segmentation.psp_net import PSPNet
from keras_segpaint.models.segmentation.segnet import SegNet, SegNetBasic
from keras_segpaint.models.segmentation.unet import UNet

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
