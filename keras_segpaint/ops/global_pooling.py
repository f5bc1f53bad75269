"""One number for each channel of a feature map, and back."""

from typing import Any

from keras import ops

from keras_segpaint.ops.spatial import spatial_axes, spatial_size


def global_average(x: Any, data_format: str) -> Any:
    """The mean over height and width, `(batch, channels)`, in float32: in half precision the sum would overflow."""
    return ops.mean(ops.cast(x, "float32"), axis=spatial_axes(data_format))


def global_maximum(x: Any, data_format: str) -> Any:
    """The maximum over height and width, `(batch, channels)`, in float32."""
    return ops.cast(ops.max(x, axis=spatial_axes(data_format)), "float32")


def mean_and_deviation(x: Any, data_format: str, epsilon: float = 0.0, unbiased: bool = False) -> tuple[Any, Any]:
    """Mean and standard deviation over height and width, each `(batch, channels)`, in float32.

    Args:
        x: Feature maps.
        data_format: `"channels_last"` or `"channels_first"`.
        epsilon: Added to the variance, under the root: without it the root of a constant channel has no gradient.
        unbiased: Whether the variance is that of a sample, divided by one less than the number of positions. A single
            position has variance 0 either way.
    """
    x = ops.cast(x, "float32")
    axes = spatial_axes(data_format)
    mean = ops.mean(x, axis=axes, keepdims=True)
    rows, columns = spatial_size(x, data_format)
    positions = ops.cast(rows * columns, "float32")
    divisor = ops.maximum(positions - 1.0, 1.0) if unbiased else positions
    variance = ops.sum(ops.square(x - mean), axis=axes) / divisor
    return ops.squeeze(mean, axis=axes), ops.sqrt(variance + epsilon)


def over_positions(vector: Any, data_format: str) -> Any:
    """`(batch, channels)` as a map of one position, to be multiplied with any other."""
    return ops.expand_dims(vector, spatial_axes(data_format))
