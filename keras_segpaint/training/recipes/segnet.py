"""How SegNet was trained."""

from keras_segpaint.training.recipe import REPORTED
from keras_segpaint.training.segmentation_recipe import L2_PENALTY, SegmentationRecipe

__all__ = ["RECIPE"]

RECIPE = SegmentationRecipe(
    model="SegNet",
    paper="Badrinarayanan, Kendall, Cipolla 2015, SegNet, arXiv:1511.00561",
    optimizer={"name": "sgd", "learning_rate": 0.001, "momentum": 0.9},
    schedule={"name": "constant"},
    epochs=436,
    batch_size=4,
    crop_size=(360, 480),
    class_weights="median_frequency",
    weight_decay=5e-4,
    sources={
        "optimizer": "Authors' code (solver of the SegNet tutorial). The paper's rate of 0.1: " + REPORTED,
        "schedule": "Authors' code: fixed rate",
        "epochs": "Authors' code: 40,000 steps of 4 images, which are 436 epochs of CamVid's 367 training images",
        "batch_size": "Authors' code. The paper's 12: " + REPORTED,
        "crop_size": "Authors' code: CamVid at 360 x 480",
        "augmentation": "None named. Local contrast normalisation of the input: " + REPORTED + "; not applied",
        "class_weights": "Authors' code: median-frequency weights",
        "weight_decay": "Authors' code; " + L2_PENALTY,
    },
)
