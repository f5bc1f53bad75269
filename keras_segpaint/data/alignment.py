"""Measuring whether an augmentation moves an image and its mask alike."""

import numpy as np

__all__ = ["agreement", "probe_images"]

PROBE_SHAPE = (4, 96, 128)
PROBE_CLASSES = 6
CELLS = 40


def probe_images(rng: np.random.Generator, channels: int) -> tuple[np.ndarray, np.ndarray]:
    """Images of random blobs in which the colour of a pixel tells its label.

    The colours differ in brightness, so a change to grey keeps them apart, and none is near black or white,
    which layers like to fill with.

    Returns:
        float32 images `(4, 96, 128, channels)` in [0, 255] and float32 labels `(4, 96, 128)` from 0 to 5.
    """
    batch, height, width = PROBE_SHAPE
    rows, columns = np.mgrid[:height, :width]
    masks = np.zeros(PROBE_SHAPE, np.float32)
    for mask in masks:
        centres = rng.uniform((0, 0), (height, width), (CELLS, 2))
        distance = (rows[..., None] - centres[:, 0]) ** 2 + (columns[..., None] - centres[:, 1]) ** 2
        mask[:] = (np.arange(CELLS) % PROBE_CLASSES)[distance.argmin(axis=-1)]
    grey = np.linspace(50, 205, PROBE_CLASSES)
    hue = 2 * np.pi * np.arange(PROBE_CLASSES) / PROBE_CLASSES
    colours = grey[:, None] + 30 * np.stack([np.cos(hue + turn) for turn in (0, 2.1, 4.2)][:channels], axis=-1) * (
        channels == 3
    )
    return colours[masks.astype(int)].astype(np.float32), masks


def agreement(images: np.ndarray, masks: np.ndarray) -> list[float]:
    """For each image, the share of labels that lie where the pixels of their colour are.

    Every pixel is given the label with the nearest colour, the colour of a label being the median over the
    mask. Not counted: ignored pixels (negative labels), pixels beside a boundary, which interpolation blends,
    pixels unlike every colour (erased, or overlaid), and labels whose colours a recolouring made equal.

    Args:
        images: `(batch, height, width, channels)`.
        masks: Integer labels `(batch, height, width)`.
    """
    return [_agreement(image, mask) for image, mask in zip(images, masks, strict=True)]


def _agreement(image: np.ndarray, mask: np.ndarray) -> float:
    erased = (image < 2).all(axis=-1) | (image > 253).all(axis=-1)
    inner = _inner(mask) & (mask >= 0) & ~erased
    labels = np.unique(mask[inner])
    if len(labels) < 2:
        return 1.0
    colours = np.stack([np.median(image[inner & (mask == label)], axis=0) for label in labels])
    gaps = np.linalg.norm(colours[:, None] - colours[None], axis=-1)
    # Labels of one colour cannot be told apart: each counts as the first of them.
    merged = labels[(gaps < 0.02 * (np.ptp(image) + 1e-6)).argmax(axis=1)]
    if len(np.unique(merged)) < 2:
        return 1.0
    nearest_gap = gaps[merged[:, None] != merged[None]].min()
    distance = np.linalg.norm(image[inner][:, None] - colours[None], axis=-1)
    recognised = distance.min(axis=1) < nearest_gap / 2
    if not recognised.any():
        return 1.0
    expected = merged[np.searchsorted(labels, mask[inner])]
    return float((merged[distance.argmin(axis=1)] == expected)[recognised].mean())


def _inner(mask: np.ndarray) -> np.ndarray:
    """Pixels whose eight neighbours have the same label."""
    padded = np.pad(mask, 1, mode="edge")
    height, width = mask.shape
    windows = [padded[y : y + height, x : x + width] for y in range(3) for x in range(3)]
    return np.all([window == mask for window in windows], axis=0)
