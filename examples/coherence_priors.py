"""Fill holes with a network that segments what it fills (inspired by arXiv:2012.08054).

    python examples/coherence_priors.py

Trains a small `CoherencePriorsInpainting` on slices of the brain template that nilearn ships, with their labels: grey matter,
white matter, other tissue and background. To fill a hole it needs no labels; it predicts them. Draws for some slices that
were not trained on the slice with its hole, the fill, the labels that the network finds in it and the true ones, to
`examples/coherence_priors.png`, and prints the error in the holes and the mean IoU of the predicted labels there.
"""

import argparse
import shutil
from pathlib import Path

import keras
import matplotlib
import numpy as np

from keras_segpaint import data, metrics, training, viz

matplotlib.use("Agg")
import matplotlib.pyplot as plt

SIZE = (96, 80)
SHOWN = (3, 12, 20)


def main() -> None:
    """Trains, fills, measures and draws."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--run", type=Path, default=Path("runs/coherence_priors"))
    parser.add_argument("--picture", type=Path, default=Path(__file__).with_suffix(".png"))
    options = parser.parse_args()

    shutil.rmtree(options.run, ignore_errors=True)
    config = training.TrainConfig(
        "CoherencePriorsInpainting",
        "brain",
        size=SIZE,
        epochs=options.epochs,
        batch_size=4,
        model_args={"base_filters": 12, "data_format": "channels_last"},
        recipe={
            "optimizer": {"learning_rate": 2e-3, "beta_1": 0.9},
            "schedule": {"name": "poly"},
            "augmentation": [{"name": "RandomResizedCrop", "scale": (0.9, 1.0)}, {"name": "RandomFlip"}],
            "masks": {"name": "RectangleMask"},
            "adversarial": None,
        },
    )
    result = training.train(config, options.run, verbose=2)
    # The network as it was trained, with its label maps; best.keras, which fills holes alone, is without them.
    model = keras.saving.load_model(result.last_path, compile=False)

    test = data.BrainTemplate("test")
    slices = data.GuidedInpaintingDataset(
        test, batch_size=1, size=SIZE, labels="target", fixed=True, workers=0, data_format="channels_last"
    )
    classes = len(test.class_names)
    error, iou = metrics.L1("hole"), metrics.MeanIoU(classes)
    rows = []
    for index in range(len(test)):
        (image, mask), target, _ = slices[index]
        outputs = model.predict_on_batch([image, mask])
        filled = image * (1 - mask) + np.asarray(outputs["image"]) * mask
        truth = target["labels"].reshape(1, *SIZE)
        error.update_state(target["image"], filled, sample_weight=mask)
        iou.update_state(np.where(mask[..., 0] > 0, truth, 255), outputs["labels"])
        if index in SHOWN:
            found = np.argmax(outputs["labels"][0], -1)
            pictures = [image * (1 - mask) + mask, filled]
            maps = [viz.colorize(labels, test.palette) for labels in (found, truth[0])]
            rows.append([*((picture[0] + 1) / 2 for picture in pictures), *maps])
    print(f"in the holes: L1 {float(error.result()):.4f}, mean IoU of the predicted labels {float(iou.result()):.3f}")

    titles = ("slice with a hole", "fill", "predicted labels", "true labels")
    figure, grid = plt.subplots(len(rows), len(titles), figsize=(7.4, 2.4 * len(rows)), layout="constrained")
    for axes, pictures in zip(grid, rows, strict=True):
        for axis, picture in zip(axes, pictures, strict=True):
            axis.imshow(picture.clip(0, 1) if picture.dtype != np.uint8 else picture)
            axis.axis("off")
    for axis, title in zip(grid[0], titles, strict=True):
        axis.set_title(title, fontsize=9)
    figure.savefig(options.picture, dpi=80)
    print(f"drawn to {options.picture}")


if __name__ == "__main__":
    main()
