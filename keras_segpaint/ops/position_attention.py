"""Attention among the positions of a map, in as much memory as one is willing to spend."""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from keras_segpaint.ops.softmax import attention_weights
from keras_segpaint.ops.spatial import spatial_axes, spatial_size

# Weights that are held at once for each image unless the user says otherwise: 32 MB.
ATTENTION_AT_ONCE = 2**23


def standardize_limit(value: Any) -> int | None:
    """`max_attention_elements`, checked."""
    if value is not None and (not isinstance(value, int) or value < 1):
        raise ValueError(
            f"`max_attention_elements` must be an integer >= 1 or None. Received: max_attention_elements={value!r}"
        )
    return value


def gathered(x: Any, subsample: bool, data_format: str) -> Any:
    """The map of keys or values; with `subsample` the maxima of 2x2 positions."""
    return halve_by_maximum(x, data_format) if subsample else x


def to_positions(x: Any, data_format: str) -> Any:
    """A feature map as `(batch, positions, channels)`."""
    if data_format == "channels_first":
        x = ops.transpose(x, (0, 2, 3, 1))
    shape = ops.shape(x)
    return ops.reshape(x, (shape[0], shape[1] * shape[2], shape[3]))


def from_positions(x: Any, like: Any, data_format: str) -> Any:
    """`(batch, positions, channels)` as a feature map of the height and width of `like`."""
    height, width = spatial_size(like, data_format)
    x = ops.reshape(x, (ops.shape(x)[0], height, width, x.shape[-1]))
    return ops.transpose(x, (0, 3, 1, 2)) if data_format == "channels_first" else x


def halve_by_maximum(x: Any, data_format: str) -> Any:
    """The maximum of each two rows and columns, an odd last one left out; an axis of one position is left alone."""
    window = tuple(1 if x.shape[axis] == 1 else 2 for axis in spatial_axes(data_format))
    return x if window == (1, 1) else ops.max_pool(x, window, window, padding="valid", data_format=data_format)


def energies(query: Any, key: Any) -> Any:
    """Products of each query with each key, `(batch, queries, keys)`, in float32."""
    return ops.matmul(ops.cast(query, "float32"), ops.transpose(ops.cast(key, "float32"), (0, 2, 1)))


def softmax_mixture(query: Any, key: Any, value: Any, max_elements: int | None) -> Any:
    """For each query the mean of the values, weighted by the softmax of its products with the keys.

    Args:
        query: `(batch, queries, channels)`.
        key: `(batch, keys, channels)`.
        value: `(batch, keys, value_channels)`.
        max_elements: The most weights to hold at once for each image, if those of one query are not more; `None` for
            no limit. Beyond it the queries are worked on in blocks, one after another, whose weights are computed again
            for the gradient rather than kept.

    Returns:
        `(batch, queries, value_channels)`.
    """
    (batch, queries, _), keys = ops.shape(query), ops.shape(key)[1]
    known = isinstance(queries, int) and isinstance(keys, int)
    if max_elements is None or (not known and keras.backend.backend() != "tensorflow"):
        return _mixture(query, key, value)
    if known:
        count = -(-queries // max(max_elements // keys, 1))
        if count <= 1:
            return _mixture(query, key, value)
        size = -(-queries // count)
        count = -(-queries // size)
    else:
        count = 1 + (queries - 1) // ops.maximum(max_elements // keys, 1)
        size = 1 + (queries - 1) // count
    padded = ops.pad(query, ((0, 0), (0, count * size - queries), (0, 0)))
    blocks = ops.transpose(ops.reshape(padded, (batch, count, size, query.shape[-1])), (1, 0, 2, 3))
    mixture = _one_after_another(lambda block: keras.remat(_mixture)(block, key, value), blocks, value)
    mixture = ops.reshape(ops.transpose(mixture, (1, 0, 2, 3)), (batch, count * size, value.shape[-1]))
    return mixture[:, :queries]


def mean_product_mixture(query: Any, key: Any, value: Any) -> Any:
    """For each query the sum of the values, each times its product with the key, over the number of keys.

    The products of keys and values are summed first, which is the same and needs no matrix of queries and keys.
    """
    count = ops.cast(ops.shape(key)[1], "float32")
    query, key, wide = (ops.cast(x, "float32") for x in (query, key, value))
    mixed = ops.matmul(ops.transpose(key, (0, 2, 1)), wide) / count
    return ops.cast(ops.matmul(query, mixed), value.dtype)


def _mixture(query: Any, key: Any, value: Any) -> Any:
    return ops.matmul(attention_weights(energies(query, key), value.dtype), value)


def _one_after_another(function: Callable[[Any], Any], blocks: Any, value: Any) -> Any:
    """`ops.map` that never works on two blocks at once."""
    if keras.backend.backend() != "tensorflow":
        return ops.map(function, blocks)
    import tensorflow as tf

    shape = (blocks.shape[1], blocks.shape[2], value.shape[-1])
    # Ten iterations of a loop at a time, TensorFlow's default, need ten times the memory.
    return tf.map_fn(function, blocks, parallel_iterations=1, fn_output_signature=tf.TensorSpec(shape, value.dtype))
