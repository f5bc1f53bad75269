"""Classification networks as feature extractors with a chosen output stride."""

from keras_segpaint.backbones.alexnet import AlexNet
from keras_segpaint.backbones.atrous import atrous
from keras_segpaint.backbones.efficientnet_lite import EfficientNetLite
from keras_segpaint.backbones.mobilenet_v2 import MobileNetV2
from keras_segpaint.backbones.mobilenet_v3 import MobileNetV3Large
from keras_segpaint.backbones.resnet import ResNet
from keras_segpaint.backbones.vgg import VGG16, VGG19
from keras_segpaint.backbones.xception import Xception

__all__ = [
    "AlexNet",
    "EfficientNetLite",
    "MobileNetV2",
    "MobileNetV3Large",
    "ResNet",
    "VGG16",
    "VGG19",
    "Xception",
    "atrous",
]
