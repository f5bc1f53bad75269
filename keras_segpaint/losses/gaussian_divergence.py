"""The divergence of codes of images from what codes are drawn from."""

from typing import Any

from keras import ops


def gaussian_divergence(mean: Any, log_variance: Any) -> Any:
    """Kullback-Leibler divergence of independent normal distributions from the standard one.

    The sum over batch and axes, not a mean, as in SPADE's code: it grows with the batch.

    Args:
        mean: `(batch, size)`.
        log_variance: The logarithms of the variances, of the same shape.

    Returns:
        A float32 scalar, to be weighted (by 0.05 in SPADE's code).

    References:
        - [Auto-Encoding Variational Bayes](https://arxiv.org/abs/1312.6114), appendix B.

    Example:
        >>> import numpy as np
        >>> float(gaussian_divergence(np.ones((2, 3)), np.zeros((2, 3))))
        3.0
    """
    mean, log_variance = (ops.cast(ops.convert_to_tensor(value), "float32") for value in (mean, log_variance))
    return -0.5 * ops.sum(1.0 + log_variance - ops.square(mean) - ops.exp(log_variance))
