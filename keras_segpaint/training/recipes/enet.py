"""How ENet was trained."""

from keras_segpaint.training.recipe import REPORTED
from keras_segpaint.training.segmentation_recipe import L2_PENALTY, SegmentationRecipe

__all__ = ["RECIPE"]

RECIPE = SegmentationRecipe(
    model="ENet",
    paper="Paszke, Chaurasia, Kim, Culurciello 2016, ENet, arXiv:1606.02147",
    optimizer={"name": "adam", "learning_rate": 5e-4},
    schedule={"name": "step", "factor": 0.1, "epochs": 100},
    epochs=300,
    batch_size=10,
    crop_size=(360, 480),
    class_weights="enet",
    weight_decay=2e-4,
    encoder_epochs=300,
    sources={
        "optimizer": "Authors' code",
        "schedule": "Authors' code: a tenth every 100 epochs",
        "epochs": "Authors' code",
        "batch_size": "Authors' code",
        "crop_size": "CamVid at 360 x 480: " + REPORTED,
        "augmentation": "None named",
        "class_weights": "Authors' code: 1 / ln(1.02 + p), with 1.2 in the encoder's stage",
        "weight_decay": "Authors' code; " + L2_PENALTY,
        "encoder_epochs": "Authors' code: the encoder is trained on labels at an eighth of the size first",
    },
)
