"""Running a LiteRT file."""

import os
from pathlib import Path
from typing import Any

import numpy as np

from keras_segpaint.export.files import to_dtype
from keras_segpaint.export.operators import operator_kinds
from keras_segpaint.export.quiet import quiet
from keras_segpaint.extras import require

__all__ = ["LiteRTModel"]


class LiteRTModel:
    """A LiteRT file as a function from images to what it gives.

    Args:
        path: The `.tflite` file.
        threads: CPU threads. Defaults to the number of cores, at most `4`.

    Attributes:
        input_shape: `(1, height, width, channels)`.
        output_shape: `(1, height, width, num_classes)`, of class maps `(1, height, width)`.
        operators: The kinds of operators in the file, sorted.

    Call arguments:
        images: uint8, or floating in [0, 1], `(batch, height, width, channels)` of the file's size.

    Output shape:
        float32 logits `(batch, height, width, num_classes)`, uint8 classes `(batch, height, width)`, or images.

    Raises:
        FileNotFoundError: If there is no such file.
        ImportError: If `ai-edge-litert` is not installed.
        ValueError: If the file is no LiteRT model, or images have another shape.
    """

    def __init__(self, path: str | os.PathLike, threads: int | None = None):
        self.path = Path(path)
        if not self.path.is_file():
            raise FileNotFoundError(2, "No such file", str(path))
        interpreter = require("ai_edge_litert.interpreter", "export", "Running a LiteRT file")
        self.threads = min(4, os.cpu_count() or 1) if threads is None else threads
        content = self.path.read_bytes()
        try:
            with quiet():
                self._interpreter = interpreter.Interpreter(model_content=content, num_threads=self.threads)
                self._interpreter.allocate_tensors()
            self.operators = tuple(sorted(set(operator_kinds(content))))
        except (ValueError, RuntimeError) as error:
            raise ValueError(f"{path} is not a LiteRT model that can be run: {error}") from error
        (self._input,) = self._interpreter.get_input_details()
        (self._output,) = self._interpreter.get_output_details()
        self.input_shape = tuple(int(extent) for extent in self._input["shape"])
        self.output_shape = tuple(int(extent) for extent in self._output["shape"])

    def __call__(self, images: Any) -> np.ndarray:
        images = np.asarray(images)
        if images.shape[1:] != self.input_shape[1:]:
            raise ValueError(
                f"`images` must have the shape (batch, {', '.join(map(str, self.input_shape[1:]))}), that of "
                f"{self.path.name}. "
                f"Received: shape {images.shape}. Resize them, or export the model for their size."
            )
        images = to_dtype(images, self._input["dtype"])
        results = np.empty((len(images), *self.output_shape[1:]), self._output["dtype"])
        for index, image in enumerate(images):
            self._interpreter.set_tensor(self._input["index"], image[None])
            self._interpreter.invoke()
            results[index] = self._interpreter.get_tensor(self._output["index"])[0]
        return results
