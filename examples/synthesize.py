"""Make images from label maps with a small SPADE generator (arXiv:1903.07291).

    python examples/synthesize.py

Trains a narrow SPADEGenerator against its critic on slices of the brain template that nilearn carries, with the labels
background, grey matter, white matter and other tissue. Nothing is downloaded: VGG-19, which the paper's recipe compares
features of, is left out, and the mean absolute difference takes its place. Draws label map, real slice and made slice of
some slices that were not trained on to `examples/synthesize.png`, and a slice whose label map was edited: a hollow painted
into the white matter. `--model` trains one of the networks that SPADE is compared with instead: `Pix2PixHDGenerator`
(arXiv:1711.11585), or `CRN` (arXiv:1707.09405), which has no critic.

The same on the command line, without the edited slice:

    segpaint train SPADEGenerator --data brain --out runs/synthesize --size 96x80 --epochs 60 --batch-size 8 \\
        --set model.base_filters=8 --set model.hidden=32 --set critic.base_filters=16 \\
        --set loss.name=MaskedL1 --set loss.region=image
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

SIZE = (96, 80)
SHOWN = (3, 12, 20, 27)
# Narrow ones, for a processor.
NETWORKS: dict[str, dict] = {
    "SPADEGenerator": {"base_filters": 8, "hidden": 32},
    "Pix2PixHDGenerator": {"base_filters": 12, "downsampling": 3, "blocks": 3},
    "CRN": {"filters": (96, 96, 64, 48, 32)},
}


def main() -> None:
    """Trains, and draws what is made."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", choices=NETWORKS, default="SPADEGenerator")
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--run", type=Path, default=Path("runs/synthesize"))
    parser.add_argument("--picture", type=Path, default=Path(__file__).with_suffix(".png"))
    options = parser.parse_args()

    shutil.rmtree(options.run, ignore_errors=True)
    recipe: dict = {
        "loss": {"name": "MaskedL1", "region": "image"},
        # For a tenth of the papers' steps, of smaller networks.
        "optimizer": {"learning_rate": 4e-4},
    }
    if options.model != "CRN":
        recipe["critic"] = {"base_filters": 16}
        recipe["adversarial"] = {"reconstruction_weight": 10.0}
        recipe["critic_optimizer"] = {"learning_rate": 8e-4}
    config = training.TrainConfig(
        options.model,
        data="brain",
        size=SIZE,
        epochs=options.epochs,
        batch_size=8,
        model_args=NETWORKS[options.model],
        recipe=recipe,
    )
    result = training.train(config, options.run, verbose=2)
    trained = keras.saving.load_model(result.last_path, compile=False)
    generator = trained.predictor() if hasattr(trained, "predictor") else trained

    test = data.load_dataset("brain", "test")
    windows = data.SynthesisDataset(test, batch_size=1, size=SIZE, fixed=True, workers=0, data_format="channels_last")
    make = inference.Synthesizer(generator)
    evaluation = inference.evaluate_synthesis(generator, test, size=SIZE)
    print(f"slices to test on: {evaluation.scores}")

    columns = []
    for index in SHOWN:
        labels, images = windows[index]
        columns.append((viz.colorize(labels[0], test.palette), (images[0] + 1) / 2, make(labels[0])))
    edited = windows[SHOWN[1]][0][0].copy()
    rows, places = np.indices(SIZE)
    edited[np.hypot(rows - 34, places - 25) < 6] = test.class_names.index("other brain tissue")
    columns.append((viz.colorize(edited, test.palette), np.ones((*SIZE, 3)), make(edited)))

    figure, grid = plt.subplots(3, len(columns), figsize=(1.8 * len(columns), 6.3), layout="constrained")
    for axes, pictures in zip(grid.T, columns, strict=True):
        for axis, picture in zip(axes, pictures, strict=True):
            axis.imshow(picture)
            axis.set_xticks([])
            axis.set_yticks([])
            for spine in axis.spines.values():
                spine.set_visible(False)
    for axis, title in zip(grid[:, 0], ("labels", "real", "made"), strict=True):
        axis.set_ylabel(title)
    grid[0, -1].set_title("edited", fontsize=10)
    figure.savefig(options.picture, dpi=80)
    print(f"drawn to {options.picture}")


if __name__ == "__main__":
    main()
