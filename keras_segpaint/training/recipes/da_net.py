"""How DANet was trained."""

from keras_segpaint.training.segmentation_recipe import L2_PENALTY, SegmentationRecipe

__all__ = ["RECIPE"]

RECIPE = SegmentationRecipe(
    model="DANet",
    paper="Fu, Liu, Tian, Li, Bao, Fang, Lu 2018, DANet, arXiv:1809.02983",
    optimizer={"name": "sgd", "learning_rate": 3e-3, "momentum": 0.9},
    schedule={"name": "poly", "power": 0.9},
    epochs=240,
    batch_size=8,
    crop_size=(768, 768),
    augmentation=(
        {"name": "RandomScale", "factor": (0.5, 2.0)},
        {"name": "RandomFlip", "horizontal": True},
        {"name": "RandomCrop"},
    ),
    weight_decay=1e-4,
    sources={
        "optimizer": "Authors' code: its command for Cityscapes; momentum its default",
        "schedule": "Authors' code: poly; the power is chosen here, the literature's",
        "epochs": "Authors' code: its command for Cityscapes",
        "batch_size": "Authors' code: its command for Cityscapes",
        "crop_size": "Authors' code: its command for Cityscapes",
        "augmentation": "Chosen here: the kinds and ranges that networks of this family share",
        "class_weights": "None named",
        "weight_decay": "Authors' code: its default; " + L2_PENALTY,
    },
)
