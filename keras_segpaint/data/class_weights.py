"""Class weights from how often the classes occur."""

import numpy as np

from keras_segpaint.data.counts import ClassCounts

__all__ = ["enet", "linknet", "median_frequency"]


def median_frequency(counts: ClassCounts, per_image: bool = True, count_ignored: bool = False) -> np.ndarray:
    """Median-frequency balancing: `median(frequency) / frequency(class)`.

    Args:
        counts: What `SegmentationDataset.class_counts` returns.
        per_image: The frequency of a class is its share of the pixels of those images in which it occurs
            (`True`, the formula of the SegNet paper), or of all images (`False`). Defaults to `True`.
        count_ignored: Whether ignored pixels belong to the pixels of an image. Defaults to `False`.

    Returns:
        float64 `(num_classes,)`; a class that never occurs has weight 0.

    References:
        - [Predicting depth, surface normals and semantic labels](https://arxiv.org/abs/1411.4734), section
        6.3.2
        - [SegNet](https://arxiv.org/abs/1511.00561), section 4

    Example:
        >>> counts = ClassCounts.of_masks([np.array([[0, 0], [0, 1]])], num_classes=2, ignore_class=255)
        >>> median_frequency(counts).round(3).tolist()
        [0.667, 2.0]
    """
    if per_image:
        totals = counts.all_pixels_of_images if count_ignored else counts.labelled_pixels_of_images
    else:
        totals = np.full(counts.pixels.shape, counts.pixels.sum() + (counts.ignored if count_ignored else 0))
    present = counts.pixels > 0
    frequency = counts.pixels / np.maximum(totals, 1)
    weights = np.zeros(len(frequency))
    if present.any():
        weights[present] = np.median(frequency[present]) / frequency[present]
    return weights


def enet(counts: ClassCounts, offset: float = 1.02, count_ignored: bool = False) -> np.ndarray:
    """ENet's weights `1 / ln(offset + p)`, where `p` is the share of a class among all pixels.

    Args:
        counts: What `SegmentationDataset.class_counts` returns.
        offset: Number above 1 that bounds the weights; the paper's is 1.02, the original code trains the
            encoder with 1.2. Defaults to `1.02`.
        count_ignored: Whether ignored pixels count in the total. Defaults to `False`.

    Returns:
        float64 `(num_classes,)`.

    Raises:
        ValueError: If `offset` is not above 1.

    References:
        - [ENet](https://arxiv.org/abs/1606.02147), section 5.1

    Example:
        >>> counts = ClassCounts.of_masks([np.array([[0, 0], [0, 1]])], num_classes=2, ignore_class=255)
        >>> enet(counts).round(3).tolist()
        [1.751, 4.184]
    """
    total = counts.pixels.sum() + (counts.ignored if count_ignored else 0)
    return _inverse_log(counts.pixels / max(total, 1), offset)


def linknet(counts: ClassCounts, offset: float = 1.02) -> np.ndarray:
    """LinkNet's weights `1 / ln(offset + n / max(n))`, where `n` is the number of pixels of a class.

    Args:
        counts: What `SegmentationDataset.class_counts` returns.
        offset: Number above 1 that bounds the weights. Defaults to `1.02`.

    Returns:
        float64 `(num_classes,)`.

    Raises:
        ValueError: If `offset` is not above 1.

    References:
        - [LinkNet](https://arxiv.org/abs/1707.03718); the formula is that of the authors' code.

    Example:
        >>> counts = ClassCounts.of_masks([np.array([[0, 0], [0, 1]])], num_classes=2, ignore_class=255)
        >>> linknet(counts).round(3).tolist()
        [1.422, 3.305]
    """
    return _inverse_log(counts.pixels / max(counts.pixels.max(initial=0), 1), offset)


def _inverse_log(share: np.ndarray, offset: float) -> np.ndarray:
    if offset <= 1.0:
        raise ValueError(f"`offset` must be above 1. Received: offset={offset}")
    return 1.0 / np.log(offset + share)
