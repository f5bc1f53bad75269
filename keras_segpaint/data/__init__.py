"""Data sets, joint augmentation of images and masks, class weights, masks of holes, and the input pipeline."""

from keras_segpaint.data.augmentation import (
    Augmentation,
    ColorJitter,
    ElasticDeformation,
    RandomCrop,
    RandomFlip,
    RandomResizedCrop,
    RandomRotation,
    RandomScale,
    Resize,
    augmentation_from_config,
)
from keras_segpaint.data.border_weight import border_weight_map
from keras_segpaint.data.brain import BrainTemplate
from keras_segpaint.data.camvid import CamVid
from keras_segpaint.data.class_weights import enet as enet_weights
from keras_segpaint.data.class_weights import linknet as linknet_weights
from keras_segpaint.data.class_weights import median_frequency as median_frequency_weights
from keras_segpaint.data.counts import ClassCounts
from keras_segpaint.data.dataset import Example, SegmentationDataset, Subset
from keras_segpaint.data.errors import DataError
from keras_segpaint.data.folder import FolderDataset
from keras_segpaint.data.guided import GuidedInpaintingDataset
from keras_segpaint.data.guides import guide_labels, read_guide_labels
from keras_segpaint.data.inpainting import InpaintingDataset
from keras_segpaint.data.instances import InstanceDataset
from keras_segpaint.data.keras_layers import KerasLayerAugmentation
from keras_segpaint.data.label_editor import LabelEditor
from keras_segpaint.data.load import available_splits, list_datasets, load_dataset
from keras_segpaint.data.load_photographs import load_photographs
from keras_segpaint.data.masks import (
    HOLE_RATIOS,
    FreeFormMask,
    HoleRatioMask,
    IrregularMask,
    MaskGenerator,
    MaskUnion,
    RectangleMask,
    hole_mask,
    hole_ratio,
    masks_from_config,
    read_hole_mask,
)
from keras_segpaint.data.photographs import (
    PhotographFolder,
    SkimagePhotographs,
    TFDSPhotographs,
    open_photographs,
)
from keras_segpaint.data.pipeline import Pipeline
from keras_segpaint.data.style import StyleDataset
from keras_segpaint.data.synthesis import SynthesisDataset
from keras_segpaint.data.tfds import TFDSDataset

__all__ = [
    "HOLE_RATIOS",
    "Augmentation",
    "BrainTemplate",
    "CamVid",
    "ClassCounts",
    "ColorJitter",
    "DataError",
    "ElasticDeformation",
    "Example",
    "FolderDataset",
    "FreeFormMask",
    "GuidedInpaintingDataset",
    "HoleRatioMask",
    "InpaintingDataset",
    "InstanceDataset",
    "IrregularMask",
    "KerasLayerAugmentation",
    "LabelEditor",
    "MaskGenerator",
    "MaskUnion",
    "PhotographFolder",
    "Pipeline",
    "RandomCrop",
    "RandomFlip",
    "RandomResizedCrop",
    "RandomRotation",
    "RandomScale",
    "RectangleMask",
    "Resize",
    "SegmentationDataset",
    "SkimagePhotographs",
    "StyleDataset",
    "Subset",
    "SynthesisDataset",
    "TFDSDataset",
    "TFDSPhotographs",
    "augmentation_from_config",
    "available_splits",
    "border_weight_map",
    "enet_weights",
    "guide_labels",
    "hole_mask",
    "hole_ratio",
    "linknet_weights",
    "list_datasets",
    "load_dataset",
    "load_photographs",
    "masks_from_config",
    "median_frequency_weights",
    "open_photographs",
    "read_guide_labels",
    "read_hole_mask",
]
