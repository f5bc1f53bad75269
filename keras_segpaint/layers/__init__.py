"""Keras layers of segmentation and inpainting networks."""

from keras_segpaint.layers.atrous_pooling import AtrousPooling2D
from keras_segpaint.layers.local_response_normalization import LocalResponseNormalization
from keras_segpaint.layers.match_size import MatchSize2D
from keras_segpaint.layers.max_pooling_with_argmax import MaxPoolingWithArgmax2D
from keras_segpaint.layers.max_unpooling import MaxUnpooling2D
from keras_segpaint.layers.resize import Resize
from keras_segpaint.layers.spectral_normalization import SpectralNormalization
from keras_segpaint.layers.symmetric_padding import SymmetricPadding2D

__all__ = [
    "AtrousPooling2D",
    "LocalResponseNormalization",
    "MatchSize2D",
    "MaxPoolingWithArgmax2D",
    "MaxUnpooling2D",
    "Resize",
    "SpectralNormalization",
    "SymmetricPadding2D",
]
