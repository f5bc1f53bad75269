"""How StyleTransfer was trained."""

from keras_segpaint.training.recipe import REPORTED
from keras_segpaint.training.style_recipe import StyleRecipe

__all__ = ["RECIPE"]

RECIPE = StyleRecipe(
    model="StyleTransfer",
    paper="Huang, Belongie 2017, Arbitrary Style Transfer in Real-time with Adaptive Instance Normalization, arXiv:1703.06868",
    optimizer={"name": "adam", "learning_rate": 1e-4},
    schedule={"name": "inverse", "decay": 5e-5},
    epochs=11,
    batch_size=8,
    crop_size=(256, 256),
    encoder_weights="imagenet",
    resize_factor=2.0,
    sources={
        "optimizer": REPORTED + "; a PyTorch port has the same",
        "schedule": "A PyTorch port: the rate divided by 1 + 5e-5 times the step",
        "epochs": "A PyTorch port: 160,000 steps, which of the 118,287 photographs of COCO are 11 epochs",
        "batch_size": REPORTED,
        "crop_size": REPORTED,
        "augmentation": "A random cut of 256 of 512 pixels, see `resize_factor`",
        "encoder_weights": "The paper has a normalised VGG-19, which is not in Keras: give its file for the paper's features",
        "resize_factor": "The paper: the smaller side becomes 512 pixels, 256 x 256 of them are cut out",
    },
)
