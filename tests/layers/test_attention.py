"""The attention layers compute what the reference implementations compute, from the same weights."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_segpaint import layers
from tests.reference import to_model_format

REDUCED = {
    "danet_pam": layers.PositionAttention,
    "danet_cam": layers.ChannelAttention,
    "ccnet_criss_cross": layers.CrissCrossAttention,
}


def load(layer, reference, case):
    """Copies the weights of a case into a built layer."""
    filled = 0
    for key, value in reference.weights.items():
        name, _, key = key.partition(".")
        if name != case:
            continue
        if key == "gamma":
            layer.gamma.assign(value)
        else:
            module, kind = key.split(".")
            sublayer = getattr(layer, module.removesuffix("_conv"))
            if kind == "weight":
                sublayer.kernel.assign(value.transpose(2, 3, 1, 0))
            else:
                sublayer.bias.assign(value)
        filled += 1
    assert filled == len(layer.weights)


@pytest.mark.parametrize("case", ["a", "b"])
@pytest.mark.parametrize("fixture", sorted(REDUCED))
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_reference_outputs(fixture_arrays, fixture, case, data_format):
    reference = fixture_arrays(fixture)
    x, y = reference.arrays[f"{case}.x"], reference.arrays[f"{case}.y"]
    if data_format == "channels_last":
        x, y = x.transpose(0, 2, 3, 1), y.transpose(0, 2, 3, 1)
    layer = REDUCED[fixture](data_format=data_format)
    layer.build(x.shape)
    load(layer, reference, case)
    np.testing.assert_allclose(ops.convert_to_numpy(layer(x)), y, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("case", ["a", "b"])
def test_two_passes_of_criss_cross_attention(fixture_arrays, case):
    reference = fixture_arrays("ccnet_criss_cross")
    x = to_model_format(reference.arrays[f"{case}.x"])
    layer = layers.CrissCrossAttention()
    layer.build(x.shape)
    load(layer, reference, case)
    expected = to_model_format(reference.arrays[f"{case}.y_recurrence2"])
    np.testing.assert_allclose(ops.convert_to_numpy(layer(layer(x))), expected, rtol=1e-5, atol=1e-5)


def test_one_pass_reaches_row_and_column_and_two_passes_everything(rng):
    layer = layers.CrissCrossAttention(gamma_initializer="ones", data_format="channels_last")
    x = rng.normal(size=(1, 5, 7, 8)).astype("float32")
    layer.build(x.shape)
    # All positions of a row and column count alike, so that no weight can be too small to see.
    layer.query.kernel.assign(np.zeros(layer.query.kernel.shape))
    touched = x.copy()
    touched[0, 2, 3] += 1.0

    def reached(passes):
        a, b = ops.convert_to_tensor(x), ops.convert_to_tensor(touched)
        for _ in range(passes):
            a, b = layer(a), layer(b)
        return np.abs(ops.convert_to_numpy(a - b))[0].max(-1) > 0

    expected = np.zeros((5, 7), bool)
    expected[2], expected[:, 3] = True, True
    np.testing.assert_array_equal(reached(1), expected)
    assert reached(2).all()


@pytest.mark.parametrize("layer", [layers.PositionAttention, layers.ChannelAttention, layers.CrissCrossAttention])
def test_starts_as_the_identity(layer, rng):
    x = rng.normal(size=(2, 3, 4, 16)).astype("float32")
    np.testing.assert_array_equal(ops.convert_to_numpy(layer(data_format="channels_last")(x)), x)


@pytest.mark.parametrize("layer", [layers.PositionAttention, layers.ChannelAttention, layers.CrissCrossAttention])
def test_a_single_entry_counts_wholly(layer):
    built = layer(gamma_initializer="ones", data_format="channels_last")
    x = np.full((1, 1, 1, 1), 2.0, "float32")
    built.build(x.shape)
    if hasattr(built, "value"):
        built.value.kernel.assign(np.ones((1, 1, 1, 1)))
    np.testing.assert_allclose(ops.convert_to_numpy(built(x)), 4.0)


def test_parameter_count_of_the_table():
    for layer in (layers.PositionAttention, layers.CrissCrossAttention):
        built = layer(data_format="channels_last")
        built.build((None, None, None, 512))
        assert built.count_params() == 328_321


def test_channel_attention_survives_sums_beyond_float16():
    x = np.full((1, 32, 32, 4), 30.0, "float32")
    layer = layers.ChannelAttention(gamma_initializer="ones", data_format="channels_last", dtype="mixed_float16")
    np.testing.assert_allclose(ops.convert_to_numpy(layer(x)), 60.0)


def test_scale_weights_add_up_to_one(rng):
    x = rng.normal(size=(2, 5, 6, 8)).astype("float32")
    weights = ops.convert_to_numpy(layers.ScaleAttention(3, filters=4, data_format="channels_last")(x))
    assert weights.shape == (2, 5, 6, 3) and (weights > 0).all()
    np.testing.assert_allclose(weights.sum(-1), 1.0, rtol=1e-6)


def test_weighted_sum(rng):
    maps = rng.normal(size=(3, 2, 5, 6, 4)).astype("float32")
    weights = rng.normal(size=(2, 5, 6, 3)).astype("float32")
    total = layers.WeightedSum(data_format="channels_last")(list(maps), weights)
    np.testing.assert_allclose(ops.convert_to_numpy(total), np.einsum("sbhwc,bhws->bhwc", maps, weights), atol=1e-5)
    with pytest.raises(ValueError, match="one weight for each map"):
        layers.WeightedSum(data_format="channels_last")(list(maps[:2]), weights)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: layers.PositionAttention(reduction=0), "`reduction` must be"),
        (lambda: layers.CrissCrossAttention(reduction=1.5), "`reduction` must be"),
        (lambda: layers.ScaleAttention(1), "`scales` must be"),
        (lambda: layers.ScaleAttention(2, filters=0), "`filters` must be"),
        (lambda: layers.ChannelAttention(data_format="nchw"), "`data_format` must be"),
    ],
)
def test_errors(build, message):
    with pytest.raises(ValueError, match=message):
        build()


def test_saved_layers_keep_their_initialisers():
    layer = layers.PositionAttention(gamma_initializer=keras.initializers.Constant(0.3))
    again = layers.PositionAttention.from_config(layer.get_config())
    assert again.gamma_initializer.value == 0.3
