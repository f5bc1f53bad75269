"""Frechet distance between the features of two sets of images."""

from typing import Any

import keras
import numpy as np
from keras import ops


class FrechetDistance:
    """Distance between two Gaussians fitted to the features of real and of filled images.

    The number depends on the network whose features are compared: say which with every result. It is the FID of the
    literature only with the Inception network and the preprocessing of that paper.

    Args:
        features: A network from images to one vector, or to a map that is averaged over the pixels; called as
            `features(images, training=False)` with images as they are given to `update`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default: of a map.

    Raises:
        ValueError: If the features are neither vectors nor maps; from `result`, if there are fewer than two images.

    References:
        - [GANs Trained by a Two Time-Scale Update Rule](https://arxiv.org/abs/1706.08500).

    Example:
        >>> image = keras.Input((4, 4, 3))
        >>> distance = FrechetDistance(keras.Model(image, keras.layers.Rescaling(1.0)(image)))
        >>> images = np.random.default_rng(0).random((8, 4, 4, 3))
        >>> distance.update(images, images)
        >>> round(distance.result(), 4) == 0
        True
    """

    def __init__(self, features: keras.Model, data_format: str | None = None):
        self.features = features
        self.data_format = data_format or keras.config.image_data_format()
        self._real = _Moments()
        self._filled = _Moments()

    def update(self, real: Any, filled: Any) -> None:
        """Adds a batch of real and a batch of filled images; they need not correspond."""
        self._real.add(self._vectors(real))
        self._filled.add(self._vectors(filled))

    def result(self) -> float:
        """The squared distance, `|m1 - m2|^2 + trace(C1 + C2 - 2 (C1 C2)^(1/2))`."""
        return frechet_distance(*self._real.result(), *self._filled.result())

    def _vectors(self, images: Any) -> np.ndarray:
        outputs = ops.convert_to_numpy(self.features(images, training=False)).astype(np.float64)
        if outputs.ndim == 4:
            outputs = outputs.mean(axis=(1, 2) if self.data_format == "channels_last" else (2, 3))
        if outputs.ndim != 2:
            raise ValueError(
                "`features` must give vectors (batch, channels) or maps (batch, height, width, channels). "
                f"Received: outputs of shape {outputs.shape}"
            )
        return outputs


def frechet_distance(
    mean_a: np.ndarray, covariance_a: np.ndarray, mean_b: np.ndarray, covariance_b: np.ndarray
) -> float:
    """The squared Frechet distance of two Gaussians.

    Args:
        mean_a: `(channels,)`.
        covariance_a: `(channels, channels)`.
        mean_b: `(channels,)`.
        covariance_b: `(channels, channels)`.

    References:
        - Dowson and Landau 1982, The Frechet distance between multivariate normal distributions.

    Example:
        >>> frechet_distance(np.zeros(2), np.eye(2), np.array([3.0, 4.0]), np.eye(2))
        25.0
    """
    # The trace of (C1 C2)^(1/2) is that of the symmetric (S C2 S)^(1/2) with S = C1^(1/2), which has real eigenvalues.
    values, vectors = np.linalg.eigh(covariance_a)
    root = (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T
    mixed = np.linalg.eigvalsh(root @ covariance_b @ root)
    trace = np.trace(covariance_a) + np.trace(covariance_b) - 2 * np.sqrt(np.clip(mixed, 0, None)).sum()
    return float(np.sum((mean_a - mean_b) ** 2) + trace)


class _Moments:
    """Mean and covariance of vectors that come in batches."""

    def __init__(self) -> None:
        self.count = 0
        self.mean: Any = 0.0
        self.scatter: Any = 0.0

    def add(self, vectors: np.ndarray) -> None:
        count = len(vectors)
        if count == 0:
            return
        mean = vectors.mean(axis=0)
        centred = vectors - mean
        delta = mean - self.mean
        total = self.count + count
        self.scatter = self.scatter + centred.T @ centred + np.outer(delta, delta) * (self.count * count / total)
        self.mean = self.mean + delta * (count / total)
        self.count = total

    def result(self) -> tuple[np.ndarray, np.ndarray]:
        if self.count < 2:
            raise ValueError(f"A Frechet distance needs at least two images of each set. Received: {self.count}")
        return self.mean, self.scatter / (self.count - 1)
