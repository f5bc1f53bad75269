"""Classification networks as feature extractors with a chosen output stride."""

from keras_segpaint.backbones.alexnet import AlexNet
from keras_segpaint.backbones.resnet import ResNet
from keras_segpaint.backbones.vgg import VGG16

__all__ = ["AlexNet", "ResNet", "VGG16"]
