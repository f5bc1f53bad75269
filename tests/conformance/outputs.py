"""Stored outputs: every backend must give what one of them gave when a class was added.

To add a missing one (never to overwrite): `STORE_OUTPUTS=1 KERAS_BACKEND=tensorflow pytest tests/conformance`.
"""

import os
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parent / "stored"


def stored_output(name: str, output: np.ndarray) -> np.ndarray:
    """The stored output of that name; with STORE_OUTPUTS set, stores `output` where there is none."""
    path = FOLDER / f"{name}.npy"
    if not path.exists() and os.environ.get("STORE_OUTPUTS"):
        FOLDER.mkdir(exist_ok=True)
        np.save(path, output.astype("float32"))
    if not path.exists():
        raise FileNotFoundError(f"{path.name} is missing: see {Path(__file__).name} for how to store it")
    return np.load(path)
