"""Losses of the scores that a critic gives: hinge, least squares and Wasserstein."""

from collections.abc import Callable
from typing import Any

from keras import ops


def hinge_critic_loss(real: Any, fake: Any, weight: float = 0.5) -> Any:
    """`weight * (mean(relu(1 - real)) + mean(relu(1 + fake)))`, as DeepFill v2 and, with a weight of 1, SPADE train.

    Args:
        real: Scores of real images, of any shape; or a list of them, one for each of several critics or scales, whose
            losses are averaged.
        fake: Scores of made images in the same form.
        weight: Of each half. Defaults to `0.5`.

    Returns:
        A float32 scalar.

    References:
        - [Geometric GAN](https://arxiv.org/abs/1705.02894)
        - [Free-Form Image Inpainting with Gated Convolution](https://arxiv.org/abs/1806.03589), section 3.3; the halves
          are the authors' code's.
        - [Semantic Image Synthesis with Spatially-Adaptive Normalization](https://arxiv.org/abs/1903.07291), whose code adds
          the two terms up.

    Example:
        >>> import numpy as np
        >>> float(hinge_critic_loss(np.array([2.0, 0.0]), np.array([-0.5])))
        0.5
        >>> float(hinge_critic_loss([np.array([2.0]), np.array([0.0])], [np.array([-0.5]), np.array([-1.0])], weight=1.0))
        0.75
    """
    return weight * (
        _mean(real, lambda scores: ops.relu(1.0 - scores)) + _mean(fake, lambda scores: ops.relu(1.0 + scores))
    )


def least_squares_critic_loss(real: Any, fake: Any, weight: float = 1.0) -> Any:
    """`weight * (mean((real - 1)^2) + mean(fake^2))`, as pix2pixHD trains its critics, with a weight of 0.5.

    Arguments and result are those of `hinge_critic_loss`; `weight` defaults to `1.0`.

    References:
        - [Least Squares Generative Adversarial Networks](https://arxiv.org/abs/1611.04076)

    Example:
        >>> import numpy as np
        >>> float(least_squares_critic_loss(np.array([2.0, 0.0]), np.array([-0.5])))
        1.25
    """
    return weight * (_mean(real, lambda scores: ops.square(scores - 1.0)) + _mean(fake, ops.square))


def least_squares_generator_loss(fake: Any) -> Any:
    """`mean((fake - 1)^2)`: the generator's side of the least-squares loss.

    Args:
        fake: As in `hinge_critic_loss`.

    Returns:
        A float32 scalar.

    Example:
        >>> import numpy as np
        >>> float(least_squares_generator_loss([np.array([0.0]), np.array([3.0])]))
        2.5
    """
    return _mean(fake, lambda scores: ops.square(scores - 1.0))


def wasserstein_critic_loss(real: Any, fake: Any) -> Any:
    """`mean(fake) - mean(real)`, to be used with `gradient_penalty`.

    Arguments and result are those of `hinge_critic_loss`.

    References:
        - [Wasserstein GAN](https://arxiv.org/abs/1701.07875)
        - [Improved Training of Wasserstein GANs](https://arxiv.org/abs/1704.00028)

    Example:
        >>> import numpy as np
        >>> float(wasserstein_critic_loss(np.array([2.0, 0.0]), np.array([-0.5])))
        -1.5
    """
    return _mean(fake) - _mean(real)


def generator_loss(fake: Any) -> Any:
    """`-mean(fake)`: the generator's side of both the hinge and the Wasserstein loss.

    Args:
        fake: Scores of made images, of any shape; or a list of them, whose losses are averaged.

    Returns:
        A float32 scalar.

    Example:
        >>> import numpy as np
        >>> float(generator_loss(np.array([0.5, 1.5])))
        -1.0
    """
    return -_mean(fake)


def _mean(scores: Any, function: Callable[[Any], Any] = lambda scores: scores) -> Any:
    """The mean of a function of scores; of several maps of scores the mean of their means, whatever their sizes."""
    maps = scores if isinstance(scores, list | tuple) else [scores]
    means = [ops.mean(function(ops.cast(ops.convert_to_tensor(one), "float32"))) for one in maps]
    return sum(means[1:], start=means[0]) / len(means)
