"""The contract of an augmentation."""

from typing import Any, Self

import numpy as np

__all__ = ["Augmentation"]


class Augmentation:
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

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal augmentation."""
        raise NotImplementedError

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """The augmentation that `get_config` described."""
        return cls(**config)

    def __repr__(self) -> str:
        arguments = ", ".join(f"{key}={value!r}" for key, value in self.get_config().items())
        return f"{type(self).__name__}({arguments})"


def with_channels(image: np.ndarray) -> np.ndarray:
    """Gives a one-channel image back the axis that OpenCV drops."""
    return image[..., None] if image.ndim == 2 else image
