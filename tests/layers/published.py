"""Layers with the weights of reference fixtures."""

from typing import Any

import keras
import numpy as np
from keras import ops


def assign(layer: keras.layers.Layer, reference: Any, case: str, names: dict[str, str]) -> None:
    """Copies the PyTorch weights of a case into a built layer; `names` leads from modules to attributes.

    An attribute is a path; a number in it is an index. Every weight of the layer must be filled.
    """
    filled = 0
    for key, value in reference.weights.items():
        name, _, key = key.partition(".")
        module, _, kind = key.rpartition(".")
        if name != case or kind == "num_batches_tracked":
            continue
        target: Any = layer
        for step in names[module].split("."):
            target = target[int(step)] if step.isdigit() else getattr(target, step)
        _variable(target, kind).assign(_transposed(value) if kind == "weight" else value)
        filled += 1
    assert filled == len(layer.weights)


def check_outputs(reference: Any, case: str, layer: keras.layers.Layer, names: dict[str, str]) -> None:
    """The layer gives the fixture's output for its input, in the layer's data format."""
    x, y = reference.arrays[f"{case}.x"], reference.arrays[f"{case}.y"]
    if layer.data_format == "channels_last":
        x, y = x.transpose(0, 2, 3, 1), y.transpose(0, 2, 3, 1)
    layer.build(x.shape)
    assign(layer, reference, case, names)
    np.testing.assert_allclose(ops.convert_to_numpy(layer(x)), y, rtol=1e-5, atol=1e-5)


def _variable(layer: Any, kind: str) -> Any:
    if isinstance(layer, keras.layers.BatchNormalization):
        return getattr(
            layer, dict(weight="gamma", bias="beta", running_mean="moving_mean", running_var="moving_variance")[kind]
        )
    return layer.kernel if kind == "weight" else layer.bias


def _transposed(value: np.ndarray) -> np.ndarray:
    """A kernel of PyTorch (outputs, inputs, extents) as Keras has it; the scale of a normalisation as it is."""
    return value.transpose(*range(2, value.ndim), 1, 0) if value.ndim > 1 else value
