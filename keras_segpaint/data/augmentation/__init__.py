"""Augmentations of an image together with its mask."""

from keras_segpaint.data.augmentation.base import Augmentation
from keras_segpaint.data.augmentation.color import ColorJitter
from keras_segpaint.data.augmentation.config import augmentation_from_config
from keras_segpaint.data.augmentation.crop import RandomCrop
from keras_segpaint.data.augmentation.elastic import ElasticDeformation
from keras_segpaint.data.augmentation.flip import RandomFlip
from keras_segpaint.data.augmentation.resize import RandomScale, Resize
from keras_segpaint.data.augmentation.resized_crop import RandomResizedCrop
from keras_segpaint.data.augmentation.rotation import RandomRotation

__all__ = [
    "Augmentation",
    "ColorJitter",
    "ElasticDeformation",
    "RandomCrop",
    "RandomFlip",
    "RandomResizedCrop",
    "RandomRotation",
    "RandomScale",
    "Resize",
    "augmentation_from_config",
]
