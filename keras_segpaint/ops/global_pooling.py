"""One number for each channel of a feature map, and back."""

from typing import Any

from keras import ops

from keras_segpaint.ops.spatial import spatial_axes


def global_average(x: Any, data_format: str) -> Any:
    """The mean over height and width, `(batch, channels)`, in float32: in half precision the sum would overflow."""
    return ops.mean(ops.cast(x, "float32"), axis=spatial_axes(data_format))


def global_maximum(x: Any, data_format: str) -> Any:
    """The maximum over height and width, `(batch, channels)`, in float32."""
    return ops.cast(ops.max(x, axis=spatial_axes(data_format)), "float32")


def over_positions(vector: Any, data_format: str) -> Any:
    """`(batch, channels)` as a map of one position, to be multiplied with any other."""
    return ops.expand_dims(vector, spatial_axes(data_format))
