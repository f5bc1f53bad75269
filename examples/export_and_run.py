"""Export a trained network to LiteRT and run the file as a phone would.

    python examples/export_and_run.py runs/example/checkpoints/best.keras

Without an argument it takes the run of `train_on_your_folder.py`. The picture, drawn to `examples/export_and_run.png`,
shows the classes by Keras and by the file on one image, and where they differ.
"""

import argparse
import time
from pathlib import Path

import keras
import matplotlib
import numpy as np

from keras_segpaint import data, export, inference, viz

matplotlib.use("Agg")
import matplotlib.pyplot as plt


def main() -> None:
    """Exports, runs, compares and draws."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", type=Path, default=Path("runs/example/checkpoints/best.keras"))
    parser.add_argument("--picture", type=Path, default=Path(__file__).with_suffix(".png"))
    options = parser.parse_args()

    test = data.BrainTemplate("test")
    images = np.stack([example.image for example in test])
    model = keras.saving.load_model(options.model, compile=False)
    report = export.to_litert(
        model, options.model.with_suffix(".tflite"), input_shape=images.shape[1:], images=images[:4]
    )
    print(report)
    print("operators:", ", ".join(report.operators))

    file = export.LiteRTModel(report.path)
    image = images[len(images) // 2]
    began = time.perf_counter()
    by_file = np.argmax(file(image[None])[0], axis=-1)
    print(f"one image by the file: {1000 * (time.perf_counter() - began):.1f} ms")
    by_keras = inference.Segmenter(model)(image).classes

    pictures = {
        "image": viz.to_rgb(image),
        "Keras": viz.colorize(by_keras, test.palette),
        f"{report.size_bytes / 1e6:.1f} MB file": viz.colorize(by_file, test.palette),
        f"{(by_keras != by_file).sum()} pixels differ": viz.error_map(by_keras, by_file, None),
    }
    figure, axes = plt.subplots(1, 4, figsize=(9, 3.1), layout="constrained")
    for axis, (title, picture) in zip(axes, pictures.items(), strict=True):
        axis.imshow(picture)
        axis.set_title(title, fontsize=10)
        axis.axis("off")
    figure.savefig(options.picture, dpi=80)
    print(f"drawn to {options.picture}")


if __name__ == "__main__":
    main()
