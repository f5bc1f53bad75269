"""Losses of the scores that a critic gives: hinge and Wasserstein."""

from typing import Any

from keras import ops


def hinge_critic_loss(real: Any, fake: Any) -> Any:
    """`mean(relu(1 - real)) / 2 + mean(relu(1 + fake)) / 2`, as DeepFill v2 trains its critic.

    Args:
        real: Scores of real images, of any shape.
        fake: Scores of filled images, of any shape.

    Returns:
        A float32 scalar.

    References:
        - [Geometric GAN](https://arxiv.org/abs/1705.02894)
        - [Free-Form Image Inpainting with Gated Convolution](https://arxiv.org/abs/1806.03589), section 3.3; the halves
          are the authors' code's.

    Example:
        >>> import numpy as np
        >>> float(hinge_critic_loss(np.array([2.0, 0.0]), np.array([-0.5])))
        0.5
    """
    return 0.5 * ops.mean(ops.relu(1.0 - _float(real))) + 0.5 * ops.mean(ops.relu(1.0 + _float(fake)))


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
    return ops.mean(_float(fake)) - ops.mean(_float(real))


def generator_loss(fake: Any) -> Any:
    """`-mean(fake)`: the generator's side of both the hinge and the Wasserstein loss.

    Args:
        fake: Scores of filled images, of any shape.

    Returns:
        A float32 scalar.

    Example:
        >>> import numpy as np
        >>> float(generator_loss(np.array([0.5, 1.5])))
        -1.0
    """
    return -ops.mean(_float(fake))


def _float(scores: Any) -> Any:
    return ops.cast(ops.convert_to_tensor(scores), "float32")
