"""Classification networks as feature extractors with a chosen output stride."""

from keras_segpaint.backbones.resnet import ResNet

__all__ = ["ResNet"]
