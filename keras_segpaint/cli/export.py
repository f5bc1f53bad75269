"""`segpaint export`: a trained network as a file for phones and servers."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from keras_segpaint.cli.console import output, plain
from keras_segpaint.cli.errors import UserError
from keras_segpaint.cli.options import BackendOption, DebugOption, RunArgument, SizeOption, start

__all__ = ["export", "export_lines", "print_export"]

SUFFIXES = {"litert": ".tflite", "onnx": ".onnx"}
EXPORTED = ("segmentation", "inpainting")


def export(
    model: RunArgument,
    target: Annotated[
        Path, typer.Argument(metavar="OUT.tflite|OUT.onnx|DIR", help="The file or folder to write.", show_default=False)
    ],
    size: SizeOption = None,
    kind: Annotated[
        Literal["litert", "onnx", "saved_model"] | None,
        typer.Option("--format", help="Default: by OUT's ending; saved_model without one.", show_default=False),
    ] = None,
    backend: BackendOption = None,
    debug: DebugOption = False,
) -> None:
    """Write a LiteRT file, an ONNX file or a SavedModel, run it, and compare it with the Keras model.

    An inpainting network's file takes colours in [0, 1] and the hole mask as a fourth channel, and gives the filled image.

    Example: segpaint export runs/enet enet.tflite --size 360x480
    """
    kind = kind or next((name for name, suffix in SUFFIXES.items() if target.suffix == suffix), "saved_model")
    if kind in SUFFIXES and target.suffix != SUFFIXES[kind]:
        raise typer.BadParameter(
            f"must end in {SUFFIXES[kind]} for --format {kind}. Received: {target}", param_hint="OUT"
        )
    start(backend)
    from keras_segpaint import export as room
    from keras_segpaint.cli.runs import open_model, task_of
    from keras_segpaint.inference.images import input_channels, input_size

    network, record = open_model(model)
    if (task := task_of(network)) not in EXPORTED:
        raise UserError(
            f"{model} holds a model for {task}. Files are written of models for {' and '.join(EXPORTED)}, which take an image; "
            "for others use keras.Model.export in Python, on the TensorFlow backend."
        )
    height, width = size or (record.size if record else input_size(network))
    if kind != "onnx" and (height is None or width is None):
        raise UserError("The file needs a fixed size of its input. Give it with --size, such as --size 360x480.")
    write: Any = {"litert": room.to_litert, "onnx": room.to_onnx, "saved_model": room.to_saved_model}[kind]
    with output.status(f"writing {plain(target)}"):
        report = write(network, target, input_shape=(height, width, input_channels(network)))
    print_export(report)


def export_lines(report: Any) -> dict[str, str]:
    """What was written, and how it compares with the Keras model, as texts by name."""
    lines = {
        "file": str(report.path),
        "size": f"{report.size_bytes / 1e6:.2f} MB",
        "operators": ", ".join(report.operators) + (f" (opset {report.opset})" if report.opset else ""),
        "largest difference": f"{report.max_difference:.2e}",
    }
    if report.equal_argmax is not None:
        lines["equal argmax"] = f"{report.equal_argmax:.4%} of the pixels"
    lines["time"] = f"{report.milliseconds:.1f} ms per image, {report.threads or 'all'} threads"
    return lines


def print_export(report: Any) -> None:
    """Prints `export_lines`."""
    for name, value in export_lines(report).items():
        output.print(f"{name:<20}{plain(value)}", soft_wrap=True, highlight=False)
