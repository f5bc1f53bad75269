"""Numbers of pixels that stay exact beyond what one variable can hold."""

from typing import Any

import numpy as np
from keras import ops

# Counts are kept in two int32 parts, since JAX has no int64 by default and float32 stops counting at 2**24. Together they
# hold up to 2**55 pixels.
_LOW_BITS = 24


def add_counts(low: Any, high: Any, found: Any) -> None:
    """Adds int32 counts of one batch to the variables of both parts."""
    total = low + found
    low.assign(total % 2**_LOW_BITS)
    high.assign(high + total // 2**_LOW_BITS)


def float_counts(low: Any, high: Any) -> Any:
    """The counts as a float32 tensor, rounded to seven digits."""
    return ops.cast(high, "float32") * float(2**_LOW_BITS) + ops.cast(low, "float32")


def exact_counts(low: Any, high: Any) -> np.ndarray:
    """The counts as `int64`; not within a compiled function."""
    low, high = (ops.convert_to_numpy(part).astype("int64") for part in (low, high))
    return high * 2**_LOW_BITS + low
