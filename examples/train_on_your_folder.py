"""Train a network on a folder of images and masks, and look at what it learned.

    python examples/train_on_your_folder.py my_folder

The folder holds `images/` and `masks/` with files of the same names; a mask is a one-channel PNG of class indices, and
`classes.txt` names the classes, one a line. Without an argument the folder is made from slices of the brain template
that nilearn ships. The picture is drawn to `examples/train_on_your_folder.png`, the run is kept in `runs/example`.
"""

import argparse
import shutil
from pathlib import Path

import keras
import matplotlib
import numpy as np
from PIL import Image

from keras_segpaint import data, inference, metrics, training, viz

matplotlib.use("Agg")
import matplotlib.pyplot as plt


def write_brain_folder(root: Path) -> Path:
    """Every third slice as the folder of images and masks that a user would bring."""
    shutil.rmtree(root, ignore_errors=True)
    for name in ("images", "masks"):
        (root / name).mkdir(parents=True)
    slices = data.BrainTemplate("all")
    for index in range(0, len(slices), 3):
        example = slices[index]
        Image.fromarray(example.image[..., 0]).save(root / "images" / f"{index:03d}.png")
        Image.fromarray(example.mask).save(root / "masks" / f"{index:03d}.png")
    lines = [f"{name} #{bytes(colour).hex()}" for name, colour in zip(slices.class_names, slices.palette, strict=True)]
    (root / "classes.txt").write_text("\n".join(lines) + "\n")
    return root


def main() -> None:
    """Trains, judges and draws."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", help="holds images/ and masks/")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--picture", type=Path, default=Path(__file__).with_suffix(".png"))
    options = parser.parse_args()
    folder = options.folder or str(write_brain_folder(Path("runs/brain_folder")))

    train, val = data.load_dataset(folder, "train"), data.load_dataset(folder, "val")
    run = Path("runs/example")
    shutil.rmtree(run, ignore_errors=True)
    config = training.TrainConfig(
        "UNet",
        folder,
        size=(192, 160),
        epochs=options.epochs,
        batch_size=4,
        model_args={"base_filters": 8},
        recipe={
            "optimizer": {"name": "adam", "learning_rate": 3e-3},
            "schedule": {"name": "poly"},
            "augmentation": [{"name": "RandomFlip"}],
            "class_weights": None,
        },
    )
    result = training.train(config, run, train_data=train, val_data=val, verbose=2)
    for name, iou in zip(val.class_names, result.scores.iou, strict=True):
        print(f"{name:<20} IoU {iou:.3f}")
    print(f"{'mean':<20} IoU {result.scores.mean_iou:.3f}")

    model = keras.saving.load_model(result.best_path, compile=False)
    segmenter = inference.Segmenter(model, size=config.size)
    figure, axes = plt.subplots(2, 4, figsize=(9, 5.4), layout="constrained")
    for row, index in zip(axes, (len(val) // 3, 2 * len(val) // 3), strict=True):
        example = val[index]
        predicted = segmenter(example.image).classes
        pictures = {
            "image": viz.to_rgb(example.image),
            "truth": viz.colorize(example.mask, val.palette),
            "prediction": viz.colorize(predicted, val.palette),
            "errors in red": viz.error_map(example.mask, predicted, val.ignore_class),
        }
        for axis, (title, picture) in zip(row, pictures.items(), strict=True):
            axis.imshow(picture)
            axis.set_title(title, fontsize=10)
            axis.axis("off")
    confusion = inference.evaluate(segmenter, val)
    figure.suptitle(f"{len(val)} images held back, mean IoU {metrics.scores(np.asarray(confusion)).mean_iou:.3f}")
    figure.savefig(options.picture, dpi=80)
    print(f"drawn to {options.picture}")


if __name__ == "__main__":
    main()
