"""Predictions from trained models: single images, files, uncertainty, evaluation at full size."""

from keras_segpaint.inference.evaluate import evaluate
from keras_segpaint.inference.files import FilePrediction, find_images, predict_files
from keras_segpaint.inference.monte_carlo import mc_dropout
from keras_segpaint.inference.predict import predict, predict_logits, softmax

__all__ = [
    "FilePrediction",
    "evaluate",
    "find_images",
    "mc_dropout",
    "predict",
    "predict_files",
    "predict_logits",
    "softmax",
]
