"""The usual numbers of made images beside real ones."""

from dataclasses import dataclass
from typing import Any

from keras_segpaint.metrics.image_base import ImageMetric
from keras_segpaint.metrics.images import L1, PSNR, SSIM

__all__ = ["SynthesisScores", "SynthesisScoring"]


@dataclass(frozen=True)
class SynthesisScores:
    """Means over the images of a set.

    They say how near made images are to the ones whose label maps they were made from, which the label maps leave open in
    part; `FrechetDistance` compares the sets, and a segmentation network tells whether the images show what they should.

    Args:
        images: How many images.
        l1: Mean absolute error of images in [0, 1].
        psnr: In decibels.
        ssim: Structural similarity.
    """

    images: int
    l1: float
    psnr: float
    ssim: float


class SynthesisScoring:
    """Adds up batches of made images, and gives their scores.

    Args:
        value_range: Lowest and highest value of the images. Defaults to `(-1.0, 1.0)`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.

    Example:
        >>> import numpy as np
        >>> scoring = SynthesisScoring(value_range=(0, 1), data_format="channels_last")
        >>> scoring.update(np.zeros((2, 16, 16, 3)), np.full((2, 16, 16, 3), 0.1))
        >>> scores = scoring.scores()
        >>> scores.images, round(scores.l1, 3), round(scores.psnr, 3)
        (2, 0.1, 20.0)
    """

    def __init__(self, value_range: tuple[float, float] = (-1.0, 1.0), data_format: str | None = None):
        classes: dict[str, type[ImageMetric]] = {"l1": L1, "psnr": PSNR, "ssim": SSIM}
        self._metrics = {name: cls(value_range=value_range, data_format=data_format) for name, cls in classes.items()}
        self._images = 0

    def update(self, truth: Any, made: Any) -> None:
        """Adds a batch.

        Args:
            truth: Images `(batch, height, width, channels)`, at least 11 x 11 pixels.
            made: The same shape.
        """
        self._images += len(truth)
        for metric in self._metrics.values():
            metric.update_state(truth, made)

    def scores(self) -> SynthesisScores:
        """The scores of all images so far."""
        return SynthesisScores(self._images, **{name: float(metric.result()) for name, metric in self._metrics.items()})
