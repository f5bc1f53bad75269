"""How DeepLabV1 was trained."""

from keras_segpaint.training.segmentation_recipe import L2_PENALTY, SegmentationRecipe

__all__ = ["RECIPE"]

RECIPE = SegmentationRecipe(
    model="DeepLabV1",
    paper="Chen, Papandreou, Kokkinos, Murphy, Yuille 2014, DeepLab (v1), arXiv:1412.7062",
    optimizer={"name": "sgd", "learning_rate": 1e-3, "momentum": 0.9},
    schedule={"name": "step", "factor": 0.1, "epochs": 4},
    epochs=12,
    batch_size=20,
    crop_size=(321, 321),
    augmentation=({"name": "RandomCrop"}, {"name": "RandomFlip", "horizontal": True}),
    weight_decay=5e-4,
    sources={
        "optimizer": "Authors' code; there the last layer learns ten times as fast",
        "schedule": "Authors' code: every 2000 steps, by a tenth in one solver and by its root in another",
        "epochs": "Authors' code: 6000 steps of 20 images, which are 12 epochs of Pascal VOC's 10,582 augmented images",
        "batch_size": "Authors' code: 20 to 30",
        "crop_size": "Authors' code: 321 with the large field of view, 306 with the others",
        "augmentation": "Authors' code",
        "class_weights": "None named",
        "weight_decay": "Authors' code; " + L2_PENALTY,
    },
)
