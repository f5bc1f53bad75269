"""Segmentation networks, one file per paper."""

from keras_segpaint.models.segmentation.apcnet import APCNet
from keras_segpaint.models.segmentation.deeplab_v1 import DeepLabV1
from keras_segpaint.models.segmentation.deeplab_v2 import DeepLabV2
from keras_segpaint.models.segmentation.deeplab_v3 import DeepLabV3
from keras_segpaint.models.segmentation.deeplab_v3_plus import DeepLabV3Plus
from keras_segpaint.models.segmentation.dilated_net import DilatedNet
from keras_segpaint.models.segmentation.enet import ENet
from keras_segpaint.models.segmentation.fcn import FCN8s, FCN16s, FCN32s
from keras_segpaint.models.segmentation.fcn_resnet import FCNResNet
from keras_segpaint.models.segmentation.linknet import LinkNet
from keras_segpaint.models.segmentation.psp_net import PSPNet
from keras_segpaint.models.segmentation.segnet import SegNet, SegNetBasic
from keras_segpaint.models.segmentation.unet import UNet

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
