"""Batch normalisation that uses the backend's fused kernel."""

from typing import Any

import keras
from keras import layers, ops

from keras_segpaint.ops.normalization import fused_batch_norm


@keras.saving.register_keras_serializable(package="keras_segpaint")
class BatchNormalization(layers.BatchNormalization):
    """`keras.layers.BatchNormalization`, several times as fast on feature maps.

    Keras composes batch normalisation of small operations. Where the backend has one kernel for all of it (TensorFlow
    with channels last, PyTorch in training) this layer calls that, with the same results and the same weights;
    otherwise it does what Keras does.

    Args:
        **kwargs: Those of `keras.layers.BatchNormalization`.

    Input shape:
        `(batch, height, width, channels)`, or any other that Keras's layer takes.

    Output shape:
        Same as the input.

    References:
        - [Batch Normalization](https://arxiv.org/abs/1502.03167)

    Example:
        >>> x = keras.random.normal((2, 8, 8, 3))
        >>> y = keras.ops.convert_to_numpy(BatchNormalization(axis=-1)(x, training=True))
        >>> bool(abs(y.mean()) < 1e-3)
        True
    """

    # A phase of training, not a part of the network: not saved. Set by `keras_segpaint.training.FreezeStatistics`.
    frozen_statistics = False

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        training = bool(training and not self.frozen_statistics)
        batch_statistics = training and self.trainable
        plain = mask is not None or self.renorm
        if plain or len(inputs.shape) != 4 or (batch_statistics and self.synchronized):
            return super().call(inputs, training=training, mask=mask)
        mean, variance = (ops.cast(variable, "float32") for variable in (self.moving_mean, self.moving_variance))
        gamma = ops.cast(self.gamma, "float32") if self.scale else ops.ones_like(mean)
        beta = ops.cast(self.beta, "float32") if self.center else ops.zeros_like(mean)
        result = fused_batch_norm(
            ops.cast(inputs, "float32"), gamma, beta, mean, variance, self.epsilon, self.axis, batch_statistics
        )
        if result is None:
            return super().call(inputs, training=training, mask=mask)
        outputs, batch_mean, batch_variance = result
        if batch_statistics:
            for moving, value in ((self.moving_mean, batch_mean), (self.moving_variance, batch_variance)):
                value = ops.stop_gradient(value)
                moving.assign(ops.cast(moving, "float32") * self.momentum + value * (1.0 - self.momentum))
        return ops.cast(outputs, self.compute_dtype)
