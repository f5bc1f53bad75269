"""How PSPNet was trained."""

from keras_segpaint.training.segmentation_recipe import L2_PENALTY, SegmentationRecipe

__all__ = ["RECIPE"]

RECIPE = SegmentationRecipe(
    model="PSPNet",
    paper="Zhao, Shi, Qi, Wang, Jia 2016, PSPNet, arXiv:1612.01105",
    optimizer={"name": "sgd", "learning_rate": 0.01, "momentum": 0.9},
    schedule={"name": "poly", "power": 0.9},
    epochs=100,
    batch_size=16,
    crop_size=(473, 473),
    augmentation=(
        {"name": "RandomScale", "factor": (0.5, 2.0)},
        {"name": "RandomRotation", "degrees": 10.0},
        {"name": "RandomFlip"},
        {"name": "RandomCrop"},
    ),
    weight_decay=1e-4,
    sources={
        "optimizer": "Authors' code: 0.01 for the backbone. Its heads learn at ten times that; here all learn alike",
        "schedule": "Authors' code: poly, power 0.9",
        "epochs": "Authors' code: 100 for ADE20K, 50 for Pascal VOC, 200 for Cityscapes",
        "batch_size": "Authors' code, with batch normalisation over all devices",
        "crop_size": "Authors' code: 473 for ADE20K and Pascal VOC, 713 for Cityscapes",
        "augmentation": "Authors' code; its Gaussian blur, of half of the images, is left out",
        "class_weights": "None named",
        "weight_decay": "Authors' code; " + L2_PENALTY,
    },
)
