"""Draw where a network is unsure of itself: dropout stays on, and many passes vote (Bayesian SegNet, arXiv:1511.02680).

    python examples/uncertainty_map.py

Trains a small Bayesian SegNet-Basic on slices of the brain template that nilearn ships, in a few minutes, and draws
image, prediction, errors and uncertainty of a test slice to `examples/uncertainty_map.png`. Errors lie where it is
unsure.
"""

import argparse
import shutil
from pathlib import Path

import keras
import matplotlib
import numpy as np

from keras_segpaint import data, inference, training, viz

matplotlib.use("Agg")
import matplotlib.pyplot as plt


def main() -> None:
    """Trains, samples and draws."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=15)
    parser.add_argument("--samples", type=int, default=30)
    parser.add_argument("--picture", type=Path, default=Path(__file__).with_suffix(".png"))
    options = parser.parse_args()

    run = Path("runs/uncertainty")
    shutil.rmtree(run, ignore_errors=True)
    config = training.TrainConfig(
        "SegNetBasic",
        "brain",
        size=(192, 160),
        epochs=options.epochs,
        batch_size=4,
        model_args={"base_filters": 16, "bayesian": True},
        recipe={
            "optimizer": {"name": "adam", "learning_rate": 3e-3},
            "schedule": {"name": "poly"},
            "augmentation": [{"name": "RandomFlip"}],
            "class_weights": None,
        },
    )
    result = training.train(config, run, verbose=2)
    model = keras.saving.load_model(result.best_path, compile=False)

    test = data.BrainTemplate("test")
    example = test[len(test) // 2]
    mean, variance = inference.mc_dropout(model, example.image[None], samples=options.samples, seed=0)
    predicted, unsure = mean[0].argmax(-1), variance[0].mean(-1)
    wrong = predicted != example.mask
    print(f"mean variance where it is right {unsure[~wrong].mean():.2e}, where it is wrong {unsure[wrong].mean():.2e}")

    figure, axes = plt.subplots(1, 4, figsize=(9, 3.1), layout="constrained")
    pictures = {
        "image": viz.to_rgb(example.image),
        "prediction": viz.colorize(predicted, test.palette),
        "errors in red": viz.error_map(example.mask, predicted, test.ignore_class),
        f"variance of {options.samples} passes": np.sqrt(unsure),
    }
    for axis, (title, picture) in zip(axes, pictures.items(), strict=True):
        axis.imshow(picture, cmap="magma")
        axis.set_title(title, fontsize=10)
        axis.axis("off")
    figure.savefig(options.picture, dpi=80)
    print(f"drawn to {options.picture}")


if __name__ == "__main__":
    main()
