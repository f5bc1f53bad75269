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
LITERT = "LiteRT files"
LITERT_DEFAULTS = {"precision": "float32", "input_dtype": "float32", "output": "logits"}


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
    precision: Annotated[
        Literal["float32", "float16", "dynamic_int8", "int8"],
        typer.Option(
            help="float16 and dynamic_int8 have smaller weights; int8 computes in integers.", rich_help_panel=LITERT
        ),
    ] = "float32",
    calibration: Annotated[
        str | None,
        typer.Option(
            metavar="FOLDER|SPEC",
            help="Images for the ranges of int8, as --data of training, or a folder of images. With masks, the mean IoU is "
            "printed. Default: what the run was trained on.",
            show_default=False,
            rich_help_panel=LITERT,
        ),
    ] = None,
    calibration_images: Annotated[
        int, typer.Option(min=1, help="How many of them are taken.", rich_help_panel=LITERT)
    ] = 32,
    input_dtype: Annotated[
        Literal["float32", "uint8"],
        typer.Option("--input", help="uint8: an image's bytes as they are.", rich_help_panel=LITERT),
    ] = "float32",
    result: Annotated[
        Literal["logits", "classes", "small_logits", "small_classes", "image"],
        typer.Option(
            "--output",
            help="classes: a map of them; small: before the last resize; image: of inpainting, bytes.",
            rich_help_panel=LITERT,
        ),
    ] = "logits",
    backend: BackendOption = None,
    debug: DebugOption = False,
) -> None:
    """Write a LiteRT file, an ONNX file or a SavedModel, run it, and compare it with the Keras model.

    An inpainting network's file takes colours in [0, 1] and the hole mask as a fourth channel, and gives the filled image.

    Example: segpaint export runs/enet enet.tflite --size 360x480

    Example: segpaint export runs/enet enet.tflite --precision int8 --calibration photos --input uint8 --output classes
    """
    written: str = kind or next((name for name, suffix in SUFFIXES.items() if target.suffix == suffix), "saved_model")
    if written in SUFFIXES and target.suffix != SUFFIXES[written]:
        raise typer.BadParameter(
            f"must end in {SUFFIXES[written]} for --format {written}. Received: {target}", param_hint="OUT"
        )
    chosen: dict[str, Any] = dict(precision=precision, input_dtype=input_dtype, output=result)
    if written != "litert" and (calibration or chosen != LITERT_DEFAULTS):
        raise UserError("--precision, --calibration, --input and --output are for LiteRT files. Name one, OUT.tflite.")
    start(backend)
    from keras_segpaint import export as room
    from keras_segpaint.cli.export_data import calibration_for
    from keras_segpaint.cli.runs import open_model, task_of
    from keras_segpaint.inference.images import input_channels, input_size

    network, record = open_model(model)
    if (task := task_of(network)) not in EXPORTED:
        raise UserError(
            f"{model} holds a model for {task}. Files are written of models for {' and '.join(EXPORTED)}, which take an image; "
            "for others use keras.Model.export in Python, on the TensorFlow backend."
        )
    height, width = size or (record.size if record else input_size(network))
    if written != "onnx" and (height is None or width is None):
        raise UserError("The file needs a fixed size of its input. Give it with --size, such as --size 360x480.")
    shape: Any = (height, width, input_channels(network))
    if written != "litert":
        write: Any = room.to_onnx if written == "onnx" else room.to_saved_model
        with output.status(f"writing {plain(target)}"):
            print_export(write(network, target, input_shape=shape))
        return
    given: dict[str, Any] = {}
    if precision == "int8" or calibration:
        found = calibration_for(network, record, calibration, shape, calibration_images)
        given.update(images=found.images, labels=found.labels if result in ("logits", "classes") else None)
        given.update(calibration=found.images if precision == "int8" else None)
    known = {"classes": record.class_names, "palette": record.palette} if record and record.class_names else {}
    with output.status(f"writing {plain(target)}"):
        report = room.to_litert(network, target, input_shape=shape, metadata=known or True, **given, **chosen)
    print_export(report)


def export_lines(report: Any) -> dict[str, str]:
    """What was written, and how it compares with the Keras model, as texts by name."""
    lines = {
        "file": str(report.path),
        "size": f"{report.size_bytes / 1e6:.2f} MB",
        "operators": ", ".join(report.operators) + (f" (opset {report.opset})" if report.opset else ""),
    }
    if report.max_difference is not None:
        lines["largest difference"] = f"{report.max_difference:.2e}"
    if report.psnr is not None:
        lines["PSNR"] = f"{report.psnr:.1f} dB against the Keras model"
    if report.equal_argmax is not None:
        lines["equal argmax"] = f"{report.equal_argmax:.4%} of the pixels"
    if report.mean_iou is not None:
        lines["mean IoU"] = f"{report.mean_iou:.4f}, of the Keras model {report.mean_iou_keras:.4f}"
    lines["time"] = f"{report.milliseconds:.1f} ms per image, {report.threads or 'all'} threads"
    return lines


def print_export(report: Any) -> None:
    """Prints `export_lines`."""
    for name, value in export_lines(report).items():
        output.print(f"{name:<20}{plain(value)}", soft_wrap=True, highlight=False)
