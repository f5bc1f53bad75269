"""Fill a hole as a label map says, edit the label map, and fill it again (arXiv:2201.10753).

    python examples/edit_labels.py

Trains a small `SemanticGuidedInpainting` on slices of the brain template that nilearn ships, in two or three minutes. Then
it cuts a hole into a test slice, runs the first stage, and the second one twice: guided by the labels of the slice, and by
labels in which a disc of white matter has been painted into the hole. Draws all of it to `examples/edit_labels.png`, and
prints how bright the disc becomes.
"""

import argparse
import shutil
from pathlib import Path

import keras
import matplotlib
import numpy as np

from keras_segpaint import data, training, viz

matplotlib.use("Agg")
import matplotlib.pyplot as plt

SIZE = (96, 80)
RADIUS = 9


def main() -> None:
    """Trains, edits, fills and draws."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--picture", type=Path, default=Path(__file__).with_suffix(".png"))
    options = parser.parse_args()

    run = Path("runs/edit_labels")
    shutil.rmtree(run, ignore_errors=True)
    config = training.TrainConfig(
        "SemanticGuidedInpainting",
        "brain",
        size=SIZE,
        epochs=options.epochs,
        batch_size=4,
        model_args={"base_filters": 12, "guide_filters": 16, "data_format": "channels_last"},
        recipe={
            "optimizer": {"learning_rate": 2e-3, "beta_1": 0.9},
            "schedule": {"name": "poly"},
            "augmentation": [{"name": "RandomResizedCrop", "scale": (0.9, 1.0)}, {"name": "RandomFlip"}],
            "masks": {"name": "RectangleMask"},
            "adversarial": None,
        },
    )
    result = training.train(config, run, verbose=2)
    model = keras.saving.load_model(result.best_path, compile=False)

    test = data.BrainTemplate("test")
    slices = data.GuidedInpaintingDataset(
        test, batch_size=1, size=SIZE, fixed=True, workers=0, data_format="channels_last"
    )
    (image, mask, labels), _, _ = slices[len(test) // 2]
    row, column = SIZE[0] // 2, SIZE[1] // 3
    mask[:] = 0
    mask[:, row - 20 : row + 20, column - 14 : column + 14] = 1

    editor = data.LabelEditor(labels[0, ..., 0], test.class_names).brush([(row, column)], RADIUS, "white matter")
    first = model.first_stage().predict_on_batch([image, mask])
    second = model.second_stage()

    def composed(made: np.ndarray) -> np.ndarray:
        """A picture in [0, 1] with the known pixels of the slice."""
        return ((image * (1 - mask) + made * mask)[0] + 1) / 2

    def fill(guide: np.ndarray) -> np.ndarray:
        inputs = [image, mask, first["coarse"], first["features"], guide[None, ..., None]]
        return composed(np.asarray(second.predict_on_batch(inputs)))

    fills = {"original": fill(labels[0, ..., 0]), "edited": fill(editor.labels)}
    disc = editor.changed
    for name, filled in fills.items():
        print(f"brightness where the labels differ, {name} labels: {filled[disc].mean():.3f}")

    shown = [
        ("slice with a hole", composed(np.ones_like(image))),
        ("stage 1", composed(np.asarray(first["coarse"]))),
        ("label map", viz.colorize(labels[0, ..., 0], test.palette) / 255),
        ("its fill", fills["original"]),
        ("edited label map", viz.colorize(editor.labels, test.palette) / 255),
        ("its fill", fills["edited"]),
    ]
    figure, axes = plt.subplots(1, len(shown), figsize=(11, 2.6), layout="constrained")
    for axis, (title, picture) in zip(axes, shown, strict=True):
        axis.imshow(picture.clip(0, 1))
        axis.set_title(title, fontsize=9)
        axis.axis("off")
    figure.savefig(options.picture, dpi=100)
    print(f"drawn to {options.picture}")


if __name__ == "__main__":
    main()
