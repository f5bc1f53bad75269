"""How G-FRNet was trained."""

from keras_segpaint.training.segmentation_recipe import L2_PENALTY, SegmentationRecipe

__all__ = ["RECIPE"]

RECIPE = SegmentationRecipe(
    model="GFRNet",
    paper="Islam, Rochan, Bruce, Wang 2017, G-FRNet, arXiv:1806.11266",
    optimizer={"name": "sgd", "learning_rate": 1e-3, "momentum": 0.9},
    schedule={"name": "step", "factor": 0.1, "epochs": 817},
    epochs=2452,
    batch_size=6,
    crop_size=(360, 480),
    class_weights="median_frequency",
    weight_decay=5e-4,
    sources={
        "optimizer": "Authors' code; it gives biases twice the learning rate, one rate for all here",
        "schedule": "Authors' code: a tenth every 50,000 steps, 817 epochs of the 367 images of CamVid",
        "epochs": "Authors' code: 150,000 steps",
        "batch_size": "Authors' code",
        "crop_size": "Authors' code: CamVid at 360 x 480",
        "augmentation": "None named",
        "class_weights": "Authors' code: SegNet's median frequency weights, in the losses of all six stages",
        "weight_decay": "Authors' code; " + L2_PENALTY,
    },
)
