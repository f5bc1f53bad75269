"""The context module against the reference implementation, its start as the identity, and padding by reflection."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_segpaint.layers import ContextModule, ReflectionPadding2D
from tests.reference import to_model_format

RATES = {"context10": (1, 1, 2, 4, 8, 16, 32, 64, 1), "context8": (1, 1, 2, 4, 8, 16, 1)}


@pytest.mark.parametrize("case", sorted(RATES))
def test_reference(fixture_arrays, case):
    reference = fixture_arrays("dilated_context")
    x = to_model_format(reference.arrays[f"{case}.x"])
    filters = reference.arrays[f"{case}.x"].shape[1]
    layer = ContextModule(filters, RATES[case])
    layer.build(x.shape)
    keys = sorted({int(key.split(".")[1]) for key in reference.weights if key.startswith(case)})
    convolutions = [*layer.convolutions, layer.final]
    for key, convolution in zip(keys, convolutions, strict=True):
        convolution.kernel.assign(reference.weights[f"{case}.{key}.weight"].transpose(2, 3, 1, 0))
        convolution.bias.assign(reference.weights[f"{case}.{key}.bias"])
    expected = to_model_format(reference.arrays[f"{case}.y"])
    np.testing.assert_allclose(ops.convert_to_numpy(layer(x)), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("multipliers", [None, (2, 2, 4, 8, 16, 32, 32)], ids=["basic", "large"])
def test_starts_as_the_identity(multipliers, rng):
    x = rng.uniform(0.5, 1.5, (1, 20, 24, 6)).astype("float32")
    exact = ContextModule(6, multipliers=multipliers, noise=0.0, data_format="channels_last")
    np.testing.assert_allclose(ops.convert_to_numpy(exact(x)), x, rtol=1e-5)
    keras.utils.set_random_seed(0)
    noisy = ContextModule(6, multipliers=multipliers, noise=1e-3, data_format="channels_last")
    difference = ops.convert_to_numpy(noisy(x)) - x
    # Each of the eight layers adds noise of 1e-3 times the root of the squares of the 54 pixels that it sees.
    assert 1e-3 < difference.std() < 1e-3 * np.sqrt(8 * 54)


def test_one_padding_for_all_is_that_of_each_inside(rng):
    x = rng.uniform(size=(1, 19, 17, 3)).astype("float32")
    same = ContextModule(3, (1, 2, 1), noise=0.1, data_format="channels_last")
    first = ContextModule(3, (1, 2, 1), noise=0.1, padding="first", data_format="channels_last")
    same(x)
    first(x)
    first.set_weights(same.get_weights())
    a, b = ops.convert_to_numpy(same(x)), ops.convert_to_numpy(first(x))
    assert a.shape == b.shape
    np.testing.assert_allclose(a[:, 4:-4, 4:-4], b[:, 4:-4, 4:-4], atol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"filters": 0}, "filters=0"),
        ({"filters": 2, "rates": (0,)}, r"rates=\(0,\)"),
        ({"filters": 2, "multipliers": (1, 2)}, r"multipliers=\(1, 2\)"),
        ({"filters": 2, "padding": "valid"}, "padding='valid'"),
    ],
)
def test_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        ContextModule(**arguments)


@pytest.mark.parametrize("size", [(7, 9), (2, 3), (1, 1)])
def test_reflection_is_that_of_numpy(size, rng):
    x = rng.normal(size=(2, *size, 3)).astype("float32")
    expected = np.pad(x, ((0, 0), (8, 8), (8, 8), (0, 0)), mode="reflect")
    output = ops.convert_to_numpy(ReflectionPadding2D(8, data_format="channels_last")(x))
    np.testing.assert_array_equal(output, expected)
    with pytest.raises(ValueError, match="padding=-1"):
        ReflectionPadding2D(-1)
