"""The contract of an augmentation."""

import numpy as np

from keras_segpaint.data.configurable import Configurable

__all__ = ["Augmentation"]


class Augmentation(Configurable):
    """Changes an image and its mask together; the labels of the mask stay what they were.

    Called as `augmentation(image, mask, rng, ignore_class)`: a uint8 image `(height, width, channels)` with 1
    or 3 channels, an integer mask `(height, width)`, a `numpy.random.Generator` that all randomness is drawn
    from, and the label given to pixels that no pixel of the input covers. Returns the new image and mask; the
    inputs are not changed.
    """

    def __call__(
        self, image: np.ndarray, mask: np.ndarray, rng: np.random.Generator, ignore_class: int = 255
    ) -> tuple[np.ndarray, np.ndarray]:
        raise NotImplementedError


def with_channels(image: np.ndarray) -> np.ndarray:
    """Gives a one-channel image back the axis that OpenCV drops."""
    return image[..., None] if image.ndim == 2 else image
