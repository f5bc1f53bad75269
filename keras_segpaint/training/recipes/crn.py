"""How CRN was trained, without a critic."""

from keras_segpaint.training.recipe import CHOSEN, REPORTED
from keras_segpaint.training.synthesis_recipe import SynthesisRecipe

__all__ = ["RECIPE"]

RECIPE = SynthesisRecipe(
    model="CRN",
    paper="Chen, Koltun 2017, Photographic Image Synthesis with Cascaded Refinement Networks, arXiv:1707.09405",
    optimizer={"name": "adam", "learning_rate": 1e-4},
    schedule={"name": "constant"},
    epochs=200,
    batch_size=1,
    crop_size=(256, 512),
    augmentation=({"name": "RandomResizedCrop", "scale": (1.0, 1.0)},),
    loss={
        "name": "PerceptualLoss",
        "features": "imagenet",
        "network": "VGG19",
        "layers": ("normalize", *(f"conv{block}_2_relu" for block in range(1, 6))),
        "weights": (1.0, 1 / 2.6, 1 / 4.8, 1 / 3.7, 1 / 5.6, 10 / 1.5),
    },
    sources={
        "optimizer": REPORTED,
        "schedule": "None named: fixed rate",
        "epochs": REPORTED,
        "batch_size": REPORTED,
        "crop_size": REPORTED + ": Cityscapes at 256 x 512 first",
        "augmentation": "None named; " + CHOSEN.lower() + ": the largest crop, resized",
        "loss": REPORTED
        + ": the image and five maps of VGG-19; one image is made, where the paper also makes nine diverse ones",
        "adversarial": "None: there is no critic",
        "critic": "None: there is no critic",
        "encoder": "None: there is no encoder",
        "critic_optimizer": "None: there is no critic",
    },
)
