"""Published checkpoints of the original implementations, read into the models of this package by name and shape."""

from keras_segpaint.convert.card import Card
from keras_segpaint.convert.load import ConversionError, build, load
from keras_segpaint.convert.sources import SOURCES, get

__all__ = ["SOURCES", "Card", "ConversionError", "build", "get", "load"]
