"""How DilatedNet's front end was trained: build it with `context=None`.

Behind it the authors train the context module at a rate of 1e-3 with batches of 60 on stored scores, then both
together at 1e-5.
"""

from keras_segpaint.training.recipe import REPORTED
from keras_segpaint.training.segmentation_recipe import L2_PENALTY, SegmentationRecipe

__all__ = ["RECIPE"]

RECIPE = SegmentationRecipe(
    model="DilatedNet",
    paper="Yu, Koltun 2015, Multi-scale context aggregation by dilated convolutions, arXiv:1511.07122",
    optimizer={"name": "sgd", "learning_rate": 1e-4, "momentum": 0.9},
    schedule={"name": "constant"},
    epochs=80,
    batch_size=14,
    crop_size=(500, 500),
    augmentation=({"name": "RandomCrop"}, {"name": "RandomFlip", "horizontal": True}),
    weight_decay=5e-4,
    sources={
        "optimizer": "Authors' code, the front end's stage",
        "schedule": "Authors' code: a tenth every 100,000 steps, which is after the end here",
        "epochs": "Chosen here: 60,000 steps of 14 images, which are 80 epochs of Pascal VOC's 10,582 augmented images",
        "batch_size": "Authors' code, the front end's stage",
        "crop_size": "Authors' code: the scores of 500 x 500 pixels for Pascal VOC",
        "augmentation": "Crop: authors' code. Flip: " + REPORTED,
        "class_weights": "None named",
        "weight_decay": "Authors' code; " + L2_PENALTY,
    },
)
