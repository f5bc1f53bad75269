"""How LinkNet was trained."""

from keras_segpaint.training.recipe import REPORTED
from keras_segpaint.training.segmentation_recipe import L2_PENALTY, SegmentationRecipe

__all__ = ["RECIPE"]

RECIPE = SegmentationRecipe(
    model="LinkNet",
    paper="Chaurasia, Culurciello 2017, LinkNet, arXiv:1707.03718",
    optimizer={"name": "rmsprop", "learning_rate": 5e-4},
    schedule={"name": "step", "factor": 0.1, "epochs": 100},
    epochs=300,
    batch_size=8,
    crop_size=(576, 768),
    class_weights="linknet",
    weight_decay=2e-4,
    sources={
        "optimizer": "Learning rate: authors' code. RMSprop: " + REPORTED,
        "schedule": "Authors' code: a tenth every 100 epochs",
        "epochs": "Authors' code",
        "batch_size": "Authors' code",
        "crop_size": "Authors' code: CamVid at 576 x 768",
        "augmentation": "None named",
        "class_weights": "Authors' code: 1 / ln(1.02 + n / max(n))",
        "weight_decay": "Authors' code; " + L2_PENALTY,
    },
)
