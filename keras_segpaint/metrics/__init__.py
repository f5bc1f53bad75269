"""Metrics over a data set: of label maps (confusion matrix, boundaries, calibration) and of filled images (by hole share)."""

from keras_segpaint.metrics.boundary_f1 import BoundaryF1
from keras_segpaint.metrics.calibration import ExpectedCalibrationError
from keras_segpaint.metrics.confusion_matrix import ConfusionMatrix
from keras_segpaint.metrics.fill_scores import FillScores, FillScoring
from keras_segpaint.metrics.frechet import FrechetDistance, frechet_distance
from keras_segpaint.metrics.images import L1, PSNR, SSIM
from keras_segpaint.metrics.lpips import LPIPS, lpips_weights
from keras_segpaint.metrics.scores import Scores, scores
from keras_segpaint.metrics.segmentation import (
    DiceScore,
    FrequencyWeightedIoU,
    MeanAccuracy,
    MeanIoU,
    PerClassDice,
    PerClassIoU,
    PerClassPrecision,
    PerClassRecall,
    PixelAccuracy,
)
from keras_segpaint.metrics.synthesis_scores import SynthesisScores, SynthesisScoring

__all__ = [
    "L1",
    "LPIPS",
    "PSNR",
    "SSIM",
    "BoundaryF1",
    "ConfusionMatrix",
    "DiceScore",
    "ExpectedCalibrationError",
    "FillScores",
    "FillScoring",
    "FrechetDistance",
    "FrequencyWeightedIoU",
    "MeanAccuracy",
    "MeanIoU",
    "PerClassDice",
    "PerClassIoU",
    "PerClassPrecision",
    "PerClassRecall",
    "PixelAccuracy",
    "Scores",
    "SynthesisScores",
    "SynthesisScoring",
    "frechet_distance",
    "lpips_weights",
    "scores",
]
