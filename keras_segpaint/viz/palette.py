"""Colours of class maps."""

import numpy as np

# Distinct, readable on light and dark pages; after these, colours follow around the hue circle.
_FIRST = (
    (38, 38, 46),
    (230, 85, 70),
    (70, 130, 220),
    (245, 190, 65),
    (70, 175, 110),
    (160, 100, 200),
    (80, 190, 200),
    (235, 130, 180),
    (150, 110, 70),
    (170, 200, 80),
    (110, 120, 150),
    (250, 150, 60),
)


# What has no class: an ignored label, or one outside of the palette.
UNKNOWN = (128, 128, 128)


def default_palette(num_classes: int) -> np.ndarray:
    """Distinct colours for classes that have none of their own.

    Args:
        num_classes: Integer >= 1.

    Returns:
        `uint8` array `(num_classes, 3)`; the first colour is dark, for a background class.

    Raises:
        ValueError: If `num_classes` is below 1.

    Example:
        >>> default_palette(2).tolist()
        [[38, 38, 46], [230, 85, 70]]
    """
    if num_classes < 1:
        raise ValueError(f"`num_classes` must be an integer >= 1. Received: num_classes={num_classes}")
    colours = list(_FIRST[:num_classes])
    for index in range(len(colours), num_classes):
        # Steps of the golden angle spread the hues; the lightness alternates.
        hue = (index * 0.61803398875) % 1.0
        level = 0.55 + 0.35 * (index % 3) / 2
        wheel = np.clip(np.abs((hue * 6 + np.array([0, 4, 2])) % 6 - 3) - 1, 0, 1)
        red, green, blue = (int(round(255 * level * (0.25 + 0.75 * part))) for part in wheel)
        colours.append((red, green, blue))
    return np.array(colours, dtype="uint8")


def colorize(class_map: np.ndarray, palette: np.ndarray) -> np.ndarray:
    """Paints a class map with the colours of its classes.

    Args:
        class_map: Integers `(height, width)`; values outside of the palette, such as an ignored class, become grey.
        palette: `(num_classes, 3)` of 0 to 255.

    Returns:
        `uint8` RGB image `(height, width, 3)`.

    Raises:
        ValueError: If `class_map` is not two-dimensional or `palette` is not `(num_classes, 3)`.

    Example:
        >>> colorize(np.array([[0, 255]]), np.array([[1, 2, 3]])).tolist()
        [[[1, 2, 3], [128, 128, 128]]]
    """
    class_map, palette = np.asarray(class_map), np.asarray(palette)
    if class_map.ndim != 2:
        raise ValueError(f"`class_map` must be (height, width). Received: class_map.shape={class_map.shape}")
    if palette.ndim != 2 or palette.shape[1] != 3:
        raise ValueError(f"`palette` must be (num_classes, 3). Received: palette.shape={palette.shape}")
    known = (class_map >= 0) & (class_map < len(palette))
    table = np.concatenate([palette.astype("uint8"), np.array([UNKNOWN], "uint8")])
    return table[np.where(known, class_map, len(palette))]
