"""Randomness that a resumed run can repeat."""

from typing import Any

import keras
import numpy as np

__all__ = ["EpochSeed"]


class EpochSeed(keras.callbacks.Callback):
    """Seeds the global random generators at the start of every epoch, from the run's seed and the epoch's number.

    Dropout on the PyTorch backend draws from PyTorch's global generator, whatever seed the layer has. Seeded anew, an
    epoch sees the same numbers whether or not the epochs before it ran in the same process.

    Args:
        seed: The run's seed.
    """

    def __init__(self, seed: int):
        super().__init__()
        self.seed = seed

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        keras.utils.set_random_seed(int(np.random.SeedSequence((self.seed, epoch)).generate_state(1)[0]))
