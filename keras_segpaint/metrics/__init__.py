"""Metrics of label maps, accumulated over the data set by one confusion matrix."""

from keras_segpaint.metrics.confusion_matrix import ConfusionMatrix
from keras_segpaint.metrics.scores import Scores, scores
from keras_segpaint.metrics.segmentation import (
    FrequencyWeightedIoU,
    MeanAccuracy,
    MeanIoU,
    PerClassIoU,
    PixelAccuracy,
)

__all__ = [
    "ConfusionMatrix",
    "FrequencyWeightedIoU",
    "MeanAccuracy",
    "MeanIoU",
    "PerClassIoU",
    "PixelAccuracy",
    "Scores",
    "scores",
]
