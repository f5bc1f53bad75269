"""Training curves for TensorBoard."""

import importlib.util
import os
from typing import Any

import keras

from keras_segpaint.extras import require

__all__ = ["TensorBoardScalars", "tensorboard_installed"]


def tensorboard_installed() -> bool:
    """Whether the package `tensorboard` can be imported."""
    return importlib.util.find_spec("tensorboard") is not None


class TensorBoardScalars(keras.callbacks.Callback):
    """Writes the logs of every epoch, and the learning rates, as TensorBoard scalars.

    `keras.callbacks.TensorBoard` needs TensorFlow on every backend; this one needs the package `tensorboard` alone.

    Args:
        folder: Where the event files go.

    Raises:
        ImportError: If `tensorboard` is not installed.
    """

    def __init__(self, folder: str | os.PathLike):
        super().__init__()
        self.folder = os.fspath(folder)
        self._summary = require("tensorboard.summary", "dev", "TensorBoardScalars")
        self._writer: Any = None

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._writer = self._summary.Writer(self.folder)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        for name, value in {**(logs or {}), **learning_rates(self.model.optimizer)}.items():
            self._writer.add_scalar(name, float(value), epoch + 1)
        self._writer.flush()

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        self._writer.close()


def learning_rates(optimizer: Any) -> dict[str, float]:
    """The learning rate, and that of the critic where there is one."""
    optimizer = getattr(optimizer, "inner_optimizer", optimizer)
    several = getattr(optimizer, "optimizers", [optimizer])
    names = ("learning_rate", "critic_learning_rate")
    return {
        name: float(keras.ops.convert_to_numpy(one.learning_rate)) for name, one in zip(names, several, strict=False)
    }
