"""Predictions from trained models: images of any size, files, uncertainty, evaluation at full size, filled holes, made images."""

from keras_segpaint.inference.dense_crf import DenseCRF, dense_crf
from keras_segpaint.inference.dense_crf_search import DenseCRFSearch, DenseCRFTrial, search_dense_crf
from keras_segpaint.inference.evaluate import evaluate
from keras_segpaint.inference.evaluate_inpainting import FillEvaluation, evaluate_inpainting
from keras_segpaint.inference.evaluate_synthesis import SynthesisEvaluation, evaluate_synthesis
from keras_segpaint.inference.files import SegmentedFile, find_images, segment_files
from keras_segpaint.inference.inpaint_files import FilledFile, inpaint_files
from keras_segpaint.inference.inpainter import Inpainter
from keras_segpaint.inference.monte_carlo import mc_dropout
from keras_segpaint.inference.pairwise import BilateralPairwise, GaussianPairwise
from keras_segpaint.inference.planes import softmax
from keras_segpaint.inference.segmenter import Segmentation, Segmenter
from keras_segpaint.inference.stylizer import StylizedFile, Stylizer, stylize, stylize_files
from keras_segpaint.inference.synthesize_files import SynthesizedFile, synthesize_files
from keras_segpaint.inference.synthesizer import Synthesizer

__all__ = [
    "BilateralPairwise",
    "DenseCRF",
    "DenseCRFSearch",
    "DenseCRFTrial",
    "FillEvaluation",
    "FilledFile",
    "GaussianPairwise",
    "Inpainter",
    "SegmentedFile",
    "Segmentation",
    "Segmenter",
    "StylizedFile",
    "Stylizer",
    "SynthesisEvaluation",
    "SynthesizedFile",
    "Synthesizer",
    "dense_crf",
    "evaluate",
    "evaluate_inpainting",
    "evaluate_synthesis",
    "find_images",
    "inpaint_files",
    "mc_dropout",
    "search_dense_crf",
    "segment_files",
    "softmax",
    "stylize",
    "stylize_files",
    "synthesize_files",
]
