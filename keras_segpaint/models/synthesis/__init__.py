"""Networks that make images from label maps and styles, and their critics and encoders, one file per paper."""

from keras_segpaint.models.synthesis.crn import CRN
from keras_segpaint.models.synthesis.multiscale_discriminator import MultiscaleDiscriminator
from keras_segpaint.models.synthesis.pix2pix_hd import Pix2PixHDGenerator
from keras_segpaint.models.synthesis.spade import SPADEEncoder, SPADEGenerator
from keras_segpaint.models.synthesis.style_transfer import StyleTransfer

__all__ = [
    "CRN",
    "MultiscaleDiscriminator",
    "Pix2PixHDGenerator",
    "SPADEEncoder",
    "SPADEGenerator",
    "StyleTransfer",
]
