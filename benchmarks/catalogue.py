"""The table of all models: `python -m benchmarks models` counts, and writes what `segpaint models` and the docs show.

Multiply-adds are counted in TensorFlow's graph of one image of 360 x 480: convolutions, transposed convolutions and
products of matrices.
"""

import argparse
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

HEIGHT, WIDTH = 360, 480
ROOT = Path(__file__).resolve().parents[1]
TABLE = ROOT / "keras_segpaint" / "models" / "catalogue.json"
PAGE = ROOT / "docs" / "models.md"
FAMILIES = ("segmentation", "inpainting", "synthesis")


def main(arguments: Sequence[str] | None = None) -> None:
    """Builds every model at its reference setting, counts, and writes the table and the page."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks models", description=__doc__)
    parser.add_argument("--only", default="", help="comma-separated names; the other rows are kept as they are")
    options = parser.parse_args(arguments)
    import keras

    from keras_segpaint import models
    from keras_segpaint.models.inpainting.base import InpaintingModel
    from keras_segpaint.models.segmentation.base import SegmentationModel
    from keras_segpaint.models.synthesis.base import SynthesisModel

    # Critics and encoders are there for training alone.
    networks = [
        name
        for name in sorted(models.segmentation.__all__ + models.inpainting.__all__ + models.synthesis.__all__)
        if issubclass(getattr(models, name), SegmentationModel | InpaintingModel | SynthesisModel)
    ]
    rows = {row["model"]: row for row in json.loads(TABLE.read_text())} if TABLE.exists() else {}
    wanted = [name for name in options.only.split(",") if name] or networks
    for name in wanted:
        rows[name] = measure(getattr(models, name))
        keras.backend.clear_session()
        print(f"{name}: {rows[name]['parameters']:,} parameters, {rows[name]['multiply_adds'] / 1e9:.2f} G", flush=True)
    ordered = [{**rows[name], "family": family(getattr(models, name))} for name in networks]
    TABLE.write_text(json.dumps(ordered, indent=1) + "\n")
    PAGE.write_text(page(ordered))


def family(network: Any) -> str:
    """The room that a class is in."""
    return network.__module__.removeprefix("keras_segpaint.models.").partition(".")[0]


def measure(network: Any) -> dict[str, Any]:
    """One row: what a class says of itself, and what is counted."""
    arguments = {"num_classes": 21} if not network.reference_parameters else dict(network.reference_parameters[0][0])
    if arguments.get("padding") == "valid":
        raise ValueError(f"The first reference setting of {network.__name__} must give logits of the image's size.")
    model = network(**{**arguments, "input_shape": (HEIGHT, WIDTH, 3), "data_format": "channels_last"})
    return {
        "model": network.__name__,
        "family": family(network),
        "paper": network.paper,
        "setting": arguments,
        "parameters": sum(math.prod(variable.shape) for variable in model.trainable_variables),
        "multiply_adds": multiply_adds(model),
        "good_for": network.good_for,
    }


def multiply_adds(model: Any) -> int:
    """Multiply-adds of one image of known size, from TensorFlow's graph."""
    import tensorflow as tf

    function = tf.function(lambda inputs: model(inputs, training=False))
    specs = [tf.TensorSpec((1, *tensor.shape[1:]), tensor.dtype) for tensor in model.inputs]
    graph = function.get_concrete_function(specs if len(specs) > 1 else specs[0]).graph
    return sum(count(operation) for inner in graphs(graph) for operation in inner.get_operations())


def graphs(graph: Any) -> list[Any]:
    """A graph and the functions it calls."""
    found = [graph]
    for operation in graph.get_operations():
        if operation.type in ("PartitionedCall", "StatefulPartitionedCall"):
            inner = graph._get_function(operation.get_attr("f").name)
            found.extend(graphs(inner.graph))
    return found


def count(operation: Any) -> int:
    """Multiply-adds of one operation."""

    def shape(tensor: Any) -> list[int]:
        return tensor.shape.as_list()

    kind = operation.type
    if kind == "Conv2D":
        rows, columns, channels, _ = shape(operation.inputs[1])
        return math.prod(shape(operation.outputs[0])) * rows * columns * channels
    if kind == "DepthwiseConv2dNative":
        rows, columns, _, _ = shape(operation.inputs[1])
        return math.prod(shape(operation.outputs[0])) * rows * columns
    if kind == "Conv2DBackpropInput":
        rows, columns, filters, _ = shape(operation.inputs[1])
        return math.prod(shape(operation.inputs[2])) * rows * columns * filters
    if kind in ("MatMul", "BatchMatMulV2"):
        inner = shape(operation.inputs[0])[
            -2 if operation.get_attr("adj_x" if "Batch" in kind else "transpose_a") else -1
        ]
        return math.prod(shape(operation.outputs[0])) * inner
    if kind == "Einsum":
        terms = operation.get_attr("equation").decode().partition("->")[0].split(",")
        extents: dict[str, int] = {}
        for term, tensor in zip(terms, operation.inputs, strict=True):
            extents.update(zip(term, shape(tensor), strict=True))
        return math.prod(extents.values())
    return 0


def page(rows: Sequence[dict[str, Any]]) -> str:
    """The page of the documentation."""
    lines = [
        "# Models",
        "",
        "Parameters are trainable ones; multiply-adds are those of one image of 360 x 480. Both at the setting named, and",
        "written by `python -m benchmarks models`; `segpaint models` shows the same table.",
    ]
    header = ["| model | paper | parameters | multiply-adds | setting | good for |", "|---|---|---|---|---|---|"]
    shown = ""
    for row in sorted(rows, key=lambda row: (FAMILIES.index(row["family"]), row["model"])):
        if row["family"] != shown:
            shown = row["family"]
            lines += ["", f"## {shown.capitalize()}", "", *header]
        # JSON has no tuples.
        given = {name: tuple(value) if isinstance(value, list) else value for name, value in row["setting"].items()}
        setting = ", ".join(f"{name}={value!r}" for name, value in given.items())
        lines.append(
            f"| `{row['model']}` | {row['paper']} | {row['parameters']:,} | {row['multiply_adds'] / 1e9:.2f} G | "
            f"`{setting}` | {row['good_for']} |"
        )
    return "\n".join(lines) + "\n"
