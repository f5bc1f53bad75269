"""The part of an export that needs Keras on the TensorFlow backend."""

import os
import re
import tempfile
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_segpaint.export.compare import median_milliseconds
from keras_segpaint.export.quiet import quiet
from keras_segpaint.export.report import ExportError
from keras_segpaint.extras import require

__all__ = ["run_saved_model", "write_litert", "write_saved_model"]


def write_saved_model(model: keras.Model, shape: tuple[int | None, ...], path: str | os.PathLike) -> None:
    """Writes a model as a SavedModel with the signature `serving_default`; a `None` in `shape` stays free."""
    signature = [keras.InputSpec(shape=shape, dtype="float32")]
    with quiet():
        model.export(os.fspath(path), format="tf_saved_model", input_signature=signature, verbose=False)


def write_litert(model: keras.Model, shape: tuple[int | None, ...], path: str | os.PathLike) -> None:
    """Writes a model as a LiteRT file of built-in operators only.

    Raises:
        ExportError: If the model needs another operator; the message names each of them.
    """
    tensorflow = require("tensorflow", "export", "Exporting to LiteRT")
    with tempfile.TemporaryDirectory() as folder:
        write_saved_model(model, shape, folder)
        converter = tensorflow.lite.TFLiteConverter.from_saved_model(folder)
        # Keras's own LiteRT export also allows TensorFlow's operators, which the interpreter of a phone does not
        # have.
        converter.target_spec.supported_ops = [tensorflow.lite.OpsSet.TFLITE_BUILTINS]
        try:
            with quiet():
                content = converter.convert()
        except Exception as error:  # The converter's own error class derives from Exception alone.
            if type(error).__name__ != "ConverterError":
                raise
            raise ExportError(_explanation(model, str(error))) from error
    Path(path).write_bytes(content)


def run_saved_model(path: str | os.PathLike, images: np.ndarray) -> tuple[np.ndarray, float, list[str]]:
    """Loads a SavedModel and runs it.

    Returns:
        Logits, median milliseconds per image, and the kinds of operators in the graph.
    """
    tensorflow = require("tensorflow", "export", "Checking a SavedModel")
    with quiet():
        # The loaded object has to stay alive while its signature is used: it owns the variables.
        loaded = tensorflow.saved_model.load(os.fspath(path))
    function = loaded.signatures["serving_default"]
    name = next(iter(function.structured_input_signature[1]))

    def run(batch: np.ndarray) -> np.ndarray:
        (logits,) = function(**{name: tensorflow.constant(batch)}).values()
        return logits.numpy()

    logits = np.concatenate([run(image[None]) for image in images])
    graph: Any = function.graph.as_graph_def()
    operators = {node.op for node in graph.node}
    operators.update(node.op for inner in graph.library.function for node in inner.node_def)
    return logits, median_milliseconds(run, images), sorted(operators)


def _explanation(model: keras.Model, text: str) -> str:
    named = re.findall(r"(?:TF Select|Flex|Custom) ops: *(.+)", text)
    operators = sorted({name.strip() for line in named for name in line.split(",")} | set(_UNKNOWN.findall(text)))
    if not operators:
        return f"{model.name} cannot be converted to LiteRT: {text.strip().splitlines()[0]}"
    return (
        f"{model.name} cannot be converted to LiteRT: {', '.join(operators)} "
        f"{'is no built-in operator' if len(operators) == 1 else 'are no built-in operators'}. Leave out the layers "
        "that need "
        "them, or compute that part outside of the model (an argmax of the logits, for example)."
    )


_UNKNOWN = re.compile(r"'tf\.(\w+)' op is neither a custom op nor a flex op")
