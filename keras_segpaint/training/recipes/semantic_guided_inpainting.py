"""How SemanticGuidedInpainting is trained."""

from keras_segpaint.training.inpainting_recipe import InpaintingRecipe
from keras_segpaint.training.recipe import CHOSEN

__all__ = ["RECIPE"]

RECIPE = InpaintingRecipe(
    model="SemanticGuidedInpainting",
    paper="Yu, Du, Liu, Li, Zhu 2022, Interactive Image Inpainting Using Semantic Guidance, arXiv:2201.10753",
    optimizer={"name": "adam", "learning_rate": 1e-4, "beta_1": 0.5, "beta_2": 0.999},
    schedule={"name": "constant"},
    epochs=100,
    batch_size=8,
    crop_size=(256, 256),
    augmentation=({"name": "RandomResizedCrop"}, {"name": "RandomFlip"}),
    masks={"name": "MaskUnion", "generators": ({"name": "RectangleMask"}, {"name": "FreeFormMask"})},
    loss={"name": "MaskedL1", "region": "image"},
    adversarial={"name": "hinge", "adversarial_weight": 0.1},
    critic={"name": "SemanticGuidedCritic", "labels": False},
    critic_optimizer={"name": "adam", "learning_rate": 1e-4, "beta_1": 0.5, "beta_2": 0.999},
    sources={
        "optimizer": CHOSEN,
        "schedule": CHOSEN,
        "epochs": CHOSEN,
        "batch_size": CHOSEN,
        "crop_size": "Authors' code: the external attention is made for 64 x 64 features",
        "augmentation": CHOSEN,
        "masks": CHOSEN,
        "loss": CHOSEN + ": the whole image of both stages",
        "adversarial": CHOSEN,
        "critic": "Authors' code; labels=true gives it mask and labels too, which is not theirs",
        "local_critic": "None named",
        "critic_optimizer": CHOSEN,
        "fine_tuning": "None named",
    },
)
