"""The spatial transformer against PyTorch's affine grid and bilinear sampler."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_segpaint.layers import SpatialTransformer
from keras_segpaint.ops.grid_sampling import affine_grid, grid_sample

MATRICES = {
    "identity": [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]],
    "turned": [[0.8, -0.6, 0.1], [0.6, 0.8, -0.2]],
    "enlarged": [[0.3, 0.0, 0.4], [0.0, 0.5, 0.1]],
    "mostly outside": [[2.5, 0.3, 0.9], [-0.4, 3.0, 1.2]],
    "far outside": [[1.0, 0.0, 1e6], [0.0, 1.0, -1e9]],
}


@pytest.mark.parametrize("matrix", sorted(MATRICES))
@pytest.mark.parametrize(("size", "wanted"), [((7, 9), (7, 9)), ((5, 6), (8, 3)), ((1, 1), (2, 2))])
def test_grid_and_samples_are_those_of_pytorch(matrix, size, wanted, rng):
    torch = pytest.importorskip("torch")
    x = rng.normal(size=(2, 3, *size)).astype("float32")
    theta = np.array([MATRICES[matrix], MATRICES["turned"]], "float32")
    grid = torch.nn.functional.affine_grid(torch.from_numpy(theta), [2, 3, *wanted], align_corners=False)
    expected = torch.nn.functional.grid_sample(torch.from_numpy(x.copy()), grid, align_corners=False).numpy()
    ours = affine_grid(ops.convert_to_tensor(theta), wanted)
    np.testing.assert_allclose(ops.convert_to_numpy(ours), grid.numpy(), rtol=1e-6, atol=1e-6)
    sampled = grid_sample(ops.convert_to_tensor(x), ours, "channels_first")
    np.testing.assert_allclose(ops.convert_to_numpy(sampled), expected, atol=1e-5)
    last = grid_sample(ops.convert_to_tensor(x.transpose(0, 2, 3, 1).copy()), ours, "channels_last")
    np.testing.assert_allclose(ops.convert_to_numpy(last).transpose(0, 3, 1, 2), expected, atol=1e-5)


def test_gradients_are_those_of_pytorch(rng):
    """One step of descent on the six numbers, from a transformation in between pixels."""
    torch = pytest.importorskip("torch")
    x = rng.normal(size=(2, 5, 6, 3)).astype("float32")
    layer = SpatialTransformer(data_format="channels_last")
    inputs = keras.Input((5, 6, 3))
    model = keras.Model(inputs, layer(inputs))
    start = np.array([0.8, -0.5, 0.11, 0.6, 0.9, -0.17], "float32")
    layer.theta.bias.assign(start)
    model.compile(keras.optimizers.SGD(1.0), "mse", jit_compile=False)
    model.fit(x, np.zeros_like(x), verbose=0)
    theta = torch.tensor(np.tile(start, (2, 1)).reshape(2, 2, 3), requires_grad=True)
    image = torch.from_numpy(x.transpose(0, 3, 1, 2).copy())
    grid = torch.nn.functional.affine_grid(theta, list(image.shape), align_corners=False)
    torch.nn.functional.grid_sample(image, grid, align_corners=False).square().mean().backward()
    expected = start - theta.grad.numpy().sum(0).reshape(6)
    np.testing.assert_allclose(ops.convert_to_numpy(layer.theta.bias), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("dtype", ["float32", "mixed_float16"])
@pytest.mark.parametrize("size", [(1, 1), (7, 10), (64, 48)])
def test_starts_as_the_identity(dtype, size, rng):
    x = rng.normal(size=(2, *size, 3)).astype("float32")
    y = ops.convert_to_numpy(SpatialTransformer(data_format="channels_last", dtype=dtype)(x))
    np.testing.assert_allclose(y, x, atol=1e-4 if dtype == "float32" else 5e-3)


def test_a_localisation_network_of_ones_own(rng, tmp_path):
    network = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(8, activation="relu")])
    inputs = keras.Input((5, 6, 2))
    layer = SpatialTransformer(network, size=(4, 7), data_format="channels_last")
    model = keras.Model(inputs, layer(inputs))
    assert model.output.shape == (None, 4, 7, 2)
    layer.theta.kernel.assign(rng.normal(size=(8, 6)).astype("float32") * 0.1)
    x = rng.normal(size=(3, 5, 6, 2)).astype("float32")
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    expected = np.asarray(model.predict_on_batch(x))
    np.testing.assert_allclose(np.asarray(loaded.predict_on_batch(x)), expected, atol=1e-6)
    seen = np.maximum(x.reshape(3, -1) @ network.get_weights()[0] + network.get_weights()[1], 0.0)
    theta = (seen @ layer.theta.get_weights()[0] + [1, 0, 0, 0, 1, 0]).reshape(3, 2, 3)
    np.testing.assert_allclose(ops.convert_to_numpy(layer.transform(ops.convert_to_tensor(x))), theta, atol=1e-5)


def test_a_localisation_network_must_give_a_known_number():
    network = keras.Sequential([keras.layers.Conv2D(2, 1, data_format="channels_last")])
    with pytest.raises(ValueError, match="`localization` must give"):
        SpatialTransformer(network, data_format="channels_last")(keras.Input((None, None, 3)))
