"""Ending a run as the network will be used: with the statistics of batch normalisation that it is saved with."""

import gc
from typing import Any

import keras

from keras_segpaint import layers

__all__ = ["FreezeStatistics"]


class FreezeStatistics(keras.callbacks.Callback):
    """From an epoch on, batch normalisation takes the moving statistics in training too, and leaves them as they are.

    A network that learns from small batches of crops is fitted to the statistics of each batch; used afterwards with
    moving averages of them, on whole images, it can be off by much, and by another amount after each epoch. The last
    epochs with fixed statistics let the weights fit those. Scales and offsets go on learning.

    Acts on `keras_segpaint.layers.BatchNormalization`, which the models of this package are made of. The training function
    is made anew once, at the start of that epoch.

    Args:
        epoch: Integer >= 0, the first epoch with fixed statistics, counted from 0 as Keras does.

    Raises:
        ValueError: If `epoch` is negative, or the model has no batch normalisation of this package.

    References:
        - [Rethinking Atrous Convolution for Semantic Image Segmentation](https://arxiv.org/abs/1706.05587), section 4.1,
          trains a second time with fixed batch normalisation.

    Example:
        >>> import numpy as np
        >>> from keras_segpaint import layers
        >>> model = keras.Sequential([keras.Input((4, 4, 1)), layers.BatchNormalization()])
        >>> model.compile("sgd", "mse")
        >>> x = np.arange(32, dtype="float32").reshape(2, 4, 4, 1)
        >>> history = model.fit(x, x, epochs=3, callbacks=[FreezeStatistics(1)], verbose=0)
        >>> round(float(model.layers[0].moving_mean[0]), 3)  # of one epoch: 0.01 x 15.5
        0.155
    """

    def __init__(self, epoch: int):
        if epoch < 0:
            raise ValueError(f"`epoch` must be >= 0. Received: epoch={epoch}")
        super().__init__()
        self.epoch = epoch
        self._frozen: list[layers.BatchNormalization] = []

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        if not self._normalizations():
            raise ValueError(
                f"FreezeStatistics needs a model with `keras_segpaint.layers.BatchNormalization`; {self.model.name} has "
                "none. Train it without this callback."
            )

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if epoch >= self.epoch and not self._frozen:
            self._switch(self._normalizations())

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        self._switch([])

    def _normalizations(self) -> list[layers.BatchNormalization]:
        return [
            layer
            for layer in self.model._flatten_layers(include_self=False)
            if isinstance(layer, layers.BatchNormalization)
        ]

    def _switch(self, frozen: list[layers.BatchNormalization]) -> None:
        if frozen == self._frozen:
            return
        for layer in (*self._frozen, *frozen):
            layer.frozen_statistics = layer in frozen
        self._frozen = frozen
        self.model.make_train_function(force=True)
        # The former function is a large heap of objects that refer to each other. Let go now it takes half a second;
        # once TensorFlow has compiled the new one, 30 seconds.
        gc.collect()
