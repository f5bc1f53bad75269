"""Networks that make images from label maps and styles, and their critics and encoders, one file per paper."""

from keras_segpaint.models.synthesis.style_transfer import StyleTransfer

__all__ = ["StyleTransfer"]
