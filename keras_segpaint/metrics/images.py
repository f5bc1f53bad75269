"""L1, PSNR and SSIM of filled images over a data set."""

import math
from typing import Any

import keras
from keras import ops

from keras_segpaint.metrics.image_base import ImageMetric, region_mean
from keras_segpaint.ops.structural_similarity import WINDOW, structural_similarity

_SMALLEST_ERROR = 1e-10


@keras.saving.register_keras_serializable(package="keras_segpaint")
class L1(ImageMetric):
    """Mean absolute error of images scaled to [0, 1]: times 100 it is the percentage of the inpainting papers.

    The result is the mean over the images of the data set. After `evaluate` the object that was given to `compile` has
    the means in the buckets of hole ratios of the partial convolution paper: `metric.by_hole_ratio()`.

    Args:
        region: `"image"`, or `"hole"` for hole pixels only; images without a hole then do not count. Defaults to
            `"image"`.
        composite: Whether known pixels are put back before the image is judged, as the papers and `Inpainter` do; needs
            the mask. Defaults to `True`.
        value_range: Lowest and highest value of the images. Defaults to `(-1.0, 1.0)`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        name: String. Defaults to `"l1"`, or `"hole_l1"`.

    Call arguments:
        y_true: Images `(batch, height, width, channels)` within `value_range`.
        y_pred: The same shape; values outside of the range are clipped.
        sample_weight: The mask `(batch, height, width, 1)` or `(batch, height, width)`, 1 is a hole. In `compile` the
            metric belongs to `weighted_metrics`.

    Raises:
        ValueError: If an argument is none of those named, or the shapes do not fit each other.

    References:
        - [Image Inpainting for Irregular Holes](https://arxiv.org/abs/1804.07723), section 4.

    Example:
        >>> import numpy as np
        >>> metric = L1("hole", value_range=(0, 1), data_format="channels_last")
        >>> metric.update_state(np.zeros((1, 1, 2, 3)), np.ones((1, 1, 2, 3)), np.array([[[0, 1]]]))
        >>> float(metric.result()), metric.by_hole_ratio()
        (1.0, {(0.4, 0.5): (1.0, 1)})
    """

    def values(self, truth: Any, filled: Any, mask: Any) -> tuple[Any, Any]:
        return region_mean(ops.abs(truth - filled), self.weights(mask))


@keras.saving.register_keras_serializable(package="keras_segpaint")
class PSNR(ImageMetric):
    """Peak signal-to-noise ratio in decibels, of each image, averaged over the data set.

    Arguments, call arguments and errors are those of `L1`; the default name is `"psnr"`, or `"hole_psnr"`. Images that
    are equal count as 100 dB.

    Example:
        >>> import numpy as np
        >>> metric = PSNR(value_range=(0, 1), data_format="channels_last")
        >>> metric.update_state(np.zeros((1, 2, 2, 3)), np.full((1, 2, 2, 3), 0.1))
        >>> round(float(metric.result()), 3)
        20.0
    """

    def values(self, truth: Any, filled: Any, mask: Any) -> tuple[Any, Any]:
        error, counted = region_mean(ops.square(truth - filled), self.weights(mask))
        return -10.0 / math.log(10.0) * ops.log(ops.maximum(error, _SMALLEST_ERROR)), counted


@keras.saving.register_keras_serializable(package="keras_segpaint")
class SSIM(ImageMetric):
    """Structural similarity of each image, averaged over the data set.

    The window is the paper's Gaussian of 11 x 11 pixels with a standard deviation of 1.5, over all channels, without the
    border of 5 pixels. For `"hole"` it is the mean over the windows whose centre is a hole.

    Arguments, call arguments and errors are those of `L1`; images must have at least 11 x 11 pixels. The default name is
    `"ssim"`, or `"hole_ssim"`.

    References:
        - Wang et al. 2004, Image quality assessment: from error visibility to structural similarity.

    Example:
        >>> import numpy as np
        >>> images = np.random.default_rng(0).random((1, 16, 16, 3))
        >>> metric = SSIM(value_range=(0, 1), data_format="channels_last")
        >>> metric.update_state(images, images)
        >>> round(float(metric.result()), 3)
        1.0
    """

    def values(self, truth: Any, filled: Any, mask: Any) -> tuple[Any, Any]:
        similarity = structural_similarity(truth, filled)
        border = WINDOW // 2
        return region_mean(similarity, self.weights(mask)[:, border:-border, border:-border])
