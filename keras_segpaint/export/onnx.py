"""Export to ONNX, the format of servers and of runtimes of many makers."""

import importlib.util
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras

from keras_segpaint.export.compare import median_milliseconds
from keras_segpaint.export.files import replacing
from keras_segpaint.export.onnx_conversion import OPSETS, tidy, write_onnx
from keras_segpaint.export.onnx_runner import ONNXModel
from keras_segpaint.export.prepare import Prepared, check_images, prepare
from keras_segpaint.export.report import ExportError, ExportReport
from keras_segpaint.export.subprocess_tf import in_tensorflow
from keras_segpaint.extras import require

__all__ = ["to_onnx"]


def to_onnx(
    model: keras.Model,
    path: str | os.PathLike,
    input_shape: Sequence[int | None] | None = None,
    images: Any = None,
    check: bool = True,
    opset: int | None = None,
) -> ExportReport:
    """Writes a model as an `.onnx` file and compares the file, run by ONNX Runtime, with the model.

    The file's input is called `image` (of an inpainting model `image_and_mask`), its output `logits` (`filled`); they hold
    what those of `to_litert` hold: float32 images in [0, 1], `(1, height, width, channels)`, whatever data format the model
    has. Height and width may stay free. Who writes it depends on the backend:

    - TensorFlow: tf2onnx.
    - PyTorch: `torch.onnx`, where height and width are given and `opset` is 18. Sizes that are to stay free it fixes without
      a word; files of these are written in a TensorFlow process of its own.
    - JAX: such a process, always.

    The file appears only once it passed the comparison.

    Args:
        model: A segmentation model that gives logits, or an inpainting model.
        path: The file to write; an existing one is replaced.
        input_shape: `(height, width, channels)`, of an inpainting model 4 channels; height and width may be `None`.
            Defaults to the model's own.
        images: Images to compare on, uint8 or floating in [0, 1], `(batch, height, width, channels)`. Defaults to one
            made-up picture, always the same, and where sizes are free to one more of another size.
        check: Boolean, compare and measure. Defaults to `True`.
        opset: The version of ONNX's operators, from `13` to `18`, which is the default.

    Returns:
        An `ExportReport`, with `opset`; its operators are ONNX's.

    Raises:
        ExportError: If an operator has no counterpart, the file disagrees with the model, or the backend cannot write it
            and TensorFlow is not installed.
        ImportError: If a package of the extra `onnx` is not installed.
        ValueError: If a shape or `opset` does not fit.

    Example:
        >>> import tempfile
        >>> from keras_segpaint.models import UNet
        >>> to_onnx(UNet(2, base_filters=2), "unet.onnx", opset=3)
        Traceback (most recent call last):
            ...
        ValueError: `opset` must be one of 13, 14, 15, 16, 17, 18. Received: opset=3
    """
    path = Path(path)
    opset = OPSETS[-1] if opset is None else opset
    if opset not in OPSETS:
        raise ValueError(f"`opset` must be one of {', '.join(map(str, OPSETS))}. Received: opset={opset}")
    for module in ("onnx", "onnxruntime"):
        require(module, "onnx", "Exporting to ONNX")
    ready = prepare(model, input_shape, images, check=check, free=True)
    native = _writes(ready.shape, opset)
    with replacing(path) as temporary:
        if native:
            write_onnx(ready.model, ready.shape, temporary, opset)
        else:
            in_tensorflow("onnx", ready.model, shape=ready.shape, path=str(temporary.resolve()), opset=opset)
        tidy(temporary, *("image_and_mask", "filled") if ready.fills else ("image", "logits"), shape=ready.shape)
        runner = ONNXModel(temporary)
        measured: dict[str, Any] = {}
        if ready.images is not None:
            if images is None and None in ready.shape:
                _compare_another_size(ready, runner)
            measured = ready.compare(runner(ready.images))
            measured.update(milliseconds=median_milliseconds(runner, ready.images), threads=runner.threads)
    size = path.stat().st_size
    return ExportReport(path, "onnx", size, runner.operators, ready.shape, **measured, opset=runner.opset)


def _writes(shape: tuple[int | None, ...], opset: int) -> bool:
    """Whether this backend writes the file itself.

    Raises:
        ExportError: If none can.
    """
    backend = keras.backend.backend()
    if backend == "tensorflow" or (backend == "torch" and None not in shape and opset == OPSETS[-1]):
        return True
    if importlib.util.find_spec("tensorflow") is None:
        fixed = "" if backend == "jax" else f"give `input_shape` without None and leave `opset` at {OPSETS[-1]}, or "
        raise ExportError(
            f"On the backend {backend} the shape {shape[1:]} at opset {opset} is written by TensorFlow, which is not installed: "
            f'{fixed}install it with: pip install "keras_segpaint[tensorflow,onnx]"'
        )
    return False


def _compare_another_size(ready: Prepared, runner: ONNXModel) -> None:
    """Catches a file that holds the size it was traced with, though its input takes any."""
    height, width = (extent or other for extent, other in zip(ready.shape[1:3], (64, 160), strict=True))
    images = check_images(None, (1, height, width, ready.shape[3]), ready.fills)
    replace(ready, images=images).compare(runner(images))
