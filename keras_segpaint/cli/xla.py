"""Compiling a training step with XLA where `fit` would not."""

from typing import Any

import keras

__all__ = ["CompileWithXLA"]


class CompileWithXLA(keras.callbacks.Callback):
    """Has TensorFlow compile the training step of the model that is being fitted.

    On a machine without a GPU Keras leaves XLA off by default. For a network of many small layers, such as ENet,
    compiling takes some seconds longer and each step then takes about half the time.
    """

    def set_model(self, model: Any) -> None:
        super().set_model(model)
        # Callbacks are given their model before `fit` makes the step.
        model.jit_compile = True
