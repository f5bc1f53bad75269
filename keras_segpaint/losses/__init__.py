"""Losses of label maps: from logits, with one ignored class, in float32."""

from keras_segpaint.losses.crossentropy import SparseCrossentropy
from keras_segpaint.losses.dice import Dice

__all__ = ["Dice", "SparseCrossentropy"]
