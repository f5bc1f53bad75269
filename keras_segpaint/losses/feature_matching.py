"""Feature matching: made images look to the critic as real ones do."""

from collections.abc import Sequence
from typing import Any

from keras import ops


def feature_matching_loss(real: Sequence[Sequence[Any]], fake: Sequence[Sequence[Any]]) -> Any:
    """Mean absolute differences of what critics' layers give, summed over layers and averaged over critics.

    Each critic's last map holds its scores, which other losses judge: it does not count. The real images' maps are
    constants.

    Args:
        real: For each critic the outputs of its layers for real images, the scores last.
        fake: The same for made images.

    Returns:
        A float32 scalar, to be weighted (by 10 in the papers).

    Raises:
        ValueError: If the numbers of critics or layers differ, or a critic has nothing but scores.

    References:
        - [High-Resolution Image Synthesis and Semantic Manipulation with Conditional GANs](https://arxiv.org/abs/1711.11585),
          section 3.2.
        - [Semantic Image Synthesis with Spatially-Adaptive Normalization](https://arxiv.org/abs/1903.07291)

    Example:
        >>> import numpy as np
        >>> real, fake = np.zeros((1, 4, 4, 2)), np.ones((1, 4, 4, 2))
        >>> float(feature_matching_loss([[real, 2 * real, real]], [[fake, 2 * fake, fake]]))
        3.0
    """
    counts = [len(maps) for maps in real], [len(maps) for maps in fake]
    if counts[0] != counts[1] or not counts[0] or min(counts[0]) < 2:
        raise ValueError(
            "`real` and `fake` must hold as many maps for each critic, at least one in front of the scores. "
            f"Received: {counts[0]} maps of real and {counts[1]} of made images"
        )
    total = ops.zeros(())
    for of_real, of_fake in zip(real, fake, strict=True):
        for truth, made in zip(of_real[:-1], of_fake[:-1], strict=True):
            difference = ops.cast(made, "float32") - ops.stop_gradient(ops.cast(truth, "float32"))
            total = total + ops.mean(ops.abs(difference))
    return total / len(counts[0])
