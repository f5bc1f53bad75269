"""How CoherencePriorsInpainting is trained."""

from keras_segpaint.training.inpainting_recipe import InpaintingRecipe
from keras_segpaint.training.recipe import CHOSEN

__all__ = ["RECIPE"]

RECIPE = InpaintingRecipe(
    model="CoherencePriorsInpainting",
    paper="Liao, Xiao, Wang, Lin, Satoh 2021, Image Inpainting Guided by Coherence Priors of Semantics and Textures, "
    "arXiv:2012.08054",
    optimizer={"name": "adam", "learning_rate": 1e-4, "beta_1": 0.5, "beta_2": 0.999},
    schedule={"name": "constant"},
    epochs=100,
    batch_size=8,
    crop_size=(256, 256),
    augmentation=({"name": "RandomResizedCrop"}, {"name": "RandomFlip"}),
    masks={"name": "MaskUnion", "generators": ({"name": "RectangleMask"}, {"name": "FreeFormMask"})},
    loss={"name": "MaskedL1", "region": "image"},
    adversarial={"name": "hinge", "adversarial_weight": 0.1},
    critic={"name": "SNPatchDiscriminator"},
    critic_optimizer={"name": "adam", "learning_rate": 1e-4, "beta_1": 0.5, "beta_2": 0.999},
    sources={
        "optimizer": CHOSEN,
        "schedule": CHOSEN,
        "epochs": CHOSEN,
        "batch_size": CHOSEN,
        "crop_size": CHOSEN,
        "augmentation": CHOSEN,
        "masks": CHOSEN,
        "loss": CHOSEN + ": the whole image at each scale; cross-entropies and coherence are the network's own terms",
        "adversarial": CHOSEN,
        "critic": CHOSEN,
        "local_critic": "None named",
        "critic_optimizer": CHOSEN,
        "fine_tuning": "None named",
    },
)
