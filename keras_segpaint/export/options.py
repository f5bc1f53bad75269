"""What a LiteRT file is to take, to compute in and to give."""

from dataclasses import dataclass

__all__ = ["FileOptions"]

PRECISIONS = ("float32", "float16", "dynamic_int8", "int8")
INPUT_DTYPES = ("float32", "uint8")
# Outputs by whether the model fills holes.
OUTPUTS = {False: ("logits", "classes", "small_logits", "small_classes"), True: ("logits", "image")}


@dataclass(frozen=True)
class FileOptions:
    """The choices of `to_litert`.

    Args:
        precision: `"float32"`, `"float16"`, `"dynamic_int8"` or `"int8"`.
        input_dtype: `"float32"` or `"uint8"`.
        output: `"logits"`, `"classes"`, `"small_logits"`, `"small_classes"`, or `"image"`.

    Raises:
        ValueError: If one is none of these.

    Example:
        >>> FileOptions(output="small_classes").classes, FileOptions(output="small_classes").small
        (True, True)
    """

    precision: str = "float32"
    input_dtype: str = "float32"
    output: str = "logits"

    def __post_init__(self):
        outputs = tuple(dict.fromkeys(OUTPUTS[False] + OUTPUTS[True]))
        for name, allowed in (("precision", PRECISIONS), ("input_dtype", INPUT_DTYPES), ("output", outputs)):
            if getattr(self, name) not in allowed:
                raise ValueError(f"`{name}` must be one of {allowed}. Received: {name}={getattr(self, name)!r}")

    @property
    def classes(self) -> bool:
        """Whether the file gives class numbers."""
        return self.output.endswith("classes")

    @property
    def small(self) -> bool:
        """Whether the file ends before the model's last resize."""
        return self.output.startswith("small")

    def check_output(self, fills: bool) -> None:
        """Raises `ValueError` if the output does not go with what the model does."""
        if self.output not in OUTPUTS[fills]:
            kind = "an inpainting model" if fills else "a segmentation model"
            raise ValueError(f"`output` of {kind} must be one of {OUTPUTS[fills]}. Received: output={self.output!r}")
