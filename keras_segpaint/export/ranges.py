"""The ranges that a file of integers gives its tensors."""

import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np

from keras_segpaint.export.flatbuffer import packed, unpacked
from keras_segpaint.export.quiet import quiet
from keras_segpaint.extras import require

__all__ = ["without_outliers"]

# Percent of a tensor's values below zero, and of those above it, that stay in its range.
KEPT = 99.9
# Of each tensor and image: a hundred thousand values of a tensor say where its tails are.
SAMPLES = 4000


def without_outliers(content: bytes, inputs: Iterable[list[np.ndarray]]) -> bytes:
    """A calibrated LiteRT file whose tensors leave out their rarest values.

    The converter's calibration spans the least and the greatest value that it sees. Where a few are ten times as large as all
    others, those share a tenth of the 255 steps. Ranges of what goes in and comes out are kept, and each includes zero.

    Args:
        content: A file of floats with ranges, as the converter's calibration gives it.
        inputs: What the ranges were taken from, the arrays of one call after another.

    Returns:
        The file with narrower ranges.
    """
    model = unpacked(content)
    graph = model.subgraphs[0]
    ends = {*graph.inputs, *graph.outputs}
    inner = {
        index: tensor for index, tensor in enumerate(graph.tensors) if _is_calibrated(tensor) and index not in ends
    }
    for index, values in _sampled(content, inputs, list(inner)).items():
        below, above = values[values < 0], values[values > 0]
        range_ = inner[index].quantization
        range_.min = [max(float(range_.min[0]), float(np.percentile(below, 100 - KEPT)) if below.size else 0.0)]
        range_.max = [min(float(range_.max[0]), float(np.percentile(above, KEPT)) if above.size else 0.0)]
    return packed(model)


def _is_calibrated(tensor: Any) -> bool:
    found = tensor.quantization
    return found is not None and found.max is not None and len(found.max) == 1


def _sampled(content: bytes, inputs: Iterable[list[np.ndarray]], tensors: list[int]) -> dict[int, np.ndarray]:
    """Values other than zero of each tensor that has any."""
    interpreter = require("ai_edge_litert.interpreter", "export", "Running a LiteRT file")
    rng = np.random.default_rng(0)
    values: dict[int, list[np.ndarray]] = {}
    with quiet(), warnings.catch_warnings():
        # That all tensors are kept takes memory, and is what is wanted.
        warnings.filterwarnings("ignore", ".*experimental_preserve_all_tensors", UserWarning)
        loaded = interpreter.Interpreter(model_content=content, experimental_preserve_all_tensors=True)
        loaded.allocate_tensors()
    places = [detail["index"] for detail in loaded.get_input_details()]
    for arrays in inputs:
        for place, array in zip(places, arrays, strict=True):
            loaded.set_tensor(place, array)
        loaded.invoke()
        for index in tensors:
            found = loaded.get_tensor(index).ravel()
            found = found[found != 0]
            few = found if found.size <= SAMPLES else rng.choice(found, SAMPLES, replace=False)
            values.setdefault(index, []).append(few)
    return {index: np.concatenate(parts) for index, parts in values.items()}
