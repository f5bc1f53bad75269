"""How CCNet was trained."""

from keras_segpaint.training.recipe import REPORTED
from keras_segpaint.training.segmentation_recipe import L2_PENALTY, SegmentationRecipe

__all__ = ["RECIPE"]

RECIPE = SegmentationRecipe(
    model="CCNet",
    paper="Huang, Wang, Huang, Huang, Wei, Liu 2018, CCNet, arXiv:1811.11721",
    optimizer={"name": "sgd", "learning_rate": 1e-2, "momentum": 0.9},
    schedule={"name": "poly", "power": 0.9},
    epochs=161,
    batch_size=8,
    crop_size=(769, 769),
    augmentation=(
        {"name": "RandomScale", "factor": (0.5, 2.0)},
        {"name": "RandomFlip", "horizontal": True},
        {"name": "RandomCrop"},
    ),
    weight_decay=1e-4,
    sources={
        "optimizer": "Learning rate: authors' code. Momentum: " + REPORTED,
        "schedule": REPORTED,
        "epochs": "Authors' code: 60,000 steps, 161 epochs of the 2,975 images of Cityscapes",
        "batch_size": "Authors' code",
        "crop_size": "Authors' code",
        "augmentation": "Authors' code: scaling and mirroring. The range: " + REPORTED,
        "class_weights": "None; the authors' code can keep the hardest pixels only (threshold 0.7, at least 100,000)",
        "weight_decay": "Authors' code; " + L2_PENALTY,
    },
)
