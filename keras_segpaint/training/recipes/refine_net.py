"""How RefineNet was trained."""

from keras_segpaint.training.segmentation_recipe import L2_PENALTY, SegmentationRecipe

__all__ = ["RECIPE"]

RECIPE = SegmentationRecipe(
    model="RefineNet",
    paper="Lin, Milan, Shen, Reid 2016, RefineNet, arXiv:1611.06612",
    optimizer={"name": "sgd", "learning_rate": 5e-4, "momentum": 0.9},
    schedule={"name": "step", "factor": 0.1, "epochs": 150},
    epochs=200,
    batch_size=1,
    crop_size=(400, 400),
    augmentation=(
        {"name": "RandomScale", "factor": (0.7, 1.3)},
        {"name": "RandomFlip", "horizontal": True},
        {"name": "RandomCrop"},
    ),
    weight_decay=5e-4,
    sources={
        "optimizer": "Authors' code, which gives the backbone a tenth of the learning rate; one rate for all here",
        "schedule": "Authors' code: from 5e-4 to 5e-5 by hand; when is chosen here",
        "epochs": "Chosen here",
        "batch_size": "Authors' code, with the batch normalisation of the backbone frozen: "
        '`normalization="frozen_batch"`',
        "crop_size": "Authors' code; 600 x 600 for Cityscapes",
        "augmentation": "Authors' code, without its sampling of crops by class",
        "class_weights": "None named",
        "weight_decay": "Authors' code; " + L2_PENALTY,
    },
)
