"""Look at what a network attends to: which positions one pixel of a DANet takes from (arXiv:1809.02983).

    python examples/attention_map.py

Trains a small DANet on slices of the brain template that nilearn ships, in a minute or two, asks its position attention
what a pixel in the middle of a test slice attends to, and draws image, position and weights to
`examples/attention_map.png`. Prints how much of the weight falls on each class, beside the class's share of the image.
"""

import argparse
import shutil
from pathlib import Path

import keras
import numpy as np

from keras_segpaint import data, training, viz

SIZE = (192, 160)


def main() -> None:
    """Trains, asks and draws."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--position", type=int, nargs=2, metavar=("ROW", "COLUMN"), default=(60, 50))
    parser.add_argument("--picture", type=Path, default=Path(__file__).with_suffix(".png"))
    options = parser.parse_args()

    run = Path("runs/attention_map")
    shutil.rmtree(run, ignore_errors=True)
    config = training.TrainConfig(
        "DANet",
        "brain",
        size=SIZE,
        epochs=options.epochs,
        batch_size=4,
        model_args={"backbone": "resnet18", "base_filters": 16},
        recipe={
            "optimizer": {"name": "adam", "learning_rate": 3e-3},
            "schedule": {"name": "poly"},
            "augmentation": [{"name": "RandomFlip"}],
            "class_weights": None,
            "weight_decay": 0.0,
        },
    )
    result = training.train(config, run, verbose=2)
    model = keras.saving.load_model(result.best_path, compile=False)

    test = data.BrainTemplate("test")
    example = test[len(test) // 2]
    attention = viz.attention_map(model, example.image, "position_attention", options.position)

    rows, columns = attention.values.shape
    # Each cell of the layer's grid over the pixels that it stands for.
    weights = np.kron(attention.values, np.ones((SIZE[0] // rows, SIZE[1] // columns)))
    weights /= weights.sum()
    print(f"a pixel of class {test.class_names[example.mask[tuple(options.position)]]} attends to")
    for label, name in enumerate(test.class_names):
        inside = example.mask == label
        print(f"  {name:<14} {weights[inside].sum():.1%} of the weight on {inside.mean():.1%} of the image")
    viz.plot_attention(attention).savefig(options.picture, dpi=80)
    print(f"drawn to {options.picture}")


if __name__ == "__main__":
    main()
