"""Export to LiteRT, the format of phones and microcontrollers."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras

from keras_segpaint.export.compare import median_milliseconds
from keras_segpaint.export.conversion import write_litert
from keras_segpaint.export.prepare import prepare
from keras_segpaint.export.report import ExportReport
from keras_segpaint.export.runner import LiteRTModel
from keras_segpaint.export.subprocess_tf import in_tensorflow

__all__ = ["to_litert"]


def to_litert(
    model: keras.Model,
    path: str | os.PathLike,
    input_shape: Sequence[int] | None = None,
    images: Any = None,
    check: bool = True,
) -> ExportReport:
    """Writes a model as a `.tflite` file of built-in operators and compares the file with the model.

    The file takes float32 images in [0, 1], `(1, height, width, channels)`, and gives logits, whatever data format the
    model has. That of an inpainting model takes colours with the hole mask as a fourth channel, 1 is a hole, and gives the
    filled image in [0, 1], known pixels kept (a sketch is the fifth channel); a model of mixed precision is written, and
    compared, in float32. On the JAX and PyTorch backends the conversion runs in a TensorFlow process of its own, for which
    layers outside of this package must be in an importable module. The file appears only once it passed the comparison.

    Args:
        model: A segmentation model that gives logits, or an inpainting model.
        path: The file to write; an existing one is replaced.
        input_shape: `(height, width, channels)`, of an inpainting model 4 channels. Defaults to the size that
            the model was built for.
        images: Images to compare on, uint8 or floating in [0, 1], `(batch, height, width, channels)` of this size.
            Defaults to one made-up picture, always the same.
        check: Boolean, compare and measure. Defaults to `True`.

    Returns:
        An `ExportReport`.

    Raises:
        ExportError: If an operator is not built in (the message names each), or if the file disagrees with the model.
        ImportError: If TensorFlow or `ai-edge-litert` is not installed.
        ValueError: If a shape is unknown or does not fit.

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
    ready = prepare(model, input_shape, images, check=check, free=False)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        if keras.backend.backend() == "tensorflow":
            write_litert(ready.model, ready.shape, temporary)
        else:
            in_tensorflow("litert", ready.model, shape=ready.shape, path=str(temporary.resolve()))
        runner = LiteRTModel(temporary)
        measured: dict[str, Any] = {}
        if ready.images is not None:
            measured = ready.compare(runner(ready.images))
            measured.update(milliseconds=median_milliseconds(runner, ready.images), threads=runner.threads)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return ExportReport(path, "litert", path.stat().st_size, runner.operators, ready.shape, **measured)
