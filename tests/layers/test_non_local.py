"""Attention among all positions: the reference's outputs, and blocks that change nothing but the memory."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_segpaint.layers import NonLocalBlock, SelfAttention2D
from keras_segpaint.ops import position_attention
from keras_segpaint.ops.position_attention import energies, softmax_mixture
from tests.conformance.cases import fill_weights
from tests.layers.published import assign, check_outputs

CASES = {
    "default": dict(subsample=True),
    "nosub_nobn": dict(inner_channels=5, norm=False),
    "sub_nobn": dict(inner_channels=4, subsample=True, norm=False),
}


def names(case):
    value, key, output = ("g.0", "phi.0", "W") if CASES[case].get("subsample") else ("g", "phi", "W")
    result = {"theta": "query", key: "key", value: "value"}
    if CASES[case].get("norm", True):
        return result | {"W.0": "output_conv", "W.1": "output_norm"}
    return result | {output: "output_conv"}


@pytest.mark.parametrize("limit", [None, 150])
@pytest.mark.parametrize("case", sorted(CASES))
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_reference_outputs(fixture_arrays, case, limit, data_format):
    layer = NonLocalBlock(max_attention_elements=limit, data_format=data_format, **CASES[case])
    check_outputs(fixture_arrays("non_local_embedded_gaussian"), case, layer, names(case))


@pytest.mark.parametrize("case", sorted(CASES))
def test_reference_weights_of_positions(fixture_arrays, case):
    reference = fixture_arrays("non_local_embedded_gaussian")
    x = reference.arrays[f"{case}.x"]
    layer = NonLocalBlock(data_format="channels_first", **CASES[case])
    layer.build(x.shape)
    assign(layer, reference, case, names(case))
    attention = ops.convert_to_numpy(layer.attention(ops.convert_to_tensor(x)))
    np.testing.assert_allclose(attention, reference.arrays[f"{case}.attention"], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("mode", ["gaussian", "dot_product"])
def test_other_modes_by_their_definition(mode, rng):
    x = rng.normal(size=(2, 4, 5, 6)).astype("float32")
    layer = NonLocalBlock(mode, norm=False, data_format="channels_last")
    layer.build(x.shape)
    fill_weights(layer)
    flat = x.reshape(2, 20, 6)

    def linear(part, inputs):
        kernel, bias = (ops.convert_to_numpy(weight) for weight in part.weights)
        return inputs @ kernel[0, 0] + bias

    if mode == "gaussian":
        energy = np.exp(flat @ flat.transpose(0, 2, 1))
        shares = energy / energy.sum(-1, keepdims=True)
    else:
        shares = linear(layer.query, flat) @ linear(layer.key, flat).transpose(0, 2, 1) / 20
    expected = flat + linear(layer.output_conv, shares @ linear(layer.value, flat))
    np.testing.assert_allclose(ops.convert_to_numpy(layer(x)).reshape(2, 20, 6), expected, rtol=1e-4, atol=1e-5)
    attention = ops.convert_to_numpy(layer.attention(ops.convert_to_tensor(x)))
    np.testing.assert_allclose(attention, shares, rtol=1e-4, atol=1e-6)


def test_self_attention_by_its_definition(rng):
    x = rng.normal(size=(2, 4, 5, 16)).astype("float32")
    layer = SelfAttention2D(data_format="channels_last", gamma_initializer="ones")
    layer.build(x.shape)
    fill_weights(layer)
    flat = x.reshape(2, 20, 16)
    query, key, value = (
        flat @ ops.convert_to_numpy(part.kernel)[0, 0] + ops.convert_to_numpy(part.bias)
        for part in (layer.query, layer.key, layer.value)
    )
    assert query.shape[-1] == value.shape[-1] == 2
    energy = np.exp(query @ key.transpose(0, 2, 1))
    mixed = (energy / energy.sum(-1, keepdims=True)) @ value
    output = mixed @ ops.convert_to_numpy(layer.output_conv.kernel)[0, 0] + ops.convert_to_numpy(layer.output_conv.bias)
    expected = flat + ops.convert_to_numpy(layer.gamma) * output
    np.testing.assert_allclose(ops.convert_to_numpy(layer(x)).reshape(2, 20, 16), expected, rtol=1e-4, atol=1e-5)


def after_one_step(build, static, channels=6):
    """The output, and all weights behind a step of descent."""
    size = (5, 7)
    inputs = keras.Input((*(size if static else (None, None)), channels))
    model = keras.Model(inputs, build(inputs))
    fill_weights(model)
    x = np.random.default_rng(0).normal(size=(2, *size, channels)).astype("float32")
    output = np.asarray(model.predict_on_batch(x))
    model.compile(keras.optimizers.SGD(0.1), "mse")
    model.fit(x, np.ones_like(x), verbose=0)
    return [output, *(ops.convert_to_numpy(weight) for weight in model.weights)]


@pytest.mark.parametrize("static", [True, False], ids=["static", "dynamic"])
@pytest.mark.parametrize("layer", [NonLocalBlock, SelfAttention2D])
def test_blocks_change_neither_values_nor_gradients(layer, static):
    # 1: one position at a time; 200 of 35 * 35: seven blocks of five, 300: five of seven; 240: of six, the last of five.
    limits = (1, 240) if static else (240,)
    expected = after_one_step(lambda x: layer(max_attention_elements=None, data_format="channels_last")(x), static)
    for limit in limits:
        blocked = after_one_step(
            lambda x, n=limit: layer(max_attention_elements=n, data_format="channels_last")(x), static
        )
        for a, b in zip(blocked, expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_no_more_weights_at_once_than_allowed(monkeypatch, rng):
    held = []

    def spy(query, key):
        result = energies(query, key)
        held.append(tuple(result.shape[1:]))
        return result

    monkeypatch.setattr(position_attention, "energies", spy)
    query, key, value = (ops.convert_to_tensor(rng.normal(size=(2, 35, n)).astype("float32")) for n in (3, 3, 4))
    for limit in (34, 240, 1224):
        held.clear()
        softmax_mixture(query, key, value, limit)
        assert held and all(rows * columns <= max(limit, 35) for rows, columns in held)
    held.clear()
    softmax_mixture(query, key, value, 1225)
    assert held == [(35, 35)]


@pytest.mark.parametrize("layer", [NonLocalBlock, SelfAttention2D])
@pytest.mark.parametrize("size", [(1, 1), (1, 5), (3, 1)])
def test_subsampling_of_a_single_row_or_column(layer, size, rng):
    x = rng.normal(size=(1, *size, 4)).astype("float32")
    block = layer(subsample=True, data_format="channels_last")
    block.build(x.shape)
    fill_weights(block)
    y = ops.convert_to_numpy(block(x))
    assert np.isfinite(y).all() and np.abs(y - x).max() > 1e-3


@pytest.mark.parametrize(
    "build",
    [
        NonLocalBlock,
        lambda **kw: NonLocalBlock("gaussian", norm=False, **kw),
        lambda **kw: NonLocalBlock("dot_product", norm=False, **kw),
        SelfAttention2D,
    ],
)
def test_starts_as_the_identity(build, rng):
    x = rng.normal(size=(1, 5, 6, 8)).astype("float32")
    np.testing.assert_array_equal(ops.convert_to_numpy(build(data_format="channels_last")(x)), x)


@pytest.mark.parametrize("mode", ["embedded_gaussian", "gaussian", "dot_product"])
def test_sums_beyond_float16(mode):
    # 1024 positions, each of a product above 100.
    x = np.full((1, 32, 32, 8), 12.0, "float32")
    full = NonLocalBlock(mode, norm=False, data_format="channels_last")
    half = NonLocalBlock(mode, norm=False, data_format="channels_last", dtype="mixed_float16")
    for layer in (full, half):
        layer.build(x.shape)
    fill_weights(full)
    half.set_weights(full.get_weights())
    expected = ops.convert_to_numpy(full(x))
    np.testing.assert_allclose(ops.convert_to_numpy(half(x)), expected, rtol=1e-2, atol=1e-2 * np.abs(expected).max())
