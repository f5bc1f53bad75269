"""Segmentation networks, one file per paper."""

from keras_segpaint.models.segmentation.attention_to_scale import AttentionToScale
from keras_segpaint.models.segmentation.cc_net import CCNet
from keras_segpaint.models.segmentation.da_net import DANet
from keras_segpaint.models.segmentation.deeplab_v1 import DeepLabV1
from keras_segpaint.models.segmentation.deeplab_v2 import DeepLabV2
from keras_segpaint.models.segmentation.dilated_net import DilatedNet
from keras_segpaint.models.segmentation.enet import ENet
from keras_segpaint.models.segmentation.fcn import FCN8s, FCN16s, FCN32s
from keras_segpaint.models.segmentation.gfr_net import GFRNet
from keras_segpaint.models.segmentation.linknet import LinkNet
from keras_segpaint.models.segmentation.refine_net import RefineNet
from keras_segpaint.models.segmentation.segnet import SegNet, SegNetBasic
from keras_segpaint.models.segmentation.unet import UNet

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
