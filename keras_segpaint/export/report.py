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
        max_difference: Largest absolute difference from the Keras model's logits or filled image, `None` without a check.
        equal_argmax: Share of pixels of the same class in [0, 1], `None` without a check and for inpainting.
        milliseconds: Median time per image, batch 1, `None` without a check.
        threads: CPU threads that this time was measured with.
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
    opset: int | None = None

    def __str__(self) -> str:
        shape = " x ".join("?" if extent is None else str(extent) for extent in self.input_shape)
        version = "" if self.opset is None else f" of opset {self.opset}"
        line = (
            f"{self.path}: {self.format}{version}, {self.size_bytes / 1e6:.2f} MB, input {shape}, "
            f"{len(self.operators)} kinds of operators"
        )
        if self.max_difference is None:
            return f"{line}; not checked"
        pictures = "1 image" if self.images == 1 else f"{self.images} images"
        threads = "1 thread" if self.threads == 1 else f"{self.threads} threads"
        equal = "" if self.equal_argmax is None else f"equal class {self.equal_argmax:.2%}, "
        return (
            f"{line}; on {pictures} largest difference {self.max_difference:.2e}, {equal}"
            f"{self.milliseconds:.1f} ms per image with {threads}"
        )
