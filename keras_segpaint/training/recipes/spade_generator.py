"""How SPADEGenerator was trained."""

from keras_segpaint.losses.perceptual import SYNTHESIS_WEIGHTS
from keras_segpaint.training.recipe import CHOSEN, REPORTED
from keras_segpaint.training.synthesis_recipe import SynthesisRecipe

__all__ = ["RECIPE"]

RECIPE = SynthesisRecipe(
    model="SPADEGenerator",
    paper="Park, Liu, Wang, Zhu 2019, Semantic Image Synthesis with Spatially-Adaptive Normalization, arXiv:1903.07291",
    optimizer={"name": "adam", "learning_rate": 1e-4, "beta_1": 0.0, "beta_2": 0.9},
    schedule={"name": "linear", "epochs": 100},
    epochs=200,
    batch_size=32,
    crop_size=(256, 256),
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
        "name": "hinge",
        "adversarial_weight": 1.0,
        "feature_matching_weight": 10.0,
        "reconstruction_weight": 10.0,
        "divergence_weight": 0.05,
    },
    critic={"name": "MultiscaleDiscriminator"},
    critic_optimizer={"name": "adam", "learning_rate": 4e-4, "beta_1": 0.0, "beta_2": 0.9},
    sources={
        "optimizer": "Authors' code; the paper's 0.999 is an error, the authors say",
        "schedule": "Authors' code: 100 epochs, then evenly to 0 in 100, for ADE20K and Cityscapes; there in steps of an epoch",
        "epochs": "Authors' code: 200 for ADE20K and Cityscapes; COCO 100: " + REPORTED,
        "batch_size": "Authors' code: on eight GPUs of 32 GB, which hold 12 each",
        "crop_size": "Authors' code, for COCO and ADE20K; Cityscapes 256 x 512",
        "augmentation": "Authors' code: 256 of 286 pixels, mirrored; that the smaller side keeps its ratio is chosen here",
        "loss": "Authors' code: five maps of VGG-19, which sees images in [-1, 1] as if they were normalised",
        "adversarial": "Authors' code",
        "critic": "Authors' code: two scales",
        "encoder": CHOSEN + ": none; with encoder.name=SPADEEncoder styles are learnt, as the authors' --use_vae does",
        "critic_optimizer": "Authors' code: four times the generator's rate",
    },
)
