"""Ending a run whose loss is no longer a number."""

import math
from typing import Any

import keras

__all__ = ["StopOnNonFiniteLoss"]


class StopOnNonFiniteLoss(keras.callbacks.Callback):
    """Ends the epoch in which the loss stops being finite, and the run with it.

    What `keras.callbacks.TerminateOnNaN` does, which hands PyTorch tensors to NumPy in a way that NumPy 2 warns about.
    """

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:
        if logs and not math.isfinite(float(logs.get("loss", 0.0))):
            self.model.stop_training = True
