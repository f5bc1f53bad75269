"""Inpainting networks and their critics, one file per paper."""

from keras_segpaint.models.inpainting.deepfill_v1 import DeepFillV1, DeepFillV1Critic
from keras_segpaint.models.inpainting.deepfill_v2 import DeepFillV2, SNPatchDiscriminator
from keras_segpaint.models.inpainting.pconv_unet import PConvUNet

__all__ = [
    "DeepFillV1",
    "DeepFillV1Critic",
    "DeepFillV2",
    "PConvUNet",
    "SNPatchDiscriminator",
]
