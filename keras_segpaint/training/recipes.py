"""The recipes of the papers.

`sources` says of each number where it was read. "Authors' code" are the files that the authors published with the
paper. "Reported, not checked against the paper" marks a number that is widely quoted but was not compared with the
paper's text. "Chosen here" marks what the paper leaves open.
"""

from keras_segpaint.training.recipe import Recipe

__all__ = ["RECIPES", "get"]

_REPORTED = "Reported, not checked against the paper"
_L2 = "an L2 penalty; applied to kernels here, biases and normalisation are left alone"

RECIPES: dict[str, Recipe] = {
    "SegNet": Recipe(
        model="SegNet",
        paper="Badrinarayanan, Kendall, Cipolla 2015, SegNet, arXiv:1511.00561",
        optimizer={"name": "sgd", "learning_rate": 0.001, "momentum": 0.9},
        schedule={"name": "constant"},
        epochs=436,
        batch_size=4,
        crop_size=(360, 480),
        class_weights="median_frequency",
        weight_decay=5e-4,
        sources={
            "optimizer": "Authors' code (solver of the SegNet tutorial). The paper's rate of 0.1: " + _REPORTED,
            "schedule": "Authors' code: fixed rate",
            "epochs": "Authors' code: 40,000 steps of 4 images, which are 436 epochs of CamVid's 367 training images",
            "batch_size": "Authors' code. The paper's 12: " + _REPORTED,
            "crop_size": "Authors' code: CamVid at 360 x 480",
            "augmentation": "None named. Local contrast normalisation of the input: " + _REPORTED + "; not applied",
            "class_weights": "Authors' code: median-frequency weights",
            "weight_decay": "Authors' code; " + _L2,
        },
    ),
    "SegNetBasic": Recipe(
        model="SegNetBasic",
        paper="Badrinarayanan, Kendall, Cipolla 2015, SegNet, arXiv:1511.00561",
        optimizer={"name": "sgd", "learning_rate": 0.1, "momentum": 0.9},
        schedule={"name": "constant"},
        epochs=109,
        batch_size=4,
        crop_size=(360, 480),
        class_weights="median_frequency",
        weight_decay=5e-4,
        sources={
            "optimizer": "Authors' code (solver of the SegNet-Basic tutorial)",
            "schedule": "Authors' code: fixed rate",
            "epochs": "Authors' code: 10,000 steps; with 4 images each, 109 epochs of CamVid's 367 training images",
            "batch_size": "Authors' code, that of SegNet. The paper's 12: " + _REPORTED,
            "crop_size": "Authors' code: CamVid at 360 x 480",
            "augmentation": "None named",
            "class_weights": "Authors' code: median-frequency weights",
            "weight_decay": "Authors' code; " + _L2,
        },
    ),
    "UNet": Recipe(
        model="UNet",
        paper="Ronneberger, Fischer, Brox 2015, U-Net, arXiv:1505.04597",
        optimizer={"name": "sgd", "learning_rate": 0.001, "momentum": 0.99},
        schedule={"name": "constant"},
        epochs=100,
        batch_size=1,
        crop_size=(572, 572),
        augmentation=(
            {"name": "ElasticDeformation", "grid": 3, "sigma": 10.0},
            {"name": "RandomRotation", "degrees": 10.0},
            {"name": "RandomFlip", "horizontal": True, "vertical": True},
            {"name": "ColorJitter", "brightness": 0.2, "contrast": 0.2},
        ),
        sources={
            "optimizer": "Momentum as in the paper, second-hand; the learning rate is chosen here, the paper names "
            "none",
            "schedule": "Chosen here, the paper names none",
            "epochs": "Chosen here, the paper says ten hours",
            "batch_size": "The paper, second-hand: one large tile rather than several small ones",
            "crop_size": "The paper's input tile: " + _REPORTED,
            "augmentation": "The kinds (elastic 3 x 3 grid, rotation, grey values) are the paper's; its standard "
            "deviation "
            "of 10 pixels: " + _REPORTED + ". Ranges and flips are chosen here",
            "class_weights": "The paper weights the borders between touching cells, which needs instance labels: "
            "`keras_segpaint.data.border_weight_map` as `sample_weight`",
            "weight_decay": "None named",
        },
    ),
    "ENet": Recipe(
        model="ENet",
        paper="Paszke, Chaurasia, Kim, Culurciello 2016, ENet, arXiv:1606.02147",
        optimizer={"name": "adam", "learning_rate": 5e-4},
        schedule={"name": "step", "factor": 0.1, "epochs": 100},
        epochs=300,
        batch_size=10,
        crop_size=(360, 480),
        class_weights="enet",
        weight_decay=2e-4,
        encoder_epochs=300,
        sources={
            "optimizer": "Authors' code",
            "schedule": "Authors' code: a tenth every 100 epochs",
            "epochs": "Authors' code",
            "batch_size": "Authors' code",
            "crop_size": "CamVid at 360 x 480: " + _REPORTED,
            "augmentation": "None named",
            "class_weights": "Authors' code: 1 / ln(1.02 + p), with 1.2 in the encoder's stage",
            "weight_decay": "Authors' code; " + _L2,
            "encoder_epochs": "Authors' code: the encoder is trained on labels at an eighth of the size first",
        },
    ),
    "LinkNet": Recipe(
        model="LinkNet",
        paper="Chaurasia, Culurciello 2017, LinkNet, arXiv:1707.03718",
        optimizer={"name": "rmsprop", "learning_rate": 5e-4},
        schedule={"name": "step", "factor": 0.1, "epochs": 100},
        epochs=300,
        batch_size=8,
        crop_size=(576, 768),
        class_weights="linknet",
        weight_decay=2e-4,
        sources={
            "optimizer": "Learning rate: authors' code. RMSprop: " + _REPORTED,
            "schedule": "Authors' code: a tenth every 100 epochs",
            "epochs": "Authors' code",
            "batch_size": "Authors' code",
            "crop_size": "Authors' code: CamVid at 576 x 768",
            "augmentation": "None named",
            "class_weights": "Authors' code: 1 / ln(1.02 + n / max(n))",
            "weight_decay": "Authors' code; " + _L2,
        },
    ),
}


def get(name: str) -> Recipe:
    """The recipe of a model.

    Args:
        name: Class name in `keras_segpaint.models`.

    Raises:
        ValueError: If there is no recipe of that name.

    Example:
        >>> get("ENet").batch_size
        10
    """
    if name not in RECIPES:
        raise ValueError(f"`name` must be one of {', '.join(RECIPES)}. Received: name={name!r}")
    return RECIPES[name]
