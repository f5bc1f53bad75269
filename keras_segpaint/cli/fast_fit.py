"""Making a short training run shorter."""

from typing import Any

import keras
import numpy as np

__all__ = ["FastFit"]


class FastFit(keras.callbacks.Callback):
    """Has XLA compile the training step, switches dropout off, and measures moving statistics before it validates.

    On a machine without a GPU Keras leaves XLA off. For a network of many small layers, such as ENet, compiling takes
    some seconds longer and each step then takes about half the time. Dropout guards against overfitting, which a
    thousand steps do not come to; with it they do not come as far. The moving statistics of batch normalisation that
    training leaves are those of a few batches, and of weights that were still changing: before each validation they are
    taken anew, as the mean over many batches ("precise" batch normalisation, https://arxiv.org/abs/2105.07576,
    section 3).

    Args:
        batches: float32 `(batches, batch, height, width, channels)`, images in [0, 1] of the kind that is trained on.
    """

    def __init__(self, batches: np.ndarray):
        super().__init__()
        self.batches = batches
        self._forward: Any = None

    def set_model(self, model: Any) -> None:
        super().set_model(model)
        # Callbacks are given their model before `fit` makes its functions. A few validation images are not worth
        # compiling for.
        model.jit_compile = False
        model.make_test_function()
        model.jit_compile = True
        for layer in model.layers:
            if isinstance(layer, keras.layers.SpatialDropout2D):
                layer.rate = 0.0
        self.normalizations = [layer for layer in model.layers if isinstance(layer, keras.layers.BatchNormalization)]

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        import tensorflow as tf

        if self._forward is None:
            self._forward = tf.function(lambda images: self.model(images, training=True))
        variables = [v for layer in self.normalizations for v in (layer.moving_mean, layer.moving_variance)]
        momenta = [layer.momentum for layer in self.normalizations for _ in range(2)]
        totals = [np.zeros(variable.shape, np.float64) for variable in variables]
        for batch in self.batches:
            before = [np.asarray(variable, np.float64) for variable in variables]
            self._forward(batch)
            # A pass moves the statistics by a known share towards those of the batch, which follow from that.
            for total, old, variable, momentum in zip(totals, before, variables, momenta, strict=True):
                total += (np.asarray(variable, np.float64) - momentum * old) / (1.0 - momentum)
        for total, variable in zip(totals, variables, strict=True):
            variable.assign((total / len(self.batches)).astype("float32"))
