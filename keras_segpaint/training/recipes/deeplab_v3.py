"""How DeepLabV3 was trained."""

from keras_segpaint.training.recipe import REPORTED
from keras_segpaint.training.segmentation_recipe import L2_PENALTY, SegmentationRecipe

__all__ = ["RECIPE"]

RECIPE = SegmentationRecipe(
    model="DeepLabV3",
    paper="Chen, Papandreou, Schroff, Adam 2017, DeepLab v3, arXiv:1706.05587",
    optimizer={"name": "sgd", "learning_rate": 0.007, "momentum": 0.9},
    schedule={"name": "poly", "power": 0.9},
    epochs=45,
    batch_size=16,
    crop_size=(513, 513),
    augmentation=(
        {"name": "RandomScale", "factor": (0.5, 2.0)},
        {"name": "RandomFlip"},
        {"name": "RandomCrop"},
    ),
    weight_decay=1e-4,
    sources={
        "optimizer": "Authors' code",
        "schedule": "Authors' code: poly, power 0.9",
        "epochs": "Authors' code: 30,000 steps; with 16 images each, 45 epochs of Pascal VOC's 10,582",
        "batch_size": "16: " + REPORTED + ". The authors' code asks for 12 or more to train batch normalisation",
        "crop_size": "Authors' code: 513 for Pascal VOC",
        "augmentation": "Authors' code: scales 0.5 to 2 in steps of 0.25, here any between; flips",
        "class_weights": "None named",
        "weight_decay": "Authors' code: 1e-4 with ResNets, 4e-5 with Xception and MobileNets; " + L2_PENALTY,
    },
)
