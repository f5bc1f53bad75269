"""Look at how a network of yours fills holes, beside three classical methods.

    python examples/compare_fills.py runs/fill/checkpoints/best.keras photo.jpg other.jpg

Cuts each photograph to the largest window of `--size`, draws brush strokes over a fifth to a third of it, fills them by the
network, by Telea's, the Navier-Stokes and the biharmonic method, and draws all of them side by side to
`examples/compare_fills.png`, with the mean absolute error in the holes.
"""

import argparse
from pathlib import Path

import keras
import matplotlib
import numpy as np

from keras_segpaint import data, inference

matplotlib.use("Agg")
import matplotlib.pyplot as plt

METHODS = {"telea": "Telea", "ns": "Navier-Stokes", "biharmonic": "biharmonic"}


def main() -> None:
    """Fills and draws."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, help="a .keras file that training wrote")
    parser.add_argument("photographs", nargs="+", type=Path)
    parser.add_argument("--size", type=int, nargs=2, default=(128, 128), metavar=("HEIGHT", "WIDTH"))
    parser.add_argument(
        "--share", type=float, nargs=2, default=(0.2, 0.3), help="lowest and highest share of the holes"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--picture", type=Path, default=Path(__file__).with_suffix(".png"))
    options = parser.parse_args()

    model = keras.saving.load_model(options.model, compile=False)
    fillers = {model.name: inference.Inpainter(model, flips="both")}
    fillers.update({title: inference.Inpainter(method) for method, title in METHODS.items()})
    draw_holes = data.HoleRatioMask(data.FreeFormMask(), [tuple(options.share)])
    columns = 2 + len(fillers)
    height, width = options.size
    figure, grid = plt.subplots(
        len(options.photographs),
        columns,
        figsize=(1.8 * columns * width / height, 2.0 * len(options.photographs)),
        layout="constrained",
        squeeze=False,
    )
    for row, path in zip(grid, options.photographs, strict=True):
        photographs = data.load_photographs(str(path))
        windows = data.InpaintingDataset(
            photographs, draw_holes, batch_size=1, size=options.size, fixed=True, seed=options.seed, workers=0
        )
        _, images, masks = windows[0]
        photograph, hole = (images[0] + 1) / 2, masks[0]
        shown = {"photograph": photograph, "holes": np.where(hole > 0, 1.0, photograph)}
        for title, fill in fillers.items():
            filled = fill(photograph, hole[..., 0])
            error = np.abs(filled - photograph)[hole[..., 0] > 0].mean()
            shown[f"{title}\nhole L1 {100 * error:.1f} %"] = filled
        for axis, (title, picture) in zip(row, shown.items(), strict=True):
            axis.imshow(picture.clip(0, 1))
            axis.set_title(title, fontsize=8)
            axis.axis("off")
    figure.savefig(options.picture, dpi=110)
    print(f"drawn to {options.picture}")


if __name__ == "__main__":
    main()
