"""What an export says about its result, and the error if there is none."""

from dataclasses import dataclass
from pathlib import Path

__all__ = ["ExportError", "ExportReport"]


class ExportError(RuntimeError):
    """A model cannot be exported, or its export does not compute what the model computes."""


@dataclass(frozen=True)
class ExportReport:
    """The result of an export.

    Args:
        path: The file or folder that was written.
        format: `"litert"`, `"onnx"` or `"saved_model"`.
        size_bytes: Its size.
        operators: The kinds of operators in it, sorted.
        input_shape: `(1, height, width, channels)`; `None` for a size that is free.
        images: How many images it was compared on; `0` without a check.
        max_difference: Largest absolute difference from the Keras model's logits or filled image, `None` without a check and
            of class maps.
        equal_argmax: Share of pixels of the same class in [0, 1], `None` without a check and for inpainting.
        milliseconds: Median time per image, batch 1, `None` without a check.
        threads: CPU threads that this time was measured with.
        precision: What a LiteRT file computes in: `"float32"`, `"float16"`, `"dynamic_int8"` or `"int8"`.
        input_dtype: What it takes: `"float32"` or `"uint8"`.
        output: What it gives: `"logits"`, `"classes"`, `"small_logits"`, `"small_classes"`, or `"image"`.
        psnr: Of filled images against those of the Keras model, in dB; `None` without a check and for segmentation.
        mean_iou: Of the file's classes against labels, `None` without them.
        mean_iou_keras: The same of the Keras model.
        opset: Of an ONNX file, the version of its operators.

    Example:
        >>> print(ExportReport(Path("enet.tflite"), "litert", 1_500_000, ("ADD", "CONV_2D"), (1, 96, 80, 3)))
        enet.tflite: litert, 1.50 MB, input 1 x 96 x 80 x 3, 2 kinds of operators; not checked
    """

    path: Path
    format: str
    size_bytes: int
    operators: tuple[str, ...]
    input_shape: tuple[int | None, ...]
    images: int = 0
    max_difference: float | None = None
    equal_argmax: float | None = None
    milliseconds: float | None = None
    threads: int | None = None
    precision: str = "float32"
    input_dtype: str = "float32"
    output: str = "logits"
    psnr: float | None = None
    mean_iou: float | None = None
    mean_iou_keras: float | None = None
    opset: int | None = None

    def __str__(self) -> str:
        shape = " x ".join("?" if extent is None else str(extent) for extent in self.input_shape)
        kind = self.format if self.precision == "float32" else f"{self.format} of {self.precision}"
        version = "" if self.opset is None else f" of opset {self.opset}"
        dtype = "" if self.input_dtype == "float32" else f" {self.input_dtype}"
        line = (
            f"{self.path}: {kind}{version}, {self.size_bytes / 1e6:.2f} MB, input {shape}{dtype}, "
            f"{len(self.operators)} kinds of operators"
        )
        if not self.images:
            return f"{line}; not checked"
        pictures = "1 image" if self.images == 1 else f"{self.images} images"
        threads = "1 thread" if self.threads == 1 else f"{self.threads} threads"
        found = [
            text.format(value)
            for text, value in (
                ("largest difference {:.2e}", self.max_difference),
                ("PSNR {:.1f} dB", self.psnr if self.precision != "float32" or self.max_difference is None else None),
                ("equal class {:.2%}", self.equal_argmax),
                ("mean IoU {:.4f}", self.mean_iou),
                ("of the Keras model {:.4f}", self.mean_iou_keras),
            )
            if value is not None
        ]
        return f"{line}; on {pictures} {', '.join(found)}, {self.milliseconds:.1f} ms per image with {threads}"
