"""Running an ONNX file."""

import os
from pathlib import Path
from typing import Any

import numpy as np

from keras_segpaint.export.files import to_dtype
from keras_segpaint.export.onnx_conversion import operators
from keras_segpaint.export.quiet import quiet
from keras_segpaint.extras import require

__all__ = ["ONNXModel"]


class ONNXModel:
    """An ONNX file as a function from images to logits, or to filled images.

    Args:
        path: The `.onnx` file.
        threads: CPU threads. Defaults to the number of cores, at most `4`.

    Attributes:
        input_shape: `(1, height, width, channels)`; `None` for a size that is free.
        operators: The kinds of operators in the file, sorted.
        opset: The version of these.

    Call arguments:
        images: uint8, or floating in [0, 1], `(batch, height, width, channels)` of the file's size.

    Output shape:
        float32 `(batch, height, width, channels)`.

    Raises:
        FileNotFoundError: If there is no such file.
        ImportError: If `onnx` or `onnxruntime` is not installed.
        ValueError: If the file is no ONNX model that can be run, or images have another shape.
    """

    def __init__(self, path: str | os.PathLike, threads: int | None = None):
        self.path = Path(path)
        if not self.path.is_file():
            raise FileNotFoundError(2, "No such file", str(path))
        onnx = require("onnx", "onnx", "Reading an ONNX file")
        with quiet():
            runtime = require("onnxruntime", "onnx", "Running an ONNX file")
        self.threads = min(4, os.cpu_count() or 1) if threads is None else threads
        options = runtime.SessionOptions()
        options.intra_op_num_threads = self.threads
        try:
            model = onnx.load(os.fspath(self.path))
            with quiet():
                self._session = runtime.InferenceSession(
                    os.fspath(self.path), options, providers=["CPUExecutionProvider"]
                )
        except Exception as error:  # Neither package's errors have a public class.
            raise ValueError(f"{path} is not an ONNX model that can be run: {error}") from error
        self.operators = operators(model)
        self.opset = next(item.version for item in model.opset_import if not item.domain)
        (self._input,) = self._session.get_inputs()
        self.input_shape = tuple(extent if isinstance(extent, int) else None for extent in self._input.shape)

    def __call__(self, images: Any) -> np.ndarray:
        images = np.asarray(images)
        wanted = self.input_shape[1:]
        if images.ndim != 4 or any(
            want not in (None, have) for want, have in zip(wanted, images.shape[1:], strict=True)
        ):
            raise ValueError(
                f"`images` must have the shape (batch, {', '.join(map(str, wanted))}), that of {self.path.name}. "
                f"Received: shape {images.shape}. Resize them, or export the model for their size."
            )
        images = to_dtype(images)
        return np.concatenate([self._session.run(None, {self._input.name: image[None]})[0] for image in images])
