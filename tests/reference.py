"""Loading PyTorch weights of the reference fixtures into Keras models, by name."""

from collections.abc import Callable

import keras
import numpy as np


def to_model_format(array: np.ndarray) -> np.ndarray:
    """A reference array (channels first) in Keras's current data format."""
    if keras.config.image_data_format() == "channels_first":
        return array
    return array.transpose(0, 2, 3, 1)


def load_torch_weights(
    model: keras.Model,
    weights: dict[str, np.ndarray],
    rename: Callable[[str], str],
    flipped: Callable[[str], bool] = lambda module: False,
) -> None:
    """Copies a PyTorch state_dict into `model`.

    `rename` gives the Keras layer for a PyTorch module path; `flipped` tells which transposed convolutions of stride 1
    are plain convolutions here, whose kernels are turned round. Every weight of the model must be filled.
    """
    filled = set()
    for key, value in weights.items():
        module, kind = key.rsplit(".", 1)
        if kind == "num_batches_tracked":
            continue
        layer = model.get_layer(rename(module))
        variable, array = _match(layer, kind, value, flipped(module))
        assert tuple(variable.shape) == array.shape, (key, tuple(variable.shape), array.shape)
        variable.assign(array)
        filled.add(variable.path)
    missing = [variable.path for variable in model.variables if variable.path not in filled]
    missing = [path for path in missing if "seed_generator" not in path]
    assert not missing, f"weights without a reference value: {missing[:5]}"


def _match(layer: keras.layers.Layer, kind: str, value: np.ndarray, flip: bool) -> tuple:
    if isinstance(layer, keras.layers.BatchNormalization):
        names = dict(weight="gamma", bias="beta", running_mean="moving_mean", running_var="moving_variance")
        return getattr(layer, names[kind]), value
    if isinstance(layer, keras.layers.PReLU):
        return layer.alpha, value.reshape(layer.alpha.shape)
    if kind == "bias":
        return layer.bias, value
    if flip:
        return layer.kernel, value[:, :, ::-1, ::-1].transpose(2, 3, 0, 1)
    return layer.kernel, value.transpose(2, 3, 1, 0)
