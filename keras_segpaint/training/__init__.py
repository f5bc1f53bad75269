"""Training with plain `fit`: recipes of the papers, runs that survive a kill, weights."""

from keras_segpaint.training import recipes
from keras_segpaint.training.adversarial import AdversarialInpainting
from keras_segpaint.training.adversarial_synthesis import AdversarialSynthesis
from keras_segpaint.training.checkpoint import CheckpointError
from keras_segpaint.training.config import TrainConfig
from keras_segpaint.training.freeze_statistics import FreezeStatistics
from keras_segpaint.training.inpainting_losses import build_loss
from keras_segpaint.training.inpainting_recipe import InpaintingRecipe
from keras_segpaint.training.optimizers import add_weight_decay, build_augmentation, build_optimizer, build_schedule
from keras_segpaint.training.recipe import Recipe
from keras_segpaint.training.run import train
from keras_segpaint.training.segmentation_losses import build_label_loss
from keras_segpaint.training.segmentation_recipe import SegmentationRecipe
from keras_segpaint.training.stage import TrainingError
from keras_segpaint.training.synthesis_recipe import SynthesisRecipe
from keras_segpaint.training.task import RunResult
from keras_segpaint.training.weights import copy_weights, load_weights

__all__ = [
    "AdversarialInpainting",
    "AdversarialSynthesis",
    "CheckpointError",
    "FreezeStatistics",
    "InpaintingRecipe",
    "Recipe",
    "RunResult",
    "SegmentationRecipe",
    "SynthesisRecipe",
    "TrainConfig",
    "TrainingError",
    "add_weight_decay",
    "build_augmentation",
    "build_label_loss",
    "build_loss",
    "build_optimizer",
    "build_schedule",
    "copy_weights",
    "load_weights",
    "recipes",
    "train",
]
