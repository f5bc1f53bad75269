"""Height and width of a feature map, whatever the data format and whether they are known yet."""

from typing import Any

import keras
from keras import ops

Size = tuple[Any, Any]


def standardize_data_format(data_format: str | None) -> str:
    """Returns `data_format`, or Keras's default for `None`; raises `ValueError` for anything else."""
    if data_format is None:
        return keras.config.image_data_format()
    if data_format not in ("channels_last", "channels_first"):
        raise ValueError(
            f'`data_format` must be "channels_last", "channels_first" or None. Received: data_format={data_format!r}'
        )
    return data_format


def spatial_axes(data_format: str) -> tuple[int, int]:
    """The axes of height and width in a 4-D feature map."""
    return (1, 2) if data_format == "channels_last" else (2, 3)


def channel_axis(data_format: str) -> int:
    """The axis of the channels in a 4-D feature map."""
    return -1 if data_format == "channels_last" else 1


def spatial_size(x: Any, data_format: str) -> Size:
    """Height and width of `x`: Python integers where they are known, scalar tensors where not."""
    shape = ops.shape(x)
    rows, columns = spatial_axes(data_format)
    return shape[rows], shape[columns]


def static_spatial_size(shape: tuple[int | None, ...], data_format: str) -> tuple[int | None, int | None]:
    """Height and width in a static shape; `None` where unknown."""
    rows, columns = spatial_axes(data_format)
    return shape[rows], shape[columns]


def replace_spatial(
    shape: tuple[int | None, ...], size: tuple[int | None, int | None], data_format: str
) -> tuple[int | None, ...]:
    """A static shape with height and width replaced."""
    rows, columns = spatial_axes(data_format)
    result = list(shape)
    result[rows], result[columns] = size
    return tuple(result)


def slice_spatial(x: Any, rows: slice, columns: slice, data_format: str) -> Any:
    """`x[rows, columns]` along height and width."""
    if data_format == "channels_last":
        return x[:, rows, columns, :]
    return x[:, :, rows, columns]


def pad_spatial(x: Any, rows: Size, columns: Size, data_format: str, value: float = 0.0) -> Any:
    """Pads height by `rows = (before, after)` and width by `columns` with a constant."""
    if data_format == "channels_last":
        width = ((0, 0), rows, columns, (0, 0))
    else:
        width = ((0, 0), (0, 0), rows, columns)
    return ops.pad(x, width, mode="constant", constant_values=value)


def interleave(cells: list[Any], rows: int, columns: int, data_format: str) -> Any:
    """Weaves `rows * columns` maps into one that is `rows` times as high and `columns` times as wide.

    `cells[i * columns + j]` fills the positions `(rows * y + i, columns * x + j)`: the inverse of strided slices.
    """
    height_axis, width_axis = spatial_axes(data_format)
    shape = list(ops.shape(cells[0]))
    wide = []
    shape[width_axis] = shape[width_axis] * columns
    for i in range(rows):
        row = ops.stack(cells[i * columns : (i + 1) * columns], axis=width_axis + 1)
        wide.append(ops.reshape(row, shape))
    shape[height_axis] = shape[height_axis] * rows
    return ops.reshape(ops.stack(wide, axis=height_axis + 1), shape)
