"""The softmax of attention."""

from typing import Any

from keras import ops


def attention_weights(energy: Any, dtype: Any) -> Any:
    """The softmax over the last axis, in float32, as `dtype`; of a single entry, 1, where Keras's own would warn."""
    if energy.shape[-1] == 1:
        return ops.ones_like(energy, dtype=dtype)
    return ops.cast(ops.softmax(ops.cast(energy, "float32"), axis=-1), dtype)
