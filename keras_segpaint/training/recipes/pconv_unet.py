"""How PConvUNet was trained; `two_stage=True` adds the stage with the encoder's normalisation frozen."""

from keras_segpaint.training.inpainting_recipe import InpaintingRecipe
from keras_segpaint.training.recipe import CHOSEN, REPORTED

__all__ = ["RECIPE"]

RECIPE = InpaintingRecipe(
    model="PConvUNet",
    paper="Liu, Reda, Shih, Wang, Tao, Catanzaro 2018, Image Inpainting for Irregular Holes Using Partial Convolutions, "
    "arXiv:1804.07723",
    optimizer={"name": "adam", "learning_rate": 2e-4},
    schedule={"name": "constant"},
    epochs=50,
    batch_size=6,
    crop_size=(512, 512),
    augmentation=({"name": "RandomResizedCrop"}, {"name": "RandomFlip"}),
    masks={"name": "HoleRatioMask", "generator": {"name": "FreeFormMask"}},
    loss={"name": "PartialConvolutionLoss", "features": "imagenet"},
    fine_tuning={"learning_rate": 5e-5, "epochs": 50, "frozen_encoder_norm": True},
    sources={
        "optimizer": REPORTED,
        "schedule": "None named; the rate falls once, between the two stages",
        "epochs": "A Keras port: 50 epochs of 10,000 steps; the paper counts days",
        "batch_size": REPORTED,
        "crop_size": REPORTED,
        "augmentation": CHOSEN,
        "masks": CHOSEN
        + ": brush strokes over each other, as many masks in each of the paper's six ranges of hole shares; "
        "the paper has 55,116 mask files, which IrregularMask reads",
        "loss": "Authors' code: the six terms and their weights, features of the first three pools of VGG-16",
        "adversarial": "None: there is no critic",
        "critic": "None: there is no critic",
        "local_critic": "None: there is no critic",
        "critic_optimizer": "None: there is no critic",
        "fine_tuning": "Rate and frozen normalisation: " + REPORTED + "; epochs: a Keras port",
    },
)
