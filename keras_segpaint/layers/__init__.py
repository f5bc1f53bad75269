"""Keras layers of segmentation and inpainting networks."""

from keras_segpaint.layers.adaptive_context_module import AdaptiveContextModule
from keras_segpaint.layers.atrous_pooling import AtrousPooling2D
from keras_segpaint.layers.atrous_spatial_pyramid_pooling import AtrousSpatialPyramidPooling
from keras_segpaint.layers.bilinear_initializer import BilinearInitializer
from keras_segpaint.layers.context_module import ContextModule
from keras_segpaint.layers.identity_initializer import IdentityInitializer
from keras_segpaint.layers.local_response_normalization import LocalResponseNormalization
from keras_segpaint.layers.match_size import MatchSize2D
from keras_segpaint.layers.max_pooling_with_argmax import MaxPoolingWithArgmax2D
from keras_segpaint.layers.max_unpooling import MaxUnpooling2D
from keras_segpaint.layers.pyramid_pooling import PyramidPooling
from keras_segpaint.layers.reflection_padding import ReflectionPadding2D
from keras_segpaint.layers.resize import Resize
from keras_segpaint.layers.spectral_normalization import SpectralNormalization
from keras_segpaint.layers.symmetric_padding import SymmetricPadding2D

__all__ = [
    "AdaptiveContextModule",
    "AtrousSpatialPyramidPooling",
    "BilinearInitializer",
    "ContextModule",
    "IdentityInitializer",
    "AtrousPooling2D",
    "LocalResponseNormalization",
    "MatchSize2D",
    "MaxPoolingWithArgmax2D",
    "MaxUnpooling2D",
    "PyramidPooling",
    "ReflectionPadding2D",
    "Resize",
    "SpectralNormalization",
    "SymmetricPadding2D",
]
