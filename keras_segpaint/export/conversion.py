"""The part of an export that needs Keras on the TensorFlow backend."""

import os
import re
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_segpaint.export.compare import median_milliseconds
from keras_segpaint.export.files import to_dtype
from keras_segpaint.export.integer_form import integer_form
from keras_segpaint.export.options import FileOptions
from keras_segpaint.export.quiet import quiet
from keras_segpaint.export.ranges import without_outliers
from keras_segpaint.export.report import ExportError
from keras_segpaint.extras import require

__all__ = ["run_saved_model", "write_litert", "write_saved_model"]


def write_saved_model(model: keras.Model, shape: tuple[int | None, ...], path: str | os.PathLike) -> None:
    """Writes a model as a SavedModel with the signature `serving_default`; a `None` in `shape` stays free."""
    signature = [keras.InputSpec(shape=shape, dtype="float32")]
    with quiet():
        model.export(os.fspath(path), format="tf_saved_model", input_signature=signature, verbose=False)


def write_litert(
    model: keras.Model,
    shape: tuple[int | None, ...],
    path: str | os.PathLike,
    options: FileOptions | None = None,
    calibration: np.ndarray | None = None,
    outliers: bool = False,
) -> None:
    """Writes a model as a LiteRT file of built-in operators only.

    Args:
        model: As `prepare` gives it.
        shape: `(1, height, width, channels)`.
        path: The file.
        options: What it takes, computes in and gives. `None` for floats throughout.
        calibration: As `calibration_images` gives them, for `"int8"` and for nothing else.
        outliers: Whether integers are to hold the rarest values too, as those of a picture. The scale of classes' logits
            is better spent on the others.

    Raises:
        ExportError: If the model needs another operator; the message names each of them.
    """
    options = options or FileOptions()
    if calibration is not None:
        with quiet():
            model = integer_form(model, calibration)
    # A file of integers takes bytes by the scale of its input alone, without an operator, unless that scale is not 1/255.
    converted = options.input_dtype == "uint8" and calibration is None
    content = _convert(model, shape, options, calibration, converted, outliers)
    if options.input_dtype == "uint8" and not converted and not _bytes_over_255(content, "input"):
        content = _convert(model, shape, options, calibration, True, outliers)
    if options.output == "image" and calibration is not None and not _bytes_over_255(content, "output"):
        raise ExportError(f'{model.name} has an output of another range than [0, 1] in integers. Take output="logits".')
    Path(path).write_bytes(content)


def _convert(
    model: keras.Model,
    shape: tuple[int | None, ...],
    options: FileOptions,
    calibration: np.ndarray | None,
    converted: bool,
    outliers: bool,
) -> bytes:
    """The content of a LiteRT file; `converted` bytes are divided by 255 in it."""
    tensorflow = require("tensorflow", "export", "Exporting to LiteRT")
    with quiet():
        converter = tensorflow.lite.TFLiteConverter.from_concrete_functions([_frozen(model, shape, options, converted)])
    # Keras's own LiteRT export also allows TensorFlow's operators, which the interpreter of a phone does not have.
    converter.target_spec.supported_ops = [tensorflow.lite.OpsSet.TFLITE_BUILTINS]
    if options.precision != "float32":
        converter.optimizations = [tensorflow.lite.Optimize.DEFAULT]
    if options.precision == "float16":
        converter.target_spec.supported_types = [tensorflow.float16]
    if calibration is not None:
        # The other set is for operators without a form of integers, which compute in floats.
        converter.target_spec.supported_ops.insert(0, tensorflow.lite.OpsSet.TFLITE_BUILTINS_INT8)
        converter.representative_dataset = lambda: _one_by_one(calibration, converted)
        if options.input_dtype == "uint8" and not converted:
            converter.inference_input_type = tensorflow.uint8
        if options.output == "image":
            converter.inference_output_type = tensorflow.uint8
    try:
        with quiet(), warnings.catch_warnings():
            # It is what quantised training gave; `calibration` gives it here.
            warnings.filterwarnings("ignore", "Statistics for quantized inputs", UserWarning)
            if calibration is None or outliers:
                return converter.convert()
            return _convert_by_ranges(converter, calibration, converted)
    except Exception as error:  # The converter's own error class derives from Exception alone.
        if type(error).__name__ != "ConverterError":
            raise
        raise ExportError(_explanation(model, str(error))) from error


def _convert_by_ranges(converter: Any, calibration: np.ndarray, converted: bool) -> bytes:
    """What the converter writes, in two steps with the choice of ranges between them."""
    from tensorflow.lite.python.convert import mlir_quantize

    converter._experimental_calibrate_only = True
    content = without_outliers(converter.convert(), _one_by_one(calibration, converted))
    return mlir_quantize(
        content,
        input_data_type=converter.inference_input_type,
        output_data_type=converter.inference_output_type,
    )


def _bytes_over_255(content: bytes, end: str) -> bool:
    """Whether a file's `"input"` or `"output"` stands for bytes over 255."""
    interpreter = require("ai_edge_litert.interpreter", "export", "Running a LiteRT file")
    with quiet():
        loaded = interpreter.Interpreter(model_content=content)
    (details,) = getattr(loaded, f"get_{end}_details")()
    scale, zero = details["quantization"]
    return zero == 0 and abs(255 * scale - 1) < 1e-4


def _one_by_one(images: np.ndarray, converted: bool) -> Iterator[list[np.ndarray]]:
    for image in images:
        yield [to_dtype(image[None], np.uint8 if converted else np.float32)]


def _frozen(model: keras.Model, shape: tuple[int | None, ...], options: FileOptions, converted: bool) -> Any:
    """What stands in the file, as a function with constants for weights: the model between the file's input and output.

    A SavedModel in between would take most of the time of an export.
    """
    import tensorflow
    from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

    def serve(image: Any) -> Any:
        x = tensorflow.cast(image, tensorflow.float32) * (1 / 255) if converted else image
        y = model(x, training=False)
        if options.classes:
            return tensorflow.cast(tensorflow.argmax(y, -1, output_type=tensorflow.int32), tensorflow.uint8)
        # A file of integers gives bytes by the scale of its output.
        if options.output == "image" and options.precision != "int8":
            return tensorflow.cast(y * 255.0 + 0.5, tensorflow.uint8)
        return y

    signature = tensorflow.TensorSpec(shape, tensorflow.uint8 if converted else tensorflow.float32, name="image")
    function = tensorflow.function(serve, input_signature=[signature], autograph=False)
    return convert_variables_to_constants_v2(function.get_concrete_function())


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
