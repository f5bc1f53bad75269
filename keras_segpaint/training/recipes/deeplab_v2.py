"""How DeepLabV2 was trained: with `supervised=True` and `normalization="frozen_batch"`."""

from keras_segpaint.training.segmentation_recipe import L2_PENALTY, SegmentationRecipe

__all__ = ["RECIPE"]

RECIPE = SegmentationRecipe(
    model="DeepLabV2",
    paper="Chen, Papandreou, Kokkinos, Murphy, Yuille 2016, DeepLab (v2), arXiv:1606.00915",
    optimizer={"name": "sgd", "learning_rate": 2.5e-4, "momentum": 0.9},
    schedule={"name": "poly", "power": 0.9},
    epochs=19,
    batch_size=10,
    crop_size=(321, 321),
    augmentation=(
        {"name": "RandomScale", "factor": (0.5, 1.5)},
        {"name": "RandomCrop"},
        {"name": "RandomFlip", "horizontal": True},
    ),
    weight_decay=5e-4,
    sources={
        "optimizer": "A PyTorch port of the authors' code; there the classifiers learn ten times as fast",
        "schedule": "A PyTorch port of the authors' code",
        "epochs": "A PyTorch port of the authors' code: 20,000 steps of 10 images, which are 19 epochs of Pascal VOC's "
        "10,582 augmented images",
        "batch_size": "A PyTorch port of the authors' code: two steps of 5 accumulated",
        "crop_size": "A PyTorch port of the authors' code",
        "augmentation": "A PyTorch port of the authors' code, the scale in steps of 0.25 there",
        "class_weights": "None named",
        "weight_decay": "A PyTorch port of the authors' code; " + L2_PENALTY,
    },
)
