"""How SegNetBasic was trained."""

from keras_segpaint.training.recipe import REPORTED
from keras_segpaint.training.segmentation_recipe import L2_PENALTY, SegmentationRecipe

__all__ = ["RECIPE"]

RECIPE = SegmentationRecipe(
    model="SegNetBasic",
    paper="Badrinarayanan, Kendall, Cipolla 2015, SegNet, arXiv:1511.00561",
    optimizer={"name": "sgd", "learning_rate": 0.1, "momentum": 0.9},
    schedule={"name": "constant"},
    epochs=109,
    batch_size=4,
    crop_size=(360, 480),
    class_weights="median_frequency",
    weight_decay=5e-4,
    sources={
        "optimizer": "Authors' code (solver of the SegNet-Basic tutorial)",
        "schedule": "Authors' code: fixed rate",
        "epochs": "Authors' code: 10,000 steps; with 4 images each, 109 epochs of CamVid's 367 training images",
        "batch_size": "Authors' code, that of SegNet. The paper's 12: " + REPORTED,
        "crop_size": "Authors' code: CamVid at 360 x 480",
        "augmentation": "None named",
        "class_weights": "Authors' code: median-frequency weights",
        "weight_decay": "Authors' code; " + L2_PENALTY,
    },
)
