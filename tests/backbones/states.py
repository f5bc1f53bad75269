"""State dictionaries in the manner of PyTorch for the backbones, and comparisons."""

import os
from pathlib import Path

import keras
import numpy as np
import pytest

from keras_segpaint.backbones.layouts import TRUNK, torch_module

LAST = dict(data_format="channels_last")


def output(model, x, key=None):
    result = model(x, training=False)
    return keras.ops.convert_to_numpy(result if key is None else result[key])


def close(actual, expected, tolerance=1e-4):
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance * np.abs(expected).max())


def state_of(backbone, trunk, seed=0, module_of=torch_module):
    """A PyTorch state dictionary of the usual magnitudes for a trunk, by the names of its layers."""
    rng = np.random.default_rng(seed)
    state = {}
    for layer in trunk.layers:
        if not layer.weights or not TRUNK.fullmatch(layer.name):
            continue
        module = module_of(backbone, layer.name)
        if isinstance(layer, keras.layers.BatchNormalization):
            channels = layer.gamma.shape
            for kind in ("weight", "running_var"):
                state[f"{module}.{kind}"] = rng.uniform(0.7, 1.3, channels).astype("float32")
            for kind in ("bias", "running_mean"):
                state[f"{module}.{kind}"] = rng.normal(0, 0.1, channels).astype("float32")
        else:
            kernel = layer.kernel.shape
            if isinstance(layer, keras.layers.DepthwiseConv2D):
                kernel = (*kernel[:2], kernel[3], kernel[2])
            shape = tuple(kernel[axis] for axis in (3, 2, 0, 1))
            state[f"{module}.weight"] = rng.normal(0, np.sqrt(2 / np.prod(shape[1:])), shape).astype("float32")
            if layer.use_bias:
                state[f"{module}.bias"] = rng.normal(0, 0.1, shape[:1]).astype("float32")
    return state


def save(state, path):
    pytest.importorskip("safetensors")
    from safetensors.numpy import save_file

    save_file({key: np.ascontiguousarray(value) for key, value in state.items()}, path)
    return str(path)


def pretrained_file(name):
    folder = os.environ.get("KSP_PRETRAINED")
    if folder is None:
        pytest.skip("no published weights: set KSP_PRETRAINED to a folder that holds them")
    found = sorted(Path(folder).rglob(name))
    if not found:
        pytest.skip(f"{name} is not in {folder}")
    return found[0]
