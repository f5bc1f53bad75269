"""From the names and axes of PyTorch's weights, or of TensorFlow's graphs, to those of Keras."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np

from keras_segpaint.layers import SpectralNormalization

Arrays = Mapping[str, np.ndarray]
# The layer's path in the model for a module of the checkpoint: names with slashes; `None` for one to be left out.
Rename = Callable[[str], str | None]

_LEFT_OUT = ("num_batches_tracked",)  # counters of training steps
_NORMALIZATION = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean", "running_var": "moving_variance"}
_NORMALIZATIONS = (
    keras.layers.BatchNormalization,
    keras.layers.GroupNormalization,
    keras.layers.LayerNormalization,
)


@dataclass
class Match:
    """What a checkpoint and a model have for each other.

    Args:
        values: Each variable with its value, in Keras's order of axes.
        unused: Keys of the checkpoint without a layer.
        unknown: Keys whose layer the model has not, with the layer's path.
        misshapen: Keys with the path of their variable and both shapes.
        missing: Paths of variables without a value.
    """

    values: list[tuple[Any, np.ndarray]] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)
    unknown: list[tuple[str, str]] = field(default_factory=list)
    misshapen: list[tuple[str, str, tuple[int, ...], tuple[int, ...]]] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)


def match(model: keras.Model, state: Arrays, rename: Rename, flipped: Callable[[str], bool] | None = None) -> Match:
    """Finds the variable of each array of a PyTorch state dictionary, or of a checkpoint of TensorFlow.

    Nothing is assigned, and arrays that only have a shape will do.

    Args:
        model: The model.
        state: Arrays by PyTorch's names, or by TensorFlow's, which have slashes.
        rename: Gives a module's layer; one for which it gives `None`, or
            finds no name or number (`LookupError`, `ValueError`), has none.
        flipped: Which modules are transposed convolutions of stride 1, plain convolutions with the kernel turned round.
    """
    found = Match()
    used: dict[int, str] = {}
    layers: dict[str, Any] = {}
    for key, array in state.items():
        module, _, kind = key.rpartition("/" if "/" in key else ".")
        if kind in _LEFT_OUT:
            continue
        path = _renamed(rename, module)
        if path is None:
            found.unused.append(key)
            continue
        if path not in layers:
            layers[path] = find_layer(model, path)
        variable, value = (
            (None, array)
            if layers[path] is None
            else variable_of(layers[path], kind, array, bool(flipped and flipped(module)))
        )
        if variable is None:
            found.unknown.append((key, path))
        elif tuple(variable.shape) != value.shape:
            found.misshapen.append((key, variable.path, value.shape, tuple(variable.shape)))
            used[id(variable)] = key
        elif id(variable) in used:
            raise ValueError(f"{key} and {used[id(variable)]} are both weights of {variable.path}.")
        else:
            used[id(variable)] = key
            found.values.append((variable, value))
    found.missing = [v.path for v in model.variables if id(v) not in used and "seed_generator" not in v.path]
    return found


def _renamed(rename: Rename, module: str) -> str | None:
    try:
        return rename(module)
    except (LookupError, ValueError):
        return None


def find_layer(model: Any, path: str) -> Any:
    """The layer of a model by its name, with a slash in front of each name of a layer inside of it; or `None`.

    Example:
        >>> inner = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="dense")], name="inner")
        >>> find_layer(keras.Sequential([inner]), "inner/dense").units
        2
    """
    layer = model
    for name in path.split("/"):
        parts = layer._flatten_layers(include_self=False, recursive=False)
        layer = next((part for part in parts if part.name == name), None)
        if layer is None:
            return None
    return layer


def variable_of(layer: Any, kind: str, value: np.ndarray, flip: bool = False) -> tuple[Any, np.ndarray]:
    """The variable of a layer that a kind of PyTorch's or TensorFlow's weights is, and the value with Keras's axes.

    Example:
        >>> layer = keras.layers.Conv2D(2, (1, 3))
        >>> layer.build((None, 5, 5, 4))
        >>> variable_of(layer, "weight", np.zeros((2, 4, 1, 3)))[1].shape
        (1, 3, 4, 2)
    """
    kind = kind.removesuffix("_orig")
    if isinstance(layer, SpectralNormalization):
        if kind == "weight_u":
            return layer.u, value.reshape(-1)
        if kind == "weight_v":
            # A row of the matrix is (inputs, rows, columns) there and (rows, columns, inputs) here.
            kernel = layer.layer.kernel.shape
            return layer.v, np.moveaxis(value.reshape(kernel[-2], *kernel[:-2]), 0, -1).ravel()
        layer = layer.layer
    if isinstance(layer, _NORMALIZATIONS):
        return getattr(layer, _NORMALIZATION.get(kind, ""), None), value
    if isinstance(layer, keras.layers.PReLU) and kind == "weight":
        # PyTorch has one slope, or one for each channel; Keras's keep the axes that are not shared.
        shape = tuple(layer.alpha.shape)
        return layer.alpha, value.reshape(shape) if value.size == np.prod(shape) else value
    if kind == "bias":
        return getattr(layer, "bias", None), value
    if kind == "gamma":
        return getattr(layer, "gamma", None), value.reshape(-1)
    kernel = getattr(layer, "kernel", None)
    if kernel is None or kind not in ("weight", "kernel"):
        return None, value
    if kind == "kernel":
        # TensorFlow's axes are those of Keras.
        return kernel, value
    if value.ndim == 4 and len(kernel.shape) == 2:
        value = value[:, :, 0, 0]
    if value.ndim == 2 and len(kernel.shape) == 4:
        value = value[:, :, None, None]
    if value.ndim == 2:
        return kernel, value.T
    if isinstance(layer, keras.layers.DepthwiseConv2D):
        return kernel, value.transpose(2, 3, 0, 1)
    if flip:
        return kernel, value[:, :, ::-1, ::-1].transpose(2, 3, 0, 1)
    return kernel, value.transpose(2, 3, 1, 0) if value.ndim == 4 else value
