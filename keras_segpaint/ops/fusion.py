"""Running a chain of element-wise operations in one piece."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import keras

_fuses: ContextVar[bool] = ContextVar("fuses", default=True)


@contextmanager
def unfused() -> Iterator[None]:
    """What is traced inside runs operation by operation: for converters that know no function calls."""
    token = _fuses.set(False)
    try:
        yield
    finally:
        _fuses.reset(token)


def fused(forward: Callable[..., Any], backward: Callable[..., Any], inputs: Sequence[Any]) -> Any:
    """Computes `forward(*inputs)`, on TensorFlow as one compiled kernel with `backward` as its gradient.

    TensorFlow runs element-wise operations one by one, each of them a pass through memory, and on a CPU Keras does not
    compile the model. So inside of a TensorFlow graph whose sizes are known this chain alone is compiled by XLA. JAX
    compiles the whole model and PyTorch has fast views: there, in eager mode and with unknown sizes, `forward` runs as
    it is and is differentiated as usual.

    Args:
        forward: A function of tensors that returns a tensor or a tuple of them, the same on every backend.
        backward: The derivative of `forward` in its first input: a function of the inputs, the outputs (a tuple) and
            the gradient of the first output. Other inputs must be integers.
        inputs: Tensors.
    """
    if not _can_compile(inputs):
        return forward(*inputs)
    import tensorflow as tf

    @tf.custom_gradient
    def run(*tensors: Any) -> Any:
        outputs = tf.function(forward, jit_compile=True, autograph=False)(*tensors)

        def gradient(*upstream: Any) -> Any:
            known = (tensors, outputs if isinstance(outputs, tuple) else (outputs,), upstream[0])
            first = tf.function(backward, jit_compile=True, autograph=False)(*known)
            return [first, *[None] * (len(tensors) - 1)]

        return outputs, gradient

    return run(*inputs)


class Compiled:
    """A function of tensors that on TensorFlow, in a graph whose sizes are known, is one compiled kernel.

    For chains of slices and sums, which XLA merges into one pass through memory; it differentiates them likewise.
    Padding and products of matrices are faster outside. Calls of one object on tensors of the same sizes, in the same
    graph, share a kernel.

    Args:
        function: A function of tensors that gives a tensor, the same on every backend.
    """

    def __init__(self, function: Callable[..., Any]):
        self._function = function
        self._kernel: Any = None

    def __call__(self, *tensors: Any) -> Any:
        if not _can_compile(tensors):
            return self._function(*tensors)
        if self._kernel is None:
            import tensorflow as tf

            self._kernel = tf.function(self._function, jit_compile=True, autograph=False)
        return self._kernel(*tensors)


def _can_compile(tensors: Sequence[Any]) -> bool:
    """Whether this is a graph of TensorFlow whose sizes, but for the batch, are known."""
    if keras.backend.backend() != "tensorflow" or not _fuses.get():
        return False
    import tensorflow as tf

    return not tf.executing_eagerly() and all(None not in tensor.shape[1:] for tensor in tensors)
