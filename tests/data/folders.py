"""Small data sets on disk for the tests."""

from pathlib import Path

import numpy as np
from PIL import Image

PALETTE = [0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255]


def write_dataset(
    root: Path, count: int = 6, size: tuple[int, int] = (24, 32), classes: int = 3, seed: int = 0, suffix: str = ".png"
) -> Path:
    """`count` images whose colour tells the label (20, 100, 180, ... in the first channel), and their
    masks."""
    rng = np.random.default_rng(seed)
    (root / "images").mkdir(parents=True)
    (root / "masks").mkdir()
    for index in range(count):
        coarse = rng.integers(0, classes, (4, 4), dtype=np.uint8)
        coarse.flat[0] = classes - 1
        mask = np.kron(coarse, np.ones((size[0] // 4, size[1] // 4), np.uint8))
        image = np.stack([20 + 80 * mask, np.full_like(mask, 10 * index), 255 - 80 * mask], axis=-1)
        Image.fromarray(image).save(root / "images" / f"{index:03d}{suffix}")
        Image.fromarray(mask).save(root / "masks" / f"{index:03d}.png")
    return root


def truncate(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
