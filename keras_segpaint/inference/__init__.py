"""Predictions from trained models: single images, files, uncertainty, evaluation at full size, filled holes."""

from keras_segpaint.inference.evaluate import evaluate
from keras_segpaint.inference.evaluate_inpainting import FillEvaluation, evaluate_inpainting
from keras_segpaint.inference.files import FilePrediction, find_images, predict_files
from keras_segpaint.inference.inpaint_files import FilledFile, inpaint_files
from keras_segpaint.inference.inpainter import Inpainter
from keras_segpaint.inference.monte_carlo import mc_dropout
from keras_segpaint.inference.predict import predict, predict_logits, softmax

__all__ = [
    "FilePrediction",
    "FillEvaluation",
    "FilledFile",
    "Inpainter",
    "evaluate",
    "evaluate_inpainting",
    "find_images",
    "inpaint_files",
    "mc_dropout",
    "predict",
    "predict_files",
    "predict_logits",
    "softmax",
]
