"""Windows of convolutions that are padded alike on every side."""

from typing import Any

from keras_segpaint.ops.spatial import channel_axis, replace_spatial, static_spatial_size


def symmetric_pads(kernel_size: tuple[int, int], dilation_rate: tuple[int, int]) -> tuple[int, int]:
    """Rows and columns of padding on each side, as PyTorch's networks have them."""
    rows, columns = (rate * (extent - 1) // 2 for extent, rate in zip(kernel_size, dilation_rate, strict=True))
    return rows, columns


def convolved_shape(
    shape: tuple[int | None, ...],
    filters: int,
    *,
    kernel_size: tuple[int, int],
    strides: tuple[int, int],
    dilation_rate: tuple[int, int],
    data_format: str,
    scale: int = 1,
) -> tuple[int | None, ...]:
    """The shape behind a convolution with `symmetric_pads` of a map that was enlarged `scale` times."""
    pads = symmetric_pads(kernel_size, dilation_rate)
    sizes: tuple[Any, ...] = static_spatial_size(shape, data_format)
    rows, columns = (
        None if extent is None else (extent * scale + 2 * pad - rate * (window - 1) - 1) // stride + 1
        for extent, pad, rate, window, stride in zip(sizes, pads, dilation_rate, kernel_size, strides, strict=True)
    )
    new = list(replace_spatial(shape, (rows, columns), data_format))
    new[channel_axis(data_format)] = filters
    return tuple(new)
