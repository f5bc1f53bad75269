"""How UNet was trained."""

from keras_segpaint.training.recipe import REPORTED
from keras_segpaint.training.segmentation_recipe import SegmentationRecipe

__all__ = ["RECIPE"]

RECIPE = SegmentationRecipe(
    model="UNet",
    paper="Ronneberger, Fischer, Brox 2015, U-Net, arXiv:1505.04597",
    optimizer={"name": "sgd", "learning_rate": 0.001, "momentum": 0.99},
    schedule={"name": "constant"},
    epochs=100,
    batch_size=1,
    crop_size=(572, 572),
    augmentation=(
        {"name": "ElasticDeformation", "grid": 3, "sigma": 10.0},
        {"name": "RandomRotation", "degrees": 10.0},
        {"name": "RandomFlip", "horizontal": True, "vertical": True},
        {"name": "ColorJitter", "brightness": 0.2, "contrast": 0.2},
    ),
    sources={
        "optimizer": "Momentum as in the paper, second-hand; the learning rate is chosen here, the paper names none",
        "schedule": "Chosen here, the paper names none",
        "epochs": "Chosen here, the paper says ten hours",
        "batch_size": "The paper, second-hand: one large tile rather than several small ones",
        "crop_size": "The paper's input tile: " + REPORTED,
        "augmentation": "The kinds (elastic 3 x 3 grid, rotation, grey values) are the paper's; its standard "
        "deviation "
        "of 10 pixels: " + REPORTED + ". Ranges and flips are chosen here",
        "class_weights": "The paper weights the borders between touching cells, which needs instance labels: "
        "`keras_segpaint.data.border_weight_map` as `sample_weight`",
        "weight_decay": "None named",
    },
)
