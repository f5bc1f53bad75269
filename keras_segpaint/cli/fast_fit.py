"""Making a short training run shorter."""

from typing import Any

import keras

__all__ = ["FastFit"]


class FastFit(keras.callbacks.Callback):
    """Has XLA compile the training step, and switches dropout off.

    On a machine without a GPU Keras leaves XLA off. For a network of many small layers, such as ENet, compiling takes
    some seconds longer and each step then takes about half the time. Dropout guards against overfitting, which a
    thousand steps do not come to; with it they do not come as far.
    """

    def set_model(self, model: Any) -> None:
        super().set_model(model)
        # Callbacks are given their model before `fit` makes its functions. Few validation images are not worth compiling for.
        model.jit_compile = False
        model.make_test_function()
        model.jit_compile = True
        for layer in model.layers:
            if isinstance(layer, keras.layers.SpatialDropout2D):
                layer.rate = 0.0
