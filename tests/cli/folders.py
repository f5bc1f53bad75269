"""What the tests of the command line start from: a tiny folder of images and masks, and a way to type commands."""

from pathlib import Path

import cv2
import numpy as np
from typer.testing import CliRunner, Result

CLASSES = 3
SIDE = 32
TINY = ("--size", SIDE, "--epochs", 1, "--batch-size", 4, "--set", "model.base_filters=2")


def write_folder(root: Path, count: int, rng: np.random.Generator) -> Path:
    """Images whose brightness in each quarter gives the class, in `root/images`, with their masks in `root/masks`."""
    (root / "images").mkdir(parents=True)
    (root / "masks").mkdir()
    for index in range(count):
        mask = np.kron(rng.integers(0, CLASSES, (2, 2)), np.ones((SIDE // 2, SIDE // 2))).astype(np.uint8)
        mask[0, :CLASSES] = np.arange(CLASSES)
        image = np.repeat((mask * 90 + rng.integers(0, 20, mask.shape))[..., None], 3, axis=-1).astype(np.uint8)
        cv2.imwrite(str(root / "images" / f"{index:02d}.png"), image)
        cv2.imwrite(str(root / "masks" / f"{index:02d}.png"), mask)
    return root


def run_segpaint(*arguments: object) -> Result:
    """Runs a command in this process."""
    from keras_segpaint.cli import console
    from keras_segpaint.cli.main import app

    # A console made outside of the runner has read another width.
    console.output.width = console.errors.width = 200
    runner = CliRunner(env={"COLUMNS": "200", "TERM": "dumb", "NO_COLOR": "1"})
    return runner.invoke(app, [str(argument) for argument in arguments])
