"""How Attention to Scale was trained."""

from keras_segpaint.training.recipe import REPORTED
from keras_segpaint.training.segmentation_recipe import L2_PENALTY, SegmentationRecipe

__all__ = ["RECIPE"]

RECIPE = SegmentationRecipe(
    model="AttentionToScale",
    paper="Chen, Yang, Wang, Xu, Yuille 2015, Attention to Scale, arXiv:1511.03339",
    optimizer={"name": "sgd", "learning_rate": 1e-3, "momentum": 0.9},
    schedule={"name": "poly", "power": 0.9},
    epochs=50,
    batch_size=30,
    crop_size=(321, 321),
    augmentation=({"name": "RandomFlip", "horizontal": True}, {"name": "RandomCrop"}),
    weight_decay=5e-4,
    sources={
        "optimizer": "Learning rate: " + REPORTED + ". Momentum is chosen here, DeepLab v1's",
        "schedule": REPORTED,
        "epochs": "Chosen here",
        "batch_size": REPORTED,
        "crop_size": "Chosen here, DeepLab v1's",
        "augmentation": "Chosen here, DeepLab v1's",
        "class_weights": "None named",
        "weight_decay": "Chosen here, DeepLab v1's; " + L2_PENALTY,
    },
)
