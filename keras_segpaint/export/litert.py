"""Export to LiteRT, the format of phones and microcontrollers."""

import os
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_segpaint.export.agreement import agreement
from keras_segpaint.export.calibration import calibration_images
from keras_segpaint.export.compare import median_milliseconds
from keras_segpaint.export.conversion import write_litert
from keras_segpaint.export.files import replacing, to_dtype
from keras_segpaint.export.metadata import describe, write_metadata
from keras_segpaint.export.options import FileOptions
from keras_segpaint.export.prepare import Prepared, prepare
from keras_segpaint.export.report import ExportError, ExportReport
from keras_segpaint.export.runner import LiteRTModel
from keras_segpaint.export.subprocess_tf import in_tensorflow
from keras_segpaint.models.inpainting.base import InpaintingModel

__all__ = ["to_litert"]


def to_litert(
    model: keras.Model,
    path: str | os.PathLike,
    input_shape: Sequence[int] | None = None,
    images: Any = None,
    check: bool = True,
    *,
    labels: Any = None,
    precision: str = "float32",
    calibration: Iterable[Any] | None = None,
    input_dtype: str = "float32",
    output: str = "logits",
    metadata: bool | Mapping[str, Any] = True,
) -> ExportReport:
    """Writes a model as a `.tflite` file of built-in operators and compares the file with the model.

    The file takes images in [0, 1], or bytes, `(1, height, width, channels)`, and gives logits or classes, whatever data
    format the model has. That of an inpainting model takes colours with the hole mask as a fourth channel, 1 (of bytes 255)
    is a hole, and gives the filled image in [0, 1], known pixels kept (a sketch is the fifth channel); a model of mixed
    precision is written, and compared, in float32. On the JAX and PyTorch backends the conversion runs in a TensorFlow
    process of its own, for which layers outside of this package must be in an importable module. The file appears only once
    it passed the comparison: floats have to agree, integers may round, but must not be grossly wrong.

    Args:
        model: A segmentation model that gives logits, or an inpainting model.
        path: The file to write; an existing one is replaced.
        input_shape: `(height, width, channels)`, of an inpainting model 4 channels. Defaults to the size that
            the model was built for.
        images: Images to compare on, uint8 or floating in [0, 1], `(batch, height, width, channels)` of this size.
            Defaults to one made-up picture, always the same.
        check: Boolean, compare and measure. Defaults to `True`.
        labels: Label maps of `images`, integers `(batch, height, width)`, 255 where none counts: the report then has the
            mean IoU of both. Defaults to `None`.
        precision: `"float32"`; `"float16"`, weights of half the size; `"dynamic_int8"`, weights of 8 bits and activations
            in floats; or `"int8"`, integers throughout, the smallest and fastest. Defaults to `"float32"`.
        calibration: For `"int8"`, from which it takes its ranges: some ten to a hundred images like those to come, an array or
            one after another, uint8 or floating in [0, 1]. Defaults to `None`.
        input_dtype: `"float32"`, or `"uint8"` for a file that takes an image's bytes as they are. Defaults to `"float32"`.
        output: `"logits"`; `"classes"`, a uint8 map of the greatest logits, the first of equal ones; `"small_logits"` and
            `"small_classes"`, the same before the resize that a model ends with; or of an inpainting model `"image"`, uint8.
            Defaults to `"logits"`.
        metadata: Whether the file describes itself (see `read_metadata`), or what to add to the description, such as
            `{"classes": names, "palette": colours, "licence": text}`. Defaults to `True`.

    Returns:
        An `ExportReport`.

    Raises:
        ExportError: If an operator is not built in (the message names each), or if the file disagrees with the model or does not
            run, as one of integers that divide by what rounds to zero.
        ImportError: If TensorFlow or `ai-edge-litert` is not installed.
        ValueError: If a shape is unknown or does not fit, a choice does not go with the model, or images to calibrate on
            are missing.

    Example:
        >>> import tempfile
        >>> from keras_segpaint.models import UNet
        >>> model = UNet(2, base_filters=2)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     report = to_litert(model, f"{folder}/unet.tflite", input_shape=(32, 48, 3))
        >>> report.input_shape, report.equal_argmax > 0.99
        ((1, 32, 48, 3), True)
    """
    path = Path(path)
    options = FileOptions(precision, input_dtype, output)
    fills = isinstance(model, InpaintingModel)
    options.check_output(fills)
    if getattr(model, "guidance", None) == "input" and (precision == "int8" or input_dtype == "uint8"):
        raise ValueError(
            "A model that takes label maps beside its image, whose numbers have another range, is written with "
            f'input_dtype="float32" and not in "int8". Received: precision={precision!r}, input_dtype={input_dtype!r}'
        )
    ready = prepare(model, input_shape, images, check=check, free=False, small=options.small)
    if input_dtype == "uint8" and ready.images is not None:
        # Both are to see the same image.
        ready = replace(ready, images=to_dtype(to_dtype(ready.images, np.uint8)))
    truth = _labels(labels, ready, options)
    ranges = calibration_images(calibration, ready.shape, fills) if precision == "int8" else None
    with replacing(path) as temporary:
        _write(ready, temporary, options, ranges)
        runner = LiteRTModel(temporary)
        measured: dict[str, Any] = {}
        if ready.images is not None:
            try:
                measured = agreement(ready.model.predict_on_batch, runner, ready.images, options, fills, truth)
            except RuntimeError as error:
                raise ExportError(f"The file of {model.name} in {precision} does not run: {error}") from error
            measured.update(milliseconds=median_milliseconds(runner, ready.images), threads=runner.threads)
        if metadata is not False:
            more = dict(metadata) if isinstance(metadata, Mapping) else {}
            write_metadata(temporary, describe(model, options, ready.shape, runner.output_shape, fills, more))
    return ExportReport(
        path, "litert", path.stat().st_size, runner.operators, ready.shape, **measured, **asdict(options)
    )


def _write(ready: Prepared, path: Path, options: FileOptions, calibration: np.ndarray | None) -> None:
    """Writes the file, in this process or in one of TensorFlow."""
    if keras.backend.backend() == "tensorflow":
        write_litert(ready.model, ready.shape, path, options, calibration, ready.fills)
        return
    arguments = dict(shape=ready.shape, path=str(path.resolve()), options=asdict(options), outliers=ready.fills)
    if calibration is None:
        in_tensorflow("litert", ready.model, **arguments)
        return
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "calibration.npy")
        np.save(file, calibration)
        in_tensorflow("litert", ready.model, **arguments, calibration=str(file))


def _labels(labels: Any, ready: Prepared, options: FileOptions) -> np.ndarray | None:
    """Label maps, checked."""
    if labels is None or ready.images is None:
        return None
    if ready.fills or options.small:
        raise ValueError(
            "`labels` are for segmentation models and outputs of the input's size. "
            f"Received: labels with output={options.output!r}"
        )
    labels = np.asarray(labels)
    if labels.shape != ready.images.shape[:3] or not np.issubdtype(labels.dtype, np.integer):
        raise ValueError(
            f"`labels` must be integers of the shape {ready.images.shape[:3]}, one map for each of `images`. "
            f"Received: {labels.dtype} of shape {labels.shape}"
        )
    return labels
