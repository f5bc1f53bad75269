"""The learning rate of image-to-image networks."""

from typing import Any

import keras
from keras import ops

__all__ = ["LinearDecay"]


@keras.saving.register_keras_serializable(package="keras_segpaint")
class LinearDecay(keras.optimizers.schedules.LearningRateSchedule):
    """A rate that stays for some steps and then falls evenly to 0.

    Args:
        initial_learning_rate: Float, at the start.
        constant_steps: Integer >= 0, how long it stays.
        decay_steps: Integer >= 1, how long it falls.

    Example:
        >>> schedule = LinearDecay(1e-3, constant_steps=10, decay_steps=10)
        >>> [round(float(schedule(step)), 6) for step in (0, 10, 15, 20, 25)]
        [0.001, 0.001, 0.0005, 0.0, 0.0]
    """

    def __init__(self, initial_learning_rate: float, constant_steps: int, decay_steps: int):
        super().__init__()
        self.initial_learning_rate = initial_learning_rate
        self.constant_steps = constant_steps
        self.decay_steps = decay_steps

    def __call__(self, step: Any) -> Any:
        fallen = (ops.cast(step, "float32") - self.constant_steps) / self.decay_steps
        return self.initial_learning_rate * (1.0 - ops.clip(fallen, 0.0, 1.0))

    def get_config(self) -> dict[str, Any]:
        return {
            "initial_learning_rate": self.initial_learning_rate,
            "constant_steps": self.constant_steps,
            "decay_steps": self.decay_steps,
        }
