"""Metrics over a data set: of label maps, by one confusion matrix, and of filled images, by the share of their holes."""

from keras_segpaint.metrics.confusion_matrix import ConfusionMatrix
from keras_segpaint.metrics.fill_scores import FillScores, FillScoring
from keras_segpaint.metrics.frechet import FrechetDistance, frechet_distance
from keras_segpaint.metrics.images import L1, PSNR, SSIM
from keras_segpaint.metrics.lpips import LPIPS, lpips_weights
from keras_segpaint.metrics.scores import Scores, scores
from keras_segpaint.metrics.segmentation import (
    FrequencyWeightedIoU,
    MeanAccuracy,
    MeanIoU,
    PerClassIoU,
    PixelAccuracy,
)

__all__ = [
    "L1",
    "LPIPS",
    "PSNR",
    "SSIM",
    "ConfusionMatrix",
    "FillScores",
    "FillScoring",
    "FrechetDistance",
    "FrequencyWeightedIoU",
    "MeanAccuracy",
    "MeanIoU",
    "PerClassIoU",
    "PixelAccuracy",
    "Scores",
    "frechet_distance",
    "lpips_weights",
    "scores",
]
