"""Inpainting networks and their critics, one file per paper."""

from keras_segpaint.models.inpainting.coherence_priors import CoherencePriorsInpainting
from keras_segpaint.models.inpainting.deepfill_v1 import DeepFillV1, DeepFillV1Critic
from keras_segpaint.models.inpainting.deepfill_v2 import DeepFillV2, SNPatchDiscriminator
from keras_segpaint.models.inpainting.pconv_unet import PConvUNet
from keras_segpaint.models.inpainting.semantic_guided import SemanticGuidedCritic, SemanticGuidedInpainting

__all__ = [
    "CoherencePriorsInpainting",
    "DeepFillV1",
    "DeepFillV1Critic",
    "DeepFillV2",
    "PConvUNet",
    "SNPatchDiscriminator",
    "SemanticGuidedCritic",
    "SemanticGuidedInpainting",
]
