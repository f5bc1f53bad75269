"""How DeepFillV1 was trained."""

from keras_segpaint.training.inpainting_recipe import InpaintingRecipe
from keras_segpaint.training.recipe import CHOSEN

__all__ = ["RECIPE"]

RECIPE = InpaintingRecipe(
    model="DeepFillV1",
    paper="Yu, Lin, Yang, Shen, Lu, Huang 2018, Generative Image Inpainting with Contextual Attention, arXiv:1801.07892",
    optimizer={"name": "adam", "learning_rate": 1e-4, "beta_1": 0.5, "beta_2": 0.9},
    schedule={"name": "constant"},
    epochs=100,
    batch_size=16,
    crop_size=(256, 256),
    augmentation=({"name": "RandomResizedCrop"}, {"name": "RandomFlip"}),
    masks={"name": "RectangleMask"},
    loss={
        "name": "ImageLossSum",
        "terms": (
            {"name": "SpatiallyDiscountedL1", "gamma": 0.9, "average": "region", "weight": 1.2},
            {"name": "MaskedL1", "region": "valid", "average": "region", "weight": 1.2},
        ),
    },
    adversarial={
        "name": "wasserstein",
        "adversarial_weight": 1e-3,
        "penalty_weight": 10.0,
        "critic_steps": 5,
    },
    critic={"name": "DeepFillV1Critic", "region": "global"},
    local_critic={"name": "DeepFillV1Critic", "region": "local"},
    critic_optimizer={"name": "adam", "learning_rate": 1e-4, "beta_1": 0.5, "beta_2": 0.9},
    sources={
        "optimizer": "Authors' code",
        "schedule": "Authors' code: fixed rate",
        "epochs": CHOSEN + ": the authors train until they stop it",
        "batch_size": "Authors' code",
        "crop_size": "Authors' code",
        "augmentation": CHOSEN,
        "masks": "Authors' code: one rectangle of 96 to 128 of 256 pixels a side; there one for the whole batch, here one "
        "for each image",
        "loss": "Authors' code: the hole with a discount of 0.9 (the paper has 0.99, which the author found worse at 256 x "
        "256) and the known pixels, both 1.2, and the coarse image 1.2 times as much as the final one; the discount is by "
        "distance to a known pixel",
        "adversarial": "Authors' code: weights 0.001 and 10, the penalty inside of the hole, five steps of the critics for "
        "one of the generator",
        "critic": "Authors' code",
        "local_critic": "Authors' code: the rectangle itself; here a window of the largest rectangle's size around it",
        "critic_optimizer": "Authors' code",
        "fine_tuning": "None named",
    },
)
