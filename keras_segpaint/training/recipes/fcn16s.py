"""How FCN16s was trained, from the weights of FCN32s."""

from keras_segpaint.training.recipe import REPORTED
from keras_segpaint.training.segmentation_recipe import L2_PENALTY, SegmentationRecipe

__all__ = ["RECIPE"]

RECIPE = SegmentationRecipe(
    model="FCN16s",
    paper="Long, Shelhamer, Darrell 2015, Fully convolutional networks, arXiv:1411.4038",
    optimizer={"name": "sgd", "learning_rate": 2.5e-7, "momentum": 0.99},
    schedule={"name": "constant"},
    epochs=68,
    batch_size=1,
    crop_size=(500, 500),
    weight_decay=5e-4,
    sources={
        "optimizer": "Authors' code: 1e-12 for the sum over the pixels of an image, momentum 0.99; times the 250,000 "
        "pixels of the crop, for the mean that the losses here take",
        "schedule": "Authors' code: fixed rate",
        "epochs": "Authors' code: 100,000 steps of one image, 68 epochs of Pascal VOC's 1,464 training images",
        "batch_size": "Authors' code",
        "crop_size": "Authors' code: whole images; 500 x 500 holds any of Pascal VOC",
        "augmentation": "None: " + REPORTED,
        "class_weights": "None named",
        "weight_decay": "Authors' code; " + L2_PENALTY,
    },
)
