"""How DeepFillV2 was trained."""

from keras_segpaint.training.inpainting_recipe import InpaintingRecipe
from keras_segpaint.training.recipe import CHOSEN

__all__ = ["RECIPE"]

RECIPE = InpaintingRecipe(
    model="DeepFillV2",
    paper="Yu, Lin, Yang, Shen, Lu, Huang 2019, Free-Form Image Inpainting with Gated Convolution, arXiv:1806.03589",
    optimizer={"name": "adam", "learning_rate": 1e-4, "beta_1": 0.5, "beta_2": 0.999},
    schedule={"name": "constant"},
    epochs=100,
    batch_size=16,
    crop_size=(256, 256),
    augmentation=({"name": "RandomResizedCrop"}, {"name": "RandomFlip"}),
    masks={"name": "MaskUnion", "generators": ({"name": "RectangleMask"}, {"name": "FreeFormMask"})},
    loss={"name": "MaskedL1", "region": "image"},
    adversarial={"name": "hinge", "adversarial_weight": 1.0},
    critic={"name": "SNPatchDiscriminator"},
    critic_optimizer={"name": "adam", "learning_rate": 1e-4, "beta_1": 0.5, "beta_2": 0.999},
    sources={
        "optimizer": "Authors' code",
        "schedule": "Authors' code: fixed rate",
        "epochs": CHOSEN + ": the authors train until they stop it",
        "batch_size": "Authors' code; the author calls fewer than 16 unstable",
        "crop_size": "Authors' code",
        "augmentation": CHOSEN,
        "masks": "Authors' code: a rectangle and brush strokes; there one mask for the whole batch, here one for each "
        "image, and the brush is as wide as the image is large",
        "loss": "Authors' code: the whole image of both stages, weight 1, no discount",
        "adversarial": "Authors' code: weight 1; a re-implementation takes 0.1, which helped users whose results on few "
        "photographs were grey",
        "critic": "Authors' code",
        "local_critic": "None named",
        "critic_optimizer": "Authors' code",
        "fine_tuning": "None named",
    },
)
