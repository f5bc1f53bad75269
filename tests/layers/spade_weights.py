"""Weights of the reference implementation of spatially adaptive normalisation, copied into layers."""

from typing import Any

import keras
import numpy as np

from keras_segpaint.layers import SPADE, SPADEResBlock, SpectralNormalization

Weights = dict[str, np.ndarray]


def load_conv(layer: keras.layers.Layer, weights: Weights, prefix: str) -> int:
    """Copies a convolution or dense layer, with its spectral normalisation if it has one; gives how many weights."""
    conv: Any = layer
    if isinstance(layer, SpectralNormalization):
        kernel, conv = weights[f"{prefix}.weight_orig"], layer.layer
        layer.u.assign(weights[f"{prefix}.weight_u"])
        # A row of the matrix is (rows, columns, inputs) here and (inputs, rows, columns) there.
        v = weights[f"{prefix}.weight_v"].reshape(kernel.shape[1:])
        layer.v.assign(np.moveaxis(v, 0, -1).ravel())
    else:
        kernel = weights[f"{prefix}.weight"]
    conv.kernel.assign(kernel.transpose(*range(2, kernel.ndim), 1, 0))
    if conv.use_bias:
        conv.bias.assign(weights[f"{prefix}.bias"])
    return 1 + conv.use_bias + 2 * isinstance(layer, SpectralNormalization)


def load_spade(layer: SPADE, weights: Weights, prefix: str) -> int:
    """Copies the two convolutions to gamma and beta into the one that is both."""
    count = load_conv(layer.shared, weights, f"{prefix}mlp_shared.0")
    both = {
        kind: np.concatenate([weights[f"{prefix}mlp_{name}.{kind}"] for name in ("gamma", "beta")])
        for kind in ("weight", "bias")
    }
    count += load_conv(layer.modulation, {f"both.{kind}": value for kind, value in both.items()}, "both")
    if layer.norm is not None:
        layer.norm.moving_mean.assign(weights[f"{prefix}param_free_norm.running_mean"])
        layer.norm.moving_variance.assign(weights[f"{prefix}param_free_norm.running_var"])
        count += 2
    return count


def load_block(layer: SPADEResBlock, weights: Weights, prefix: str) -> int:
    """Copies a residual block."""
    count = 0
    for index in ("0", "1") if layer.conv_s is None else ("0", "1", "s"):
        count += load_spade(getattr(layer, f"spade_{index}"), weights, f"{prefix}norm_{index}.")
        count += load_conv(getattr(layer, f"conv_{index}"), weights, f"{prefix}conv_{index}")
    return count
