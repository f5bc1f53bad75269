"""Generators of masks of holes, and masks from files: 1 is a hole everywhere."""

from keras_segpaint.data.masks.base import MaskGenerator
from keras_segpaint.data.masks.config import masks_from_config
from keras_segpaint.data.masks.free_form import FreeFormMask
from keras_segpaint.data.masks.irregular import IrregularMask
from keras_segpaint.data.masks.ratio import HOLE_RATIOS, HoleRatioMask, hole_ratio
from keras_segpaint.data.masks.rectangle import RectangleMask
from keras_segpaint.data.masks.union import MaskUnion
from keras_segpaint.data.masks.values import hole_mask, read_hole_mask

__all__ = [
    "HOLE_RATIOS",
    "FreeFormMask",
    "HoleRatioMask",
    "IrregularMask",
    "MaskGenerator",
    "MaskUnion",
    "RectangleMask",
    "hole_mask",
    "hole_ratio",
    "masks_from_config",
    "read_hole_mask",
]
