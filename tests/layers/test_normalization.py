"""Spectral and local response normalisation against PyTorch."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_segpaint.layers import (
    BatchNormalization,
    LocalResponseNormalization,
    SpectralNormalization,
    SymmetricPadding2D,
)

torch = pytest.importorskip("torch")


@pytest.mark.parametrize("size", [1, 3, 5])
def test_local_response_normalization_is_that_of_pytorch(size, rng):
    x = rng.normal(size=(2, 4, 5, 6)).astype("float32") * 30
    theirs = torch.nn.LocalResponseNorm(size, alpha=1e-2, beta=0.75, k=1.0)
    expected = theirs(torch.from_numpy(x.transpose(0, 3, 1, 2).copy())).numpy().transpose(0, 2, 3, 1)
    ours = LocalResponseNormalization(size, alpha=1e-2, data_format="channels_last")
    np.testing.assert_allclose(ops.convert_to_numpy(ours(x)), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.filterwarnings("ignore:`torch.nn.utils.spectral_norm` is deprecated:FutureWarning")
@pytest.mark.parametrize("transposed", [False, True])
def test_spectral_normalization_is_that_of_pytorch(transposed, rng):
    x = rng.normal(size=(2, 6, 7, 3)).astype("float32")
    kernel = rng.normal(size=(3, 3, 5, 3) if transposed else (3, 3, 3, 5)).astype("float32")
    module = torch.nn.ConvTranspose2d(3, 5, 3, bias=False) if transposed else torch.nn.Conv2d(3, 5, 3, bias=False)
    with torch.no_grad():
        module.weight.copy_(torch.from_numpy(kernel.transpose(3, 2, 0, 1).copy()))
    module = torch.nn.utils.spectral_norm(module)
    layer_class = keras.layers.Conv2DTranspose if transposed else keras.layers.Conv2D
    layer = SpectralNormalization(layer_class(5, 3, use_bias=False, data_format="channels_last"))
    layer.build(x.shape)
    layer.layer.kernel.assign(kernel)
    layer.u.assign(module.weight_u.numpy().copy())
    # One row of the matrix here is (rows, columns, in); there it is (in, rows, columns).
    layer.v.assign(module.weight_v.numpy().reshape(3, 3, 3).transpose(1, 2, 0).ravel())

    tensor = torch.from_numpy(x.transpose(0, 3, 1, 2).copy())
    for training in (True, True, False):
        module.train(training)
        expected = module(tensor).detach().numpy().transpose(0, 2, 3, 1)
        actual = ops.convert_to_numpy(layer(x, training=training))
        np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(ops.convert_to_numpy(layer.u), module.weight_u.numpy(), atol=1e-5)
    np.testing.assert_array_equal(ops.convert_to_numpy(layer.layer.kernel), kernel)


@pytest.mark.parametrize("dtype", ["float32", "mixed_float16"])
def test_spectral_normalization_trains_its_vectors(dtype, rng):
    # One singular value well above the rest, so that power iteration is done after forty steps.
    kernel = rng.normal(size=(4, 6)).astype("float32")
    left, values, right = np.linalg.svd(kernel, full_matrices=False)
    kernel = left * (values * [2, 1, 1, 1]) @ right
    dense = keras.layers.Dense(6, use_bias=False, dtype=dtype)
    model = keras.Sequential([keras.Input((4,)), SpectralNormalization(dense)])
    dense.kernel.assign(kernel)
    model.compile(keras.optimizers.SGD(0.0), "mse")
    model.fit(np.ones((2, 4), "float32"), np.zeros((2, 6), "float32"), epochs=40, verbose=0)
    layer = model.layers[-1]
    matrix = ops.convert_to_numpy(layer.u) @ kernel.T @ ops.convert_to_numpy(layer.v)
    assert matrix == pytest.approx(np.linalg.svd(kernel, compute_uv=False)[0], rel=1e-3)
    normalized = model.predict_on_batch(np.eye(4, dtype="float32"))
    assert np.linalg.svd(np.asarray(normalized, "float32"), compute_uv=False)[0] == pytest.approx(1.0, rel=5e-3)


def test_spectral_normalization_needs_a_kernel():
    with pytest.raises(ValueError, match="`layer` must have an attribute `kernel`"):
        SpectralNormalization(keras.layers.ReLU())(np.zeros((1, 2), "float32"))
    with pytest.raises(ValueError, match="`power_iterations` must be an integer >= 1"):
        SpectralNormalization(keras.layers.Dense(1), power_iterations=0)


@pytest.mark.parametrize(("kernel_size", "dilation_rate"), [(3, 1), (7, 1), (3, 4), ((1, 5), 1)])
def test_strided_convolution_with_symmetric_padding_is_that_of_pytorch(kernel_size, dilation_rate, rng):
    x = rng.normal(size=(1, 16, 18, 2)).astype("float32")
    pad = SymmetricPadding2D(kernel_size, dilation_rate, data_format="channels_last")
    extent = pad.kernel_size
    kernel = rng.normal(size=(*extent, 2, 3)).astype("float32")
    expected = torch.nn.functional.conv2d(
        torch.from_numpy(x.transpose(0, 3, 1, 2).copy()),
        torch.from_numpy(kernel.transpose(3, 2, 0, 1).copy()),
        stride=2 if dilation_rate == 1 else 1,
        padding=pad.pad,
        dilation=dilation_rate,
    )
    actual = ops.conv(
        pad(x), kernel, strides=2 if dilation_rate == 1 else 1, dilation_rate=dilation_rate, data_format="channels_last"
    )
    np.testing.assert_allclose(ops.convert_to_numpy(actual), expected.numpy().transpose(0, 2, 3, 1), atol=1e-4)


@pytest.mark.parametrize(
    "weights_of_its_own", [{}, {"scale": False}, {"center": False, "scale": False}], ids=["both", "offset", "none"]
)
@pytest.mark.parametrize("trainable", [True, False])
@pytest.mark.parametrize("axis", [-1, 1])
def test_batch_normalization_trains_as_that_of_keras(axis, trainable, weights_of_its_own, rng):
    x = rng.normal(size=(3, 5, 7, 4)).astype("float32") * 3 + 2
    target = rng.normal(size=(3, 5, 7, 4)).astype("float32")
    weights, losses = [], []
    for layer_class in (keras.layers.BatchNormalization, BatchNormalization):
        keras.utils.set_random_seed(0)
        settings = dict(epsilon=1e-5, momentum=0.8, moving_mean_initializer="ones", trainable=trainable)
        layer = layer_class(axis=axis, **settings, **weights_of_its_own)
        before = keras.layers.Conv2D(4, 1, data_format="channels_last")
        model = keras.Sequential(
            [keras.Input((5, 7, 4)), before, layer, keras.layers.Conv2D(4, 1, data_format="channels_last")]
        )
        model.compile(keras.optimizers.SGD(0.1), "mse", jit_compile=False)
        losses.append(model.fit(x, target, epochs=3, batch_size=3, verbose=0).history["loss"])
        weights.append(model.get_weights())
    np.testing.assert_allclose(losses[1], losses[0], rtol=1e-5)
    for ours, keras_own in zip(weights[1], weights[0], strict=True):
        np.testing.assert_allclose(ours, keras_own, rtol=1e-4, atol=1e-5)


def test_batch_normalization_of_a_single_value_keeps_the_statistics_finite():
    layer = BatchNormalization(axis=-1)
    result = ops.convert_to_numpy(layer(np.full((1, 1, 1, 2), 3.0, "float32"), training=True))
    np.testing.assert_allclose(result, np.zeros((1, 1, 1, 2)), atol=1e-3)
    np.testing.assert_allclose(ops.convert_to_numpy(layer.moving_variance), [0.99, 0.99], rtol=1e-6)
