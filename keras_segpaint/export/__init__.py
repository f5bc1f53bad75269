"""Models as files for other programs, each compared with the Keras model after it was written."""

from keras_segpaint.export.litert import to_litert
from keras_segpaint.export.measure import Benchmark, Latency, OperatorTime, TensorSummary, benchmark
from keras_segpaint.export.metadata import read_metadata
from keras_segpaint.export.onnx import to_onnx
from keras_segpaint.export.onnx_runner import ONNXModel
from keras_segpaint.export.report import ExportError, ExportReport
from keras_segpaint.export.runner import LiteRTModel
from keras_segpaint.export.saved_model import to_saved_model

__all__ = [
    "Benchmark",
    "ExportError",
    "ExportReport",
    "Latency",
    "LiteRTModel",
    "ONNXModel",
    "OperatorTime",
    "TensorSummary",
    "benchmark",
    "read_metadata",
    "to_litert",
    "to_onnx",
    "to_saved_model",
]
