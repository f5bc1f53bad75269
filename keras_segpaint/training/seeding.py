"""Randomness that a resumed run can repeat."""

import random
from typing import Any

import keras
import numpy as np

__all__ = ["EpochSeed"]


class EpochSeed(keras.callbacks.Callback):
    """Seeds the global random generators at the start of every epoch, from the run's seed and the epoch's number.

    Dropout on the PyTorch backend draws from PyTorch's global generator, whatever seed the layer has. Seeded anew, an
    epoch sees the same numbers whether or not the epochs before it ran in the same process.

    TensorFlow's global generator is left alone: Keras draws nothing from it, and seeding it drops all that TensorFlow has
    prepared to run, which took five seconds of every epoch of a network compiled by XLA.

    Args:
        seed: The run's seed.
    """

    def __init__(self, seed: int):
        super().__init__()
        self.seed = seed

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        seed = int(np.random.SeedSequence((self.seed, epoch)).generate_state(1)[0])
        random.seed(seed)
        np.random.seed(seed)
        if keras.config.backend() == "torch":
            import torch

            torch.manual_seed(seed)
