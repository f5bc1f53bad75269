"""The usual numbers of filled images, by the share of their holes."""

import math
from dataclasses import dataclass
from typing import Any

from keras_segpaint.metrics.image_base import ImageMetric
from keras_segpaint.metrics.images import L1, PSNR, SSIM

__all__ = ["FillScores", "FillScoring"]

_METRICS: dict[str, type[ImageMetric]] = {"l1": L1, "psnr": PSNR, "ssim": SSIM}


@dataclass(frozen=True)
class FillScores:
    """Means over the images of a set; `nan` where no image has holes to judge by.

    Args:
        images: How many filled images.
        l1: Mean absolute error of images in [0, 1]; times 100 it is the percentage of the papers.
        psnr: In decibels.
        ssim: Structural similarity.
        hole_l1: As `l1`, of hole pixels alone.
        hole_psnr: As `psnr`, of hole pixels alone.
        hole_ssim: As `ssim`, of windows around hole pixels alone.
    """

    images: int
    l1: float
    psnr: float
    ssim: float
    hole_l1: float
    hole_psnr: float
    hole_ssim: float


class FillScoring:
    """Adds up batches of filled images, and gives their scores.

    Images are compared with the known pixels put back.

    Args:
        value_range: Lowest and highest value of the images. Defaults to `(-1.0, 1.0)`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.

    Example:
        >>> import numpy as np
        >>> scoring = FillScoring(value_range=(0, 1), data_format="channels_last")
        >>> masks = np.zeros((1, 16, 16, 1))
        >>> masks[:, 4:12, 4:12] = 1
        >>> scoring.update(np.zeros((1, 16, 16, 3)), np.full((1, 16, 16, 3), 0.5), masks)
        >>> scores = scoring.scores()
        >>> scores.images, scores.hole_l1, scores.l1
        (1, 0.5, 0.125)
        >>> list(scoring.by_hole_ratio())
        [(0.2, 0.3)]
    """

    def __init__(self, value_range: tuple[float, float] = (-1.0, 1.0), data_format: str | None = None):
        settings: dict[str, Any] = dict(value_range=value_range, data_format=data_format)
        self._metrics: dict[str, ImageMetric] = {
            **{name: cls("image", **settings) for name, cls in _METRICS.items()},
            **{f"hole_{name}": cls("hole", **settings) for name, cls in _METRICS.items()},
        }

    def update(self, truth: Any, filled: Any, masks: Any) -> None:
        """Adds a batch.

        Args:
            truth: Images `(batch, height, width, channels)`, at least 11 x 11 pixels.
            filled: The same shape.
            masks: `(batch, height, width, 1)`, 1 is a hole.
        """
        for metric in self._metrics.values():
            metric.update_state(truth, filled, masks)

    def scores(self) -> FillScores:
        """The scores of all images so far."""
        found = {name: metric.by_hole_ratio() for name, metric in self._metrics.items()}
        total = sum(count for _, count in found["l1"].values())
        return FillScores(total, **{name: _mean(list(buckets.values())) for name, buckets in found.items()})

    def by_hole_ratio(self) -> dict[tuple[float, float], FillScores]:
        """The scores in each bucket `(low, high]` of shares of holes that has images."""
        found = {name: metric.by_hole_ratio() for name, metric in self._metrics.items()}
        return {
            bucket: FillScores(
                count, **{name: buckets.get(bucket, (math.nan, 0))[0] for name, buckets in found.items()}
            )
            for bucket, (_, count) in found["l1"].items()
        }


def _mean(means: list[tuple[float, int]]) -> float:
    count = sum(number for _, number in means)
    return sum(mean * number for mean, number in means) / count if count else math.nan
