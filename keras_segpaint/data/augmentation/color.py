"""Colour changes of the image; the mask stays."""

from typing import Any

import numpy as np

from keras_segpaint.data.augmentation.base import Augmentation, with_channels

__all__ = ["ColorJitter"]

_GREY_WEIGHTS = (0.299, 0.587, 0.114)


class ColorJitter(Augmentation):
    """Changes brightness, contrast, saturation and hue of the image by random amounts.

    Brightness, contrast and saturation are multiplied by a factor from `[max(0, 1 - x), 1 + x]`; the hue is
    turned by up to `hue` of the colour circle. Saturation and hue do nothing to a one-channel image.

    Args:
        brightness: At least 0. Defaults to `0`.
        contrast: At least 0; about the mean grey of the image. Defaults to `0`.
        saturation: At least 0. Defaults to `0`.
        hue: In [0, 0.5]. Defaults to `0`.

    Raises:
        ValueError: If an argument is out of range.

    Example:
        >>> image, mask = np.full((4, 6, 3), 100, np.uint8), np.zeros((4, 6), np.uint8)
        >>> image, mask = ColorJitter(brightness=0.5)(image, mask, np.random.default_rng(0))
        >>> image.shape, bool(50 <= image.min() <= image.max() <= 150)
        ((4, 6, 3), True)
    """

    def __init__(self, brightness: float = 0.0, contrast: float = 0.0, saturation: float = 0.0, hue: float = 0.0):
        for name, value in (("brightness", brightness), ("contrast", contrast), ("saturation", saturation)):
            if value < 0:
                raise ValueError(f"`{name}` must be >= 0. Received: {name}={value}")
        if not 0 <= hue <= 0.5:
            raise ValueError(f"`hue` must be in [0, 0.5]. Received: hue={hue}")
        self.brightness = float(brightness)
        self.contrast = float(contrast)
        self.saturation = float(saturation)
        self.hue = float(hue)

    def __call__(
        self, image: np.ndarray, mask: np.ndarray, rng: np.random.Generator, ignore_class: int = 255
    ) -> tuple[np.ndarray, np.ndarray]:
        import cv2

        brightness, contrast, saturation = (
            rng.uniform(max(0.0, 1.0 - limit), 1.0 + limit)
            for limit in (self.brightness, self.contrast, self.saturation)
        )
        turn = rng.uniform(-self.hue, self.hue)
        if brightness != 1.0 or contrast != 1.0:
            means = cv2.mean(image)[: image.shape[2]]
            grey = np.dot(means, _GREY_WEIGHTS) if image.shape[2] == 3 else means[0]
            levels = np.arange(256) * brightness
            table = (levels - grey * brightness) * contrast + grey * brightness
            image = with_channels(cv2.LUT(image, np.clip(np.rint(table), 0, 255).astype(np.uint8)))
        if image.shape[2] == 3 and saturation != 1.0:
            grey_image = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
            image = cv2.addWeighted(image, saturation, grey_image, 1.0 - saturation, 0.0)
        if image.shape[2] == 3 and turn != 0.0:
            hsv = cv2.cvtColor(image, cv2.COLOR_RGB2HSV_FULL)
            # In this format the hue takes the whole byte, so adding wraps around the circle.
            hsv[..., 0] += np.uint8(round(turn * 256) % 256)
            image = cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB_FULL)
        return image, mask

    def get_config(self) -> dict[str, Any]:
        return {
            "brightness": self.brightness,
            "contrast": self.contrast,
            "saturation": self.saturation,
            "hue": self.hue,
        }
