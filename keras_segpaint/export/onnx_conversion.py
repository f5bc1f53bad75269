"""The part of an export to ONNX that needs the backend, and what is set right in the file."""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import keras
import numpy as np

from keras_segpaint.export.quiet import quiet
from keras_segpaint.export.report import ExportError
from keras_segpaint.extras import require
from keras_segpaint.ops.fusion import unfused

__all__ = ["OPSETS", "operators", "tidy", "write_onnx"]

# What tf2onnx writes; the last is also what PyTorch's operators are written in.
OPSETS = tuple(range(13, 19))


def write_onnx(model: keras.Model, shape: tuple[int | None, ...], path: str | os.PathLike, opset: int) -> None:
    """Writes a model of one input as an ONNX file, on TensorFlow or PyTorch; on the latter all of `shape` must be known.

    Raises:
        ExportError: If PyTorch cannot trace it.
    """
    # The converters warn of their own code: of deprecated calls, and of tracing, whose result is compared.
    with quiet(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if keras.backend.backend() == "torch":
            _by_torch(model, shape, path, opset)
        else:
            _by_tensorflow(model, shape, path, opset)


def _by_tensorflow(model: keras.Model, shape: tuple[int | None, ...], path: str | os.PathLike, opset: int) -> None:
    require("tf2onnx", "onnx", "Exporting to ONNX on TensorFlow")
    signature = [keras.InputSpec(shape=shape, dtype="float32", name="image")]
    # tf2onnx writes calls of compiled functions as they are, and no runtime knows them.
    with unfused(), _constant_statistics(model), _selections():
        model.export(os.fspath(path), format="onnx", input_signature=signature, opset_version=opset, verbose=False)


@contextmanager
def _selections() -> Iterator[None]:
    """Has tf2onnx write a selection of floats as one, not as a sum of products with 0 and 1, by which infinities become NaN."""
    module = require("tf2onnx.onnx_opset.controlflow", "onnx", "Exporting to ONNX on TensorFlow")
    former = vars(module.Select)["version_7"]
    floats = [module.TensorProto.FLOAT, module.TensorProto.DOUBLE]

    def select(cls: Any, context: Any, node: Any, **kwargs: Any) -> None:
        if node.type == "SelectV2" and context.get_dtype(node.output[0]) in floats:
            node.type = "Where"
        else:
            former.__func__(cls, context, node, **kwargs)

    # What writes selections for newer opsets calls that for opset 7 where it sees no infinity among constants.
    module.Select.version_7 = classmethod(select)
    try:
        yield
    finally:
        module.Select.version_7 = former


@contextmanager
def _constant_statistics(model: keras.Model) -> Iterator[None]:
    """Has normalisations to given values trace these as constants; as TensorFlow's tensors they become inputs of the file."""
    found = [layer for layer in model._flatten_layers() if isinstance(layer, keras.layers.Normalization)]
    former = [(layer, layer.mean, layer.variance) for layer in found]
    try:
        for layer, mean, variance in former:
            layer.mean, layer.variance = np.asarray(mean), np.asarray(variance)
        yield
    finally:
        for layer, mean, variance in former:
            layer.mean, layer.variance = mean, variance


def _by_torch(model: keras.Model, shape: tuple[int | None, ...], path: str | os.PathLike, opset: int) -> None:
    import torch

    require("onnxscript", "onnx", "Exporting to ONNX on PyTorch")

    class Inference(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, image: Any) -> Any:
            return self.model(image, training=False)

    image = keras.ops.convert_to_tensor(np.full([extent or 1 for extent in shape], 0.5, np.float32))
    try:
        with torch.no_grad():
            traced = torch.export.export(Inference().eval(), (image,), strict=False)
            program: Any = torch.onnx.export(traced, dynamo=True, opset_version=opset, optimize=True, verbose=False)
    except Exception as error:  # The tracer's errors have no class in common.
        reason = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise ExportError(
            f"PyTorch's exporter cannot trace {model.name}: {reason}. Load the model under KERAS_BACKEND=tensorflow and "
            "export it there."
        ) from error
    program.save(os.fspath(path), external_data=False)


def tidy(path: str | os.PathLike, input_name: str, output_name: str, shape: tuple[int | None, ...]) -> None:
    """Gives a file's input, output and free sizes their names, and leaves nothing in it that the standard does not know.

    Raises:
        ExportError: If an operator is none of ONNX's.
    """
    onnx = require("onnx", "onnx", "Exporting to ONNX")
    model = onnx.load(os.fspath(path))
    versions = {item.domain: item.version for item in model.opset_import}
    used = {(node.op_type, node.domain) for node in _nodes(model.graph)}
    unknown = sorted(
        kind for kind, domain in used if not onnx.defs.has(kind, versions.get(domain, versions[""]), domain)
    )
    if unknown:
        raise ExportError(
            f"The model cannot be written as ONNX, which has no counterpart of {', '.join(unknown)}. Leave out the layers that "
            "need it, or compute that part outside of the model."
        )
    for item in [item for item in model.opset_import if item.domain not in {domain for _, domain in used} | {""}]:
        model.opset_import.remove(item)
    del model.graph.value_info[:]
    if len(model.graph.input) != 1:
        found = ", ".join(value.name for value in model.graph.input)
        raise ExportError(
            f"The model cannot be written as ONNX: a layer holds tensors that are no weights, which became inputs ({found}). "
            "Keep them as NumPy arrays or as weights."
        )
    (first,), (last,) = model.graph.input, model.graph.output
    _rename(model.graph, {first.name: input_name, last.name: output_name})
    for node in _nodes(model.graph):
        if node.op_type == "Resize":
            _standard_resize(node)
    names = ("batch", "height", "width", "channels")
    for value in (first, last):
        extents = value.type.tensor_type.shape.dim
        for extent, name, known in zip(extents, names, (*shape[:3], 1), strict=True):
            if known is None:
                extent.dim_param = name
    onnx.checker.check_model(model)
    onnx.save(model, os.fspath(path))


def operators(model: Any) -> tuple[str, ...]:
    """The kinds of operators in an ONNX model, sorted."""
    return tuple(sorted({node.op_type for node in _nodes(model.graph)}))


def _nodes(graph: Any) -> Iterator[Any]:
    """The nodes of a graph and of the graphs inside of them."""
    for node in graph.node:
        yield node
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                yield from _nodes(inner)


def _rename(graph: Any, names: dict[str, str]) -> None:
    """Renames tensors; one that has a new name already, and keeps it, makes room."""
    names = {**{new: f"{new}_inside" for new in names.values() if new not in names}, **names}
    for value in (*graph.input, *graph.output, *graph.initializer):
        value.name = names.get(value.name, value.name)
    for node in _nodes(graph):
        for tensors in (node.input, node.output):
            tensors[:] = [names.get(name, name) for name in tensors]


def _standard_resize(node: Any) -> None:
    """Writes the nearest pixel as opset 13 and later have it; tf2onnx writes a mode that those have no more."""
    settings = {attribute.name: attribute for attribute in node.attribute}
    mode = settings.get("coordinate_transformation_mode")
    if mode is None or mode.s != b"tf_half_pixel_for_nn":
        return
    # floor(x) of that mode's x, which is half a pixel more.
    mode.s = b"half_pixel"
    settings["nearest_mode"].s = b"round_prefer_ceil"
