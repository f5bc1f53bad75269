"""Look at which size of an image a network trusts where (Attention to Scale, arXiv:1511.03339).

    python examples/attention_to_scale.py

Puts attention over three scales around a small U-Net and trains both together, in a minute or two, to tell small discs
from large ones, which look alike but for their size. Nothing is downloaded. Draws image, prediction and the weights of the
scales to `examples/attention_to_scale.png`; the weights are 1 in total at each pixel. On and around the discs the image
in full size counts most, on empty ground the smaller ones.
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

SIZE = (96, 96)


class Discs(data.SegmentationDataset):
    """Bright discs on noise: class 1 has a radius of 3 to 6 pixels, class 2 one of 16 to 24."""

    def __init__(self, count: int, first: int):
        super().__init__("discs", ["ground", "small disc", "large disc"])
        self.count = count
        self.first = first

    def __len__(self) -> int:
        return self.count

    def _load(self, index: int) -> data.Example:
        rng = np.random.default_rng(self.first + index)
        image = rng.integers(40, 110, (*SIZE, 3), np.uint8)
        mask = np.zeros(SIZE, np.uint8)
        rows, columns = np.indices(SIZE)
        for label, radius in [(2, rng.uniform(16, 24)), *((1, radius) for radius in rng.uniform(3, 6, 12))]:
            y, x = rng.uniform(0, SIZE[0]), rng.uniform(0, SIZE[1])
            distance = np.hypot(rows - y, columns - x)
            # No disc touches another.
            if not mask[distance < radius + 3].any():
                mask[distance < radius] = label
        image[mask > 0] += 100
        return data.Example(image, mask, f"discs {self.first + index}")


def main() -> None:
    """Trains, and draws the weights of the scales."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--picture", type=Path, default=Path(__file__).with_suffix(".png"))
    options = parser.parse_args()

    run = Path("runs/attention_to_scale")
    shutil.rmtree(run, ignore_errors=True)
    config = training.TrainConfig(
        "AttentionToScale",
        size=SIZE,
        epochs=options.epochs,
        batch_size=8,
        model_args={
            "model": "UNet",
            "model_arguments": {"base_filters": 8, "upsampling": "bilinear"},
            "scales": (1.0, 0.5, 0.25),
            "attention_filters": 16,
        },
        recipe={
            "optimizer": {"name": "adam", "learning_rate": 3e-3},
            "schedule": {"name": "poly"},
            "augmentation": [{"name": "RandomFlip"}],
            "class_weights": "enet",
            "weight_decay": 0.0,
        },
    )
    test = Discs(8, first=2000)
    result = training.train(config, run, train_data=Discs(96, first=0), val_data=Discs(16, first=1000), verbose=2)
    model = keras.saving.load_model(result.best_path, compile=False)

    images = np.stack([example.image for example in test]).astype("float32") / 255
    masks = np.stack([example.mask for example in test])
    weights = model.scale_weights(images)
    for scale, weight in zip(model.scales, np.moveaxis(weights, -1, 0), strict=True):
        means = [f"{name} {weight[masks == label].mean():.3f}" for label, name in enumerate(test.class_names)]
        print(f"mean weight of scale {scale:<4g}: {', '.join(means)}")

    shown = int(np.argmax([len(np.unique(mask)) * np.count_nonzero(mask == 1) for mask in masks]))
    predicted = inference.Segmenter(model, size=config.size)(test[shown].image).classes
    figure, axes = plt.subplots(1, 2 + len(model.scales), figsize=(11, 2.5), layout="constrained")
    axes[0].imshow(viz.to_rgb(test[shown].image))
    axes[0].set_title("image", fontsize=10)
    axes[1].imshow(viz.colorize(predicted, test.palette))
    axes[1].set_title("prediction", fontsize=10)
    for axis, scale, weight in zip(axes[2:], model.scales, np.moveaxis(weights[shown], -1, 0), strict=True):
        drawn = axis.imshow(weight, vmin=0, vmax=1, cmap="magma")
        axis.set_title(f"weight of scale {scale:g}", fontsize=10)
    figure.colorbar(drawn, ax=axes[2:], shrink=0.8)
    for axis in axes:
        axis.axis("off")
    figure.savefig(options.picture, dpi=80)
    print(f"drawn to {options.picture}")


if __name__ == "__main__":
    main()
