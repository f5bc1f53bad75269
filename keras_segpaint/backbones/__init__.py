"""Classification networks as feature extractors."""

from keras_segpaint.backbones.resnet import ResNet

__all__ = ["ResNet"]
