"""Batch normalisation by the backend's own kernel, where it has one."""

from typing import Any

import keras
from keras import ops


def fused_batch_norm(
    x: Any, gamma: Any, beta: Any, moving_mean: Any, moving_variance: Any, epsilon: float, axis: int, training: bool
) -> tuple[Any, Any, Any] | None:
    """Normalises a 4-D float32 map over its channels in one pass of the backend's kernel.

    Args:
        x: float32 feature maps.
        gamma: Scale, one number per channel.
        beta: Offset.
        moving_mean: Mean that inference uses.
        moving_variance: Variance that inference uses.
        epsilon: Added to the variance.
        axis: Of the channels.
        training: Whether the statistics are those of the batch.

    Returns:
        The normalised maps, the mean and the (biased) variance they were normalised by. `None` where the backend has no
        kernel for it: it is composed of other operations then.
    """
    backend = keras.backend.backend()
    last = axis in (-1, len(x.shape) - 1)
    if backend == "tensorflow" and last:
        return _tensorflow(x, gamma, beta, moving_mean, moving_variance, epsilon, training)
    if backend == "torch" and training:
        return _torch(x, gamma, beta, epsilon, last)
    return None


def _tensorflow(
    x: Any, gamma: Any, beta: Any, moving_mean: Any, moving_variance: Any, epsilon: float, training: bool
) -> tuple[Any, Any, Any]:
    import tensorflow as tf

    kernel = tf.raw_ops.FusedBatchNormV3
    if not training:
        y = kernel(
            x=x,
            scale=gamma,
            offset=beta,
            mean=moving_mean,
            variance=moving_variance,
            epsilon=epsilon,
            is_training=False,
        ).y
        return y, moving_mean, moving_variance
    unused = tf.zeros([0], tf.float32)
    result = kernel(x=x, scale=gamma, offset=beta, mean=unused, variance=unused, epsilon=epsilon, is_training=True)
    # The kernel gives the unbiased estimate, Keras keeps the other.
    count = ops.cast(tf.size(x) // x.shape[-1], "float32")
    return result.y, result.batch_mean, result.batch_variance * (ops.maximum(count - 1.0, 1.0) / count)


def _torch(x: Any, gamma: Any, beta: Any, epsilon: float, last: bool) -> tuple[Any, Any, Any]:
    import torch

    if last:
        x = x.permute(0, 3, 1, 2)
    y, mean, inverse = torch.native_batch_norm(x, gamma, beta, None, None, True, 0.0, epsilon)
    with torch.no_grad():
        variance = inverse**-2 - epsilon
    return (y.permute(0, 2, 3, 1) if last else y), mean, variance
