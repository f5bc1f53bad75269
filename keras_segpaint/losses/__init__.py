"""Losses of label maps (logits, one ignored class), of filled and made images, and of critics' scores."""

from keras_segpaint.losses.adversarial import (
    generator_loss,
    hinge_critic_loss,
    least_squares_critic_loss,
    least_squares_generator_loss,
    wasserstein_critic_loss,
)
from keras_segpaint.losses.boundary import BoundaryWeightedCrossentropy
from keras_segpaint.losses.coherence import StructureCoherence, TextureCoherence
from keras_segpaint.losses.crossentropy import SparseCrossentropy
from keras_segpaint.losses.dice import Dice
from keras_segpaint.losses.feature_matching import feature_matching_loss
from keras_segpaint.losses.features import feature_network
from keras_segpaint.losses.focal import Focal
from keras_segpaint.losses.gaussian_divergence import gaussian_divergence
from keras_segpaint.losses.gradient_penalty import gradient_penalty
from keras_segpaint.losses.image_loss_sum import ImageLossSum
from keras_segpaint.losses.jaccard import Jaccard
from keras_segpaint.losses.loss_sum import LossSum
from keras_segpaint.losses.lovasz import LovaszSoftmax
from keras_segpaint.losses.masked_l1 import MaskedL1
from keras_segpaint.losses.mcc import MCC
from keras_segpaint.losses.ohem import OHEMCrossentropy
from keras_segpaint.losses.partial_convolution import PartialConvolutionLoss
from keras_segpaint.losses.perceptual import PerceptualLoss, StyleLoss, gram_matrix
from keras_segpaint.losses.spatial_discount import SpatiallyDiscountedL1, rectangle_discount, spatial_discount
from keras_segpaint.losses.structural_similarity import StructuralSimilarityLoss
from keras_segpaint.losses.total_variation import HoleTotalVariation, total_variation
from keras_segpaint.losses.tversky import FocalTversky, Tversky

__all__ = [
    "BoundaryWeightedCrossentropy",
    "Dice",
    "Focal",
    "FocalTversky",
    "HoleTotalVariation",
    "ImageLossSum",
    "Jaccard",
    "LossSum",
    "LovaszSoftmax",
    "MCC",
    "MaskedL1",
    "OHEMCrossentropy",
    "PartialConvolutionLoss",
    "PerceptualLoss",
    "SparseCrossentropy",
    "SpatiallyDiscountedL1",
    "StructuralSimilarityLoss",
    "StructureCoherence",
    "StyleLoss",
    "TextureCoherence",
    "Tversky",
    "feature_matching_loss",
    "feature_network",
    "gaussian_divergence",
    "generator_loss",
    "gradient_penalty",
    "gram_matrix",
    "hinge_critic_loss",
    "least_squares_critic_loss",
    "least_squares_generator_loss",
    "rectangle_discount",
    "spatial_discount",
    "total_variation",
    "wasserstein_critic_loss",
]
