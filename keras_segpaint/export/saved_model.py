"""Export to TensorFlow's SavedModel."""

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_segpaint.export.conversion import run_saved_model, write_saved_model
from keras_segpaint.export.prepare import Prepared, prepare
from keras_segpaint.export.report import ExportReport
from keras_segpaint.export.subprocess_tf import in_tensorflow

__all__ = ["to_saved_model"]


def to_saved_model(
    model: keras.Model,
    path: str | os.PathLike,
    input_shape: Sequence[int | None] | None = None,
    images: Any = None,
    check: bool = True,
) -> ExportReport:
    """Writes a model as a SavedModel, loads it again and compares it with the model.

    The signature `serving_default` takes float32 images in [0, 1], `(batch, height, width, channels)`, whatever data
    format the model has, and gives logits. On the JAX and PyTorch backends the work is done in a TensorFlow process
    of its own, for which layers outside of this package must be in an importable module.

    Args:
        model: A segmentation model that gives logits, or an inpainting model, as `to_litert` takes it.
        path: The folder to write; an existing SavedModel is replaced.
        input_shape: `(height, width, channels)`; height and width may be `None`. Defaults to the model's own.
        images: Images to compare on, uint8 or floating in [0, 1], `(batch, height, width, channels)`. Defaults to one
            made-up picture, always the same.
        check: Boolean, compare and measure. Defaults to `True`.

    Returns:
        An `ExportReport`; its operators are TensorFlow's.

    Raises:
        ExportError: If the conversion fails or the SavedModel disagrees with the model.
        FileExistsError: If `path` exists and is no SavedModel.
        ImportError: If TensorFlow is not installed.
        ValueError: If a shape does not fit.
    """
    path = Path(path)
    if path.exists() and not (path / "saved_model.pb").exists():
        raise FileExistsError(17, "It exists and is no SavedModel; choose another path", str(path))
    ready = prepare(model, input_shape, images, check=check, free=True)
    path.parent.mkdir(parents=True, exist_ok=True)
    native = keras.backend.backend() == "tensorflow"
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name}.") as work:
        written = Path(work, "model")
        measured: dict[str, Any] = {}
        operators: Sequence[str] = ()
        if native:
            write_saved_model(ready.model, (None, *ready.shape[1:]), written)
            ran = None if ready.images is None else run_saved_model(written, ready.images)
        else:
            ran = _elsewhere(ready, written)
        if ran is not None:
            outputs, milliseconds, operators = ran
            measured = ready.compare(outputs)
            measured.update(milliseconds=milliseconds, threads=os.cpu_count())
        if path.exists():
            os.replace(path, Path(work, "former"))
        os.replace(written, path)
    size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    return ExportReport(path, "saved_model", size, tuple(operators), ready.shape, **measured)


def _elsewhere(ready: Prepared, path: Path) -> tuple[np.ndarray, float, list[str]] | None:
    """Writes, and runs if there are images, in a TensorFlow process."""
    arguments: dict[str, Any] = {"shape": (None, *ready.shape[1:]), "path": str(path.resolve())}
    if ready.images is None:
        in_tensorflow("saved_model", ready.model, **arguments)
        return None
    images, outputs = path.resolve().with_name("images.npy"), path.resolve().with_name("logits.npy")
    np.save(images, ready.images)
    answer = in_tensorflow("saved_model", ready.model, **arguments, images=str(images), logits=str(outputs))
    return np.load(outputs), answer["milliseconds"], answer["operators"]
