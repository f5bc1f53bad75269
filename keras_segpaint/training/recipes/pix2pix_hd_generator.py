"""How Pix2PixHDGenerator was trained."""

from keras_segpaint.losses.perceptual import SYNTHESIS_WEIGHTS
from keras_segpaint.training.recipe import REPORTED
from keras_segpaint.training.synthesis_recipe import SynthesisRecipe

__all__ = ["RECIPE"]

RECIPE = SynthesisRecipe(
    model="Pix2PixHDGenerator",
    paper="Wang, Liu, Zhu, Tao, Kautz, Catanzaro 2018, High-Resolution Image Synthesis with Conditional GANs, arXiv:1711.11585",
    optimizer={"name": "adam", "learning_rate": 2e-4, "beta_1": 0.5, "beta_2": 0.999},
    schedule={"name": "linear", "epochs": 100},
    epochs=200,
    batch_size=1,
    crop_size=(512, 1024),
    augmentation=({"name": "RandomResizedCrop", "scale": (0.9, 1.0)}, {"name": "RandomFlip"}),
    loss={
        "name": "PerceptualLoss",
        "features": "imagenet",
        "network": "VGG19",
        "layers": tuple(f"conv{block}_1_relu" for block in range(1, 6)),
        "weights": SYNTHESIS_WEIGHTS,
        "value_range": None,
    },
    adversarial={
        "name": "least_squares",
        "adversarial_weight": 1.0,
        "feature_matching_weight": 10.0,
        "reconstruction_weight": 10.0,
    },
    critic={"name": "MultiscaleDiscriminator"},
    critic_optimizer={"name": "adam", "learning_rate": 2e-4, "beta_1": 0.5, "beta_2": 0.999},
    sources={
        "optimizer": REPORTED,
        "schedule": REPORTED + ": 100 epochs, then evenly to 0 in 100",
        "epochs": REPORTED,
        "batch_size": REPORTED,
        "crop_size": REPORTED + ": Cityscapes at 1024 x 512, before the local enhancer",
        "augmentation": REPORTED + ": mirrored; the crops are chosen here",
        "loss": REPORTED + ": five maps of VGG-19 with a weight of 10, as in SPADE",
        "adversarial": REPORTED + "; the scales' losses are averaged, as in SPADE, where pix2pixHD adds them up",
        "critic": "That of SPADE, which follows pix2pixHD's: spectral normalisation beside that of instances",
        "encoder": "None: pix2pixHD's, of features of instances, is another one",
        "critic_optimizer": REPORTED,
    },
)
