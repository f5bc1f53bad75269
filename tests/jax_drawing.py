"""Initial weights without programs of JAX."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np


def draw_by_numpy() -> None:
    """Lets NumPy draw what JAX draws outside of its programs: an initialiser's weights.

    JAX would compile a program for each shape, in a quarter of the time that a test of a network takes. The same key
    still gives the same numbers, of the same distribution.
    """
    jax.random.truncated_normal = _outside_of_programs(jax.random.truncated_normal, _truncated_normal)
    jax.random.uniform = _outside_of_programs(jax.random.uniform, _uniform)


def _outside_of_programs(draw: Callable[..., Any], substitute: Callable[..., Any]) -> Callable[..., Any]:
    def drawn(key: Any, *arguments: Any, **keywords: Any) -> Any:
        if isinstance(key, jax.core.Tracer):
            return draw(key, *arguments, **keywords)
        words = jax.random.key_data(key) if jax.dtypes.issubdtype(key.dtype, jax.dtypes.prng_key) else key
        return substitute(np.random.default_rng(np.asarray(words)), *arguments, **keywords)

    return drawn


def _truncated_normal(
    rng: np.random.Generator, lower: float, upper: float, shape: tuple[int, ...], dtype: Any = "float32"
) -> np.ndarray:
    values = rng.standard_normal(shape, np.float32)
    outside = (values < lower) | (values > upper)
    while outside.any():
        values[outside] = rng.standard_normal(int(outside.sum()), np.float32)
        outside = (values < lower) | (values > upper)
    return values.astype(dtype)


def _uniform(
    rng: np.random.Generator,
    shape: tuple[int, ...] = (),
    dtype: Any = "float32",
    minval: float = 0.0,
    maxval: float = 1.0,
) -> np.ndarray:
    return (minval + (maxval - minval) * rng.random(shape, np.float32)).astype(dtype)
