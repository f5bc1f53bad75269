"""What an attention layer attends to, for display."""

from typing import Any, Literal, NamedTuple

from keras import ops

from keras_segpaint.ops.labels import channels_last
from keras_segpaint.ops.softmax import attention_weights
from keras_segpaint.ops.spatial import spatial_size

Kind = Literal["weights", "gates", "channels", "offsets"]


class AttentionMap(NamedTuple):
    """What the method `attention_map(*inputs, position=None)` of a layer gives back.

    `kind` says what `values`, a tensor with a batch axis, holds:

    - `"weights"`, `(batch, rows, columns)`: how much the position asked for takes from each position.
    - `"gates"`, `(batch, rows, columns, maps)`: how much each position counts, in one map or in several.
    - `"channels"`, `(batch, queries, channels)`: how much each channel takes from each channel, or with one query by how
      much each channel is multiplied.
    - `"offsets"`, `(batch, rows, columns, 2)`: rows and columns from each position to the one that it takes most from.

    `names` holds one name for each map of `"gates"`.
    """

    kind: Kind
    values: Any
    names: tuple[str, ...] = ()


def position_weights(
    query: Any,
    key: Any,
    position: tuple[int, int] | None,
    data_format: str,
    reach: Any = None,
    softmax: bool = True,
) -> Any:
    """The softmax of the products of one query with all keys, in float32.

    Args:
        query: `(batch, height, width, channels)`, or channels second with `data_format="channels_first"`.
        key: A map of as many channels and of any size.
        position: Row and column of the query.
        data_format: `"channels_last"` or `"channels_first"`.
        reach: Boolean `(rows, columns)`, the keys that count; `None` for all.
        softmax: Boolean, `False` for the products over the number of keys.

    Returns:
        `(batch, rows, columns)` of the keys' size.

    Raises:
        ValueError: If there is no such position.
    """
    row, column = checked_position(position, query, data_format)
    query, key = (ops.cast(channels_last(x, data_format), "float32") for x in (query, key))
    energy = ops.einsum("bc,bhwc->bhw", query[:, row, column], key)
    batch, rows, columns = energy.shape
    if not softmax:
        return energy / (rows * columns)
    if reach is not None:
        energy = ops.where(reach, energy, float("-inf"))
    flat = attention_weights(ops.reshape(energy, (batch, rows * columns)), "float32")
    return ops.reshape(flat, (batch, rows, columns))


def checked_position(position: tuple[int, int] | None, x: Any, data_format: str) -> tuple[int, int]:
    """The row and column of a position in a feature map.

    Raises:
        ValueError: If there is none, or it lies outside of the map.
    """
    height, width = spatial_size(x, data_format)
    if position is None:
        raise ValueError(
            "`position` must be given, (row, column): this layer attends elsewhere from each position. "
            "Received: position=None"
        )
    row, column = position
    if not (0 <= row < height and 0 <= column < width):
        raise ValueError(f"`position` must lie in a map of {height} x {width}. Received: position={tuple(position)}")
    return int(row), int(column)


def channel_gates(gate: Any, data_format: str) -> AttentionMap:
    """The map of a layer that multiplies each channel by a number, given as a map of one position."""
    return AttentionMap("channels", channels_last(gate, data_format)[:, 0])


def spatial_gates(gate: Any, data_format: str, name: str) -> AttentionMap:
    """The map of a layer that multiplies each position, by the mean over the channels where these differ."""
    gate = ops.cast(channels_last(gate, data_format), "float32")
    return AttentionMap("gates", ops.mean(gate, axis=-1, keepdims=True), (name,))
