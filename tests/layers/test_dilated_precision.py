"""Gradients of dilated convolutions in mixed bfloat16, which PyTorch gets wrong on a CPU where it is left to."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from keras_segpaint.layers import ContextModule, PartialConv2D
from keras_segpaint.layers.factory import LayerFactory
from tests.conformance.cases import fill_weights, images


def gradients(make, size, dtype):
    """Those of the mean output for each weight, from a step of descent of rate 1."""
    x = images((1, *size))
    inputs = keras.Input(size)
    model = keras.Model(inputs, layers.Activation("linear", dtype="float32")(make(dtype)(inputs)))
    fill_weights(model)
    before = [ops.convert_to_numpy(weight).copy() for weight in model.trainable_weights]
    target = np.zeros((1, *model.compute_output_shape((1, *size))[1:]), "float32")
    model.compile(keras.optimizers.SGD(1.0), "mse")
    model.fit(x, target, verbose=0)
    return [old - ops.convert_to_numpy(new) for old, new in zip(before, model.trainable_weights, strict=True)]


CASES = {
    "convolution": (lambda dtype: LayerFactory("channels_last", dtype).conv(16, 3, dilation_rate=8), (20, 56, 24)),
    "depthwise": (lambda dtype: LayerFactory("channels_last", dtype).depthwise_conv(3, dilation_rate=2), (20, 56, 24)),
    "partial": (
        lambda dtype: lambda x: PartialConv2D(16, 3, dilation_rate=8, data_format="channels_last", dtype=dtype)(x)[0],
        (20, 56, 24),
    ),
    "context": (
        lambda dtype: ContextModule(
            3, multipliers=(2, 2, 4, 8, 16, 32, 32), padding="first", data_format="channels_last", dtype=dtype
        ),
        (5, 6, 3),
    ),
}


@pytest.mark.skipif(
    keras.backend.backend() != "torch", reason="it is PyTorch's gradients that are mended; JAX adds up in bfloat16"
)
@pytest.mark.parametrize("name", CASES)
def test_mixed_bfloat16_has_the_gradients_of_float32(name):
    make, size = CASES[name]
    expected = gradients(make, size, "float32")
    for gradient, wanted in zip(gradients(make, size, "mixed_bfloat16"), expected, strict=True):
        assert np.abs(wanted).max() > 0
        # Rounding makes up to 6 % of the context module's.
        assert np.linalg.norm(gradient - wanted) < 0.1 * np.linalg.norm(wanted)


def test_other_convolutions_keep_their_policy():
    build = LayerFactory("channels_last", keras.DTypePolicy("mixed_bfloat16"))
    assert build.conv(4, 3).compute_dtype == build.depthwise_conv(3).compute_dtype == "bfloat16"
    half = LayerFactory("channels_last", keras.DTypePolicy("mixed_float16"))
    assert half.conv(4, 3, dilation_rate=2).compute_dtype == "float16"
