"""Keras layers of segmentation, inpainting and synthesis networks."""

from keras_segpaint.layers.adain import AdaIN
from keras_segpaint.layers.adaptive_context_module import AdaptiveContextModule
from keras_segpaint.layers.atrous_pooling import AtrousPooling2D
from keras_segpaint.layers.atrous_spatial_pyramid_pooling import AtrousSpatialPyramidPooling
from keras_segpaint.layers.batch_normalization import BatchNormalization
from keras_segpaint.layers.bilinear_initializer import BilinearInitializer
from keras_segpaint.layers.chained_residual_pooling import ChainedResidualPooling
from keras_segpaint.layers.channel_attention import ChannelAttention
from keras_segpaint.layers.channel_gate import ChannelGate
from keras_segpaint.layers.context_module import ContextModule
from keras_segpaint.layers.contextual_attention import ContextualAttention
from keras_segpaint.layers.conv_block_attention import ConvBlockAttention
from keras_segpaint.layers.conv_crf import ConvCRF
from keras_segpaint.layers.criss_cross_attention import CrissCrossAttention
from keras_segpaint.layers.efficient_channel_attention import EfficientChannelAttention
from keras_segpaint.layers.external_spatial_attention import ExternalSpatialAttention
from keras_segpaint.layers.feature_shift import FeatureShift
from keras_segpaint.layers.gate_unit import GateUnit
from keras_segpaint.layers.gated_conv import GatedConv2D
from keras_segpaint.layers.gated_initializer import GatedInitializer
from keras_segpaint.layers.identity_initializer import IdentityInitializer
from keras_segpaint.layers.instance_normalization import InstanceNormalization
from keras_segpaint.layers.label_map_encoding import LabelMapEncoding
from keras_segpaint.layers.local_response_normalization import LocalResponseNormalization
from keras_segpaint.layers.match_size import MatchSize2D
from keras_segpaint.layers.max_pooling_with_argmax import MaxPoolingWithArgmax2D
from keras_segpaint.layers.max_unpooling import MaxUnpooling2D
from keras_segpaint.layers.multi_resolution_fusion import MultiResolutionFusion
from keras_segpaint.layers.non_local_block import NonLocalBlock
from keras_segpaint.layers.partial_conv import PartialConv2D
from keras_segpaint.layers.position_attention import PositionAttention
from keras_segpaint.layers.pyramid_pooling import PyramidPooling
from keras_segpaint.layers.reflection_padding import ReflectionPadding2D
from keras_segpaint.layers.residual_attention import ResidualAttention
from keras_segpaint.layers.residual_conv_unit import ResidualConvUnit
from keras_segpaint.layers.resize import Resize
from keras_segpaint.layers.scale_attention import ScaleAttention
from keras_segpaint.layers.selective_kernel import SelectiveKernel
from keras_segpaint.layers.self_attention import SelfAttention2D
from keras_segpaint.layers.semantic_wise_attention import SemanticWiseAttention
from keras_segpaint.layers.spade import SPADE
from keras_segpaint.layers.spade_res_block import SPADEResBlock
from keras_segpaint.layers.spatial_gate import SpatialGate
from keras_segpaint.layers.spatial_transformer import SpatialTransformer
from keras_segpaint.layers.spectral_normalization import SpectralNormalization
from keras_segpaint.layers.squeeze_excitation import SqueezeExcitation
from keras_segpaint.layers.symmetric_padding import SymmetricPadding2D
from keras_segpaint.layers.weighted_sum import WeightedSum

__all__ = [
    "AdaIN",
    "AdaptiveContextModule",
    "AtrousPooling2D",
    "AtrousSpatialPyramidPooling",
    "BatchNormalization",
    "BilinearInitializer",
    "ChainedResidualPooling",
    "ChannelAttention",
    "ChannelGate",
    "ContextModule",
    "ContextualAttention",
    "ConvBlockAttention",
    "ConvCRF",
    "CrissCrossAttention",
    "EfficientChannelAttention",
    "ExternalSpatialAttention",
    "FeatureShift",
    "GateUnit",
    "GatedConv2D",
    "GatedInitializer",
    "IdentityInitializer",
    "InstanceNormalization",
    "LabelMapEncoding",
    "LocalResponseNormalization",
    "MatchSize2D",
    "MaxPoolingWithArgmax2D",
    "MaxUnpooling2D",
    "MultiResolutionFusion",
    "NonLocalBlock",
    "PartialConv2D",
    "PositionAttention",
    "PyramidPooling",
    "ReflectionPadding2D",
    "ResidualAttention",
    "ResidualConvUnit",
    "Resize",
    "SPADE",
    "SPADEResBlock",
    "ScaleAttention",
    "SelectiveKernel",
    "SelfAttention2D",
    "SemanticWiseAttention",
    "SpatialGate",
    "SpatialTransformer",
    "SpectralNormalization",
    "SqueezeExcitation",
    "SymmetricPadding2D",
    "WeightedSum",
]
