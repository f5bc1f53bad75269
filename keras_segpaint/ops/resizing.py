"""Resizing by two small matrices or by index: any size, known or not, and each of the pixel conventions."""

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_segpaint.ops.spatial import Size, slice_spatial, spatial_axes, spatial_size


def _source_positions(source: Any, target: Any, align_corners: bool, half_pixel_centers: bool) -> Any:
    """Where each of `target` output pixels lies among `source` input pixels."""
    steps = ops.cast(ops.arange(target, dtype="int32"), "float32")
    source, target = ops.cast(source, "float32"), ops.cast(target, "float32")
    if align_corners:
        return steps * (source - 1.0) / ops.maximum(target - 1.0, 1.0)
    if not half_pixel_centers:
        return ops.minimum(steps * source / target, source - 1.0)
    return ops.clip((steps + 0.5) * source / target - 0.5, 0.0, source - 1.0)


def _interpolation_matrix(source: Any, target: Any, align_corners: bool, half_pixel_centers: bool, dtype: str) -> Any:
    """`(target, source)` weights of linear interpolation: a triangle of width one around each source position."""
    positions = _source_positions(source, target, align_corners, half_pixel_centers)
    pixels = ops.cast(ops.arange(source, dtype="int32"), "float32")
    distance = ops.abs(ops.expand_dims(positions, 1) - ops.expand_dims(pixels, 0))
    return ops.cast(ops.maximum(1.0 - distance, 0.0), dtype)


def bilinear(x: Any, size: Size, align_corners: bool, data_format: str, half_pixel_centers: bool = True) -> Any:
    """Bilinear resizing of a 4-D map to `size`, integers or scalar tensors."""
    height, width = spatial_size(x, data_format)
    rows = _interpolation_matrix(height, size[0], align_corners, half_pixel_centers, x.dtype)
    columns = _interpolation_matrix(width, size[1], align_corners, half_pixel_centers, x.dtype)
    if data_format == "channels_last":
        return ops.einsum("xw,byws->byxs", columns, ops.einsum("yh,bhws->byws", rows, x))
    return ops.einsum("xw,bsyw->bsyx", columns, ops.einsum("yh,bshw->bsyw", rows, x))


def nearest(x: Any, size: Size, data_format: str) -> Any:
    """Nearest-neighbour resizing of a 4-D map to `size`: the source pixel that holds the output pixel's centre."""
    for axis, source, target in zip(spatial_axes(data_format), spatial_size(x, data_format), size, strict=True):
        steps = ops.arange(target, dtype="int32")
        # floor((i + 1/2) * source / target) in integers, which no rounding can put on the wrong side.
        x = ops.take(x, (2 * steps + 1) * source // (2 * target), axis=axis)
    return x


def nearest_point(x: Any, size: Size, align_corners: bool, data_format: str) -> Any:
    """Nearest-neighbour resizing of a 4-D map to `size` as TensorFlow 1 does it, where pixels are points.

    The source pixel is `floor(i * source / target)`, or with `align_corners` `i * (source - 1) / (target - 1)` rounded.
    """
    for axis, source, target in zip(spatial_axes(data_format), spatial_size(x, data_format), size, strict=True):
        x = ops.take(x, _nearest_points(source, target, align_corners), axis=axis)
    return x


def _nearest_points(source: Any, target: Any, align_corners: bool) -> Any:
    """Each output pixel's source, in float32 as TensorFlow computes it, which decides what lies half way."""
    known = isinstance(source, int) and isinstance(target, int)
    # A compiler may contract a product and a sum, which rounds otherwise.
    room: Any = np if known else ops
    steps = np.arange(target, dtype="float32") if known else ops.cast(ops.arange(target, dtype="int32"), "float32")
    have, want = (np.float32(size) if known else ops.cast(size, "float32") for size in (source, target))
    scale = have / want
    if align_corners:
        scale = room.where(want > 1.0, (have - 1.0) / room.maximum(want - 1.0, 1.0), scale)
    position = steps * scale
    pixel = room.floor(position)
    if align_corners:
        pixel = room.where(position - pixel >= 0.5, pixel + 1.0, pixel)
    pixel = room.minimum(pixel, have - 1.0)
    return pixel.astype("int32") if known else ops.cast(pixel, "int32")


def nearest_top_left(x: Any, size: Size, data_format: str) -> Any:
    """Nearest-neighbour resizing of a 4-D map to `size` by the source pixel `floor(i * source / target)`.

    PyTorch's rule, that of most networks which are given a label map: where a block of pixels becomes one, it is the
    block's top left pixel. Enlarged to a multiple of the size it is the same as `nearest`.
    """
    have = spatial_size(x, data_format)
    if all(isinstance(extent, int) for extent in (*have, *size)):
        if have == tuple(size):
            return x
        if have[0] % size[0] == have[1] % size[1] == 0:
            rows, columns = (slice(None, None, there // here) for there, here in zip(have, size, strict=True))
            return slice_spatial(x, rows, columns, data_format)
    for axis, source, target in zip(spatial_axes(data_format), have, size, strict=True):
        x = ops.take(x, ops.arange(target, dtype="int32") * source // target, axis=axis)
    return x


def enlarge(x: Any, size: tuple[int, int], data_format: str) -> Any:
    """Nearest-neighbour enlargement of a 4-D map of known size to a multiple of it: each pixel repeated."""
    if keras.backend.backend() != "tensorflow":
        return ops.image.resize(x, size, interpolation="nearest", data_format=data_format)

    factors = tuple(there // here for there, here in zip(size, spatial_size(x, data_format), strict=True))

    # XLA has TensorFlow's operation but not its gradient.
    @ops.custom_gradient
    def repeat(x: Any) -> Any:
        def gradient(upstream: Any) -> Any:
            mean = ops.average_pool(upstream, factors, strides=factors, padding="valid", data_format=data_format)
            return mean * (factors[0] * factors[1])

        return ops.image.resize(x, size, interpolation="nearest", data_format=data_format), gradient

    return repeat(x)
