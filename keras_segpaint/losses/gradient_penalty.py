"""The gradient penalty of Wasserstein critics."""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from keras_segpaint.ops.gradients import input_gradient


def gradient_penalty(
    critic: Callable[[Any], Any],
    real: Any,
    fake: Any,
    mask: Any = None,
    seed: int | keras.random.SeedGenerator | None = None,
) -> Any:
    """`mean((|gradient| - 1)^2)` of a critic's scores at random points between real and fake images.

    The penalty has gradients with respect to the critic's variables; the images count as constants.

    Args:
        critic: From images to scores, without a change of state: `lambda x: network(x, training=False)`.
        real: Real images, four axes.
        fake: Filled images of the same shape.
        mask: `(batch, height, width, 1)`, or channels second as the images have them; 1 is a hole. With it only the
            gradient inside of the holes counts, as in DeepFill v1.
        seed: Where the random points come from; inside of a compiled training step a `keras.random.SeedGenerator`.

    Returns:
        A float32 scalar, to be weighted (by 10 in the paper) and added to `wasserstein_critic_loss`.

    References:
        - [Improved Training of Wasserstein GANs](https://arxiv.org/abs/1704.00028)
        - [Generative Image Inpainting with Contextual Attention](https://arxiv.org/abs/1801.07892), section 3.2.

    Example:
        >>> import numpy as np
        >>> images = np.zeros((2, 4, 4, 1), "float32")
        >>> float(gradient_penalty(lambda x: ops.sum(x, axis=(1, 2, 3)), images, images))
        9.0
    """
    real, fake = (ops.cast(ops.convert_to_tensor(images), "float32") for images in (real, fake))
    share = keras.random.uniform((ops.shape(real)[0], 1, 1, 1), seed=seed)
    gradient = input_gradient(critic, real + share * (fake - real))
    if mask is not None:
        gradient = gradient * ops.cast(ops.convert_to_tensor(mask), gradient.dtype)
    squares = ops.sum(ops.square(ops.cast(gradient, "float32")), axis=(1, 2, 3))
    # The root has no derivative at 0.
    return ops.mean(ops.square(ops.sqrt(squares + 1e-12) - 1.0))
