"""Running a chain of element-wise operations in one piece."""

from collections.abc import Callable, Sequence
from typing import Any

import keras


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
    if keras.backend.backend() != "tensorflow":
        return forward(*inputs)
    import tensorflow as tf

    if tf.executing_eagerly() or any(None in tensor.shape[1:] for tensor in inputs):
        return forward(*inputs)

    @tf.custom_gradient
    def run(*tensors: Any) -> Any:
        outputs = tf.function(forward, jit_compile=True, autograph=False)(*tensors)

        def gradient(*upstream: Any) -> Any:
            known = (tensors, outputs if isinstance(outputs, tuple) else (outputs,), upstream[0])
            first = tf.function(backward, jit_compile=True, autograph=False)(*known)
            return [first, *[None] * (len(tensors) - 1)]

        return outputs, gradient

    return run(*inputs)


def compiled(function: Callable[..., Any], *tensors: Any) -> Any:
    """Computes `function(*tensors)`, on TensorFlow, in a graph whose sizes are known, as one compiled kernel.

    For chains of slices and sums, which XLA merges into one pass through memory; it differentiates them likewise.
    Padding and products of matrices are faster outside.
    """
    if keras.backend.backend() != "tensorflow":
        return function(*tensors)
    import tensorflow as tf

    if tf.executing_eagerly() or any(None in tensor.shape[1:] for tensor in tensors):
        return function(*tensors)
    return tf.function(function, jit_compile=True, autograph=False)(*tensors)
