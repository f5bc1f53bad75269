"""The gradient of a function's output with respect to its input, inside of a loss."""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops


def input_gradient(function: Callable[[Any], Any], inputs: Any) -> Any:
    """The gradient of `sum(function(inputs))` with respect to `inputs`.

    It can be differentiated once more with respect to the variables that `function` uses; `inputs` count as a constant.

    Args:
        function: From a tensor to a tensor. It must not change any state: call a network with `training=False`.
        inputs: A tensor of a floating type.

    Returns:
        A tensor of the shape of `inputs`.

    Example:
        >>> import numpy as np
        >>> gradient = input_gradient(lambda x: x * x, np.array([1.0, 3.0], "float32"))
        >>> ops.convert_to_numpy(gradient).tolist()
        [2.0, 6.0]
    """
    inputs = ops.stop_gradient(ops.convert_to_tensor(inputs))
    return _BRANCHES[keras.backend.backend()](lambda x: ops.sum(ops.cast(function(x), "float32")), inputs)


def _tensorflow(function: Callable[[Any], Any], inputs: Any) -> Any:
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(inputs)
        output = function(inputs)
    return tape.gradient(output, inputs, unconnected_gradients=tf.UnconnectedGradients.ZERO)


def _jax(function: Callable[[Any], Any], inputs: Any) -> Any:
    import jax

    return jax.grad(function)(inputs)


def _torch(function: Callable[[Any], Any], inputs: Any) -> Any:
    import torch

    # Evaluation switches gradients off.
    with torch.enable_grad():
        inputs = inputs.detach().requires_grad_()
        output = function(inputs)
        return torch.autograd.grad(output, inputs, create_graph=True)[0]


_BRANCHES = {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}
