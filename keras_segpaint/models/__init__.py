"""Networks as functional Keras models.

`__all__` names the segmentation networks, those that the command line trains; `models.inpainting.__all__` the others.
"""

from keras_segpaint.models.inpainting import DeepFillV1 as DeepFillV1
from keras_segpaint.models.inpainting import DeepFillV1Critic as DeepFillV1Critic
from keras_segpaint.models.inpainting import DeepFillV2 as DeepFillV2
from keras_segpaint.models.inpainting import PConvUNet as PConvUNet
from keras_segpaint.models.inpainting import SNPatchDiscriminator as SNPatchDiscriminator
from keras_segpaint.models.segmentation import (
    APCNet,
    AttentionToScale,
    CCNet,
    DANet,
    DeepLabV1,
    DeepLabV2,
    DeepLabV3,
    DeepLabV3Plus,
    DilatedNet,
    ENet,
    FCN8s,
    FCN16s,
    FCN32s,
    FCNResNet,
    GFRNet,
    LinkNet,
    PSPNet,
    RefineNet,
    SegNet,
    SegNetBasic,
    UNet,
)

__all__ = [
    "APCNet",
    "AttentionToScale",
    "CCNet",
    "DANet",
    "DeepLabV1",
    "DeepLabV2",
    "DeepLabV3",
    "DeepLabV3Plus",
    "DilatedNet",
    "ENet",
    "FCN16s",
    "FCN32s",
    "FCN8s",
    "FCNResNet",
    "GFRNet",
    "LinkNet",
    "PSPNet",
    "RefineNet",
    "SegNet",
    "SegNetBasic",
    "UNet",
]
