"""U-Net's weight map, which makes the gaps between touching cells count more."""

import numpy as np

__all__ = ["border_weight_map"]


def border_weight_map(
    instances: np.ndarray, w0: float = 10.0, sigma: float = 5.0, class_weights: np.ndarray | None = None
) -> np.ndarray:
    """Per-pixel loss weights `w_c + w0 * exp(-(d1 + d2)^2 / (2 sigma^2))`.

    `d1` and `d2` are the distances, in pixels, to the nearest and the second nearest cell. The second term is
    added on the background only; inside a cell the weight is `w_c`. With fewer than two cells there is no
    second term.

    Args:
        instances: Instance labels `(height, width)`, integers; 0 is background.
        w0: The weight of a one-pixel gap. Defaults to `10`.
        sigma: How wide the effect is, in pixels. Defaults to `5`.
        class_weights: `w_c` of background and cell, shape `(2,)`. Defaults to 1 for both.

    Returns:
        float32 `(height, width)`; the `sample_weight` of `fit` or of a loss.

    Raises:
        ValueError: If `instances` is no integer map, or `w0` or `sigma` is out of range.

    References:
        - [U-Net](https://arxiv.org/abs/1505.04597), equation 2

    Example:
        >>> weights = border_weight_map(np.array([[1, 1, 0, 2, 2]]))
        >>> print(weights.round(2))
        [[ 1.    1.   10.23  1.    1.  ]]
    """
    from scipy import ndimage

    if instances.ndim != 2 or not np.issubdtype(instances.dtype, np.integer):
        raise ValueError(
            "`instances` must be an integer array (height, width). "
            f"Received: an array of shape {instances.shape} and type {instances.dtype}"
        )
    if w0 < 0 or sigma <= 0:
        raise ValueError(f"`w0` must be >= 0 and `sigma` > 0. Received: w0={w0}, sigma={sigma}")
    by_class = np.ones(2) if class_weights is None else np.asarray(class_weights, float)
    weights = by_class[(instances > 0).astype(int)]
    cells = [label for label in np.unique(instances) if label != 0]
    if len(cells) < 2:
        return weights.astype(np.float32)
    nearest = np.full(instances.shape, np.inf)
    second = nearest.copy()
    for label in cells:
        distance = ndimage.distance_transform_edt(instances != label)
        second = np.minimum(second, np.maximum(nearest, distance))
        nearest = np.minimum(nearest, distance)
    gap = w0 * np.exp(-((nearest + second) ** 2) / (2 * sigma**2))
    return np.where(instances == 0, weights + gap, weights).astype(np.float32)
