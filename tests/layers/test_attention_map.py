"""What attention layers say that they attend to is what they compute."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_segpaint import layers

POSITION = (1, 3)


def numpy_of(x):
    return np.asarray(ops.convert_to_numpy(x), "float64")


def softmax(x):
    exponentials = np.exp(x - x.max())
    return exponentials / exponentials.sum()


def projected(layer, x):
    """A 1x1 convolution of `(height, width, channels)`."""
    return x @ numpy_of(layer.kernel)[0, 0] + numpy_of(layer.bias)


def built(cls, rng, data_format="channels_last"):
    x = rng.normal(size=(2, 4, 5, 16)).astype("float32")
    layer = cls(reduction=4, gamma_initializer="ones", data_format=data_format)
    inputs = x if data_format == "channels_last" else x.transpose(0, 3, 1, 2)
    layer.build(inputs.shape)
    for part in (layer.query, layer.key, layer.value):
        part.bias.assign(rng.normal(size=part.bias.shape))
    return layer, x, ops.convert_to_tensor(np.ascontiguousarray(inputs))


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("cls", [layers.PositionAttention, layers.CrissCrossAttention])
def test_weights_are_the_softmax_that_mixes(rng, cls, data_format):
    layer, x, inputs = built(cls, rng, data_format)
    found = layer.attention_map(inputs, position=POSITION)
    assert found.kind == "weights" and tuple(found.values.shape) == (2, 4, 5)
    row, column = POSITION
    output = numpy_of(layer(inputs))
    if data_format == "channels_first":
        output = output.transpose(0, 2, 3, 1)
    for sample in range(2):
        query, key, value = (projected(part, x[sample]) for part in (layer.query, layer.key, layer.value))
        energy = key @ query[row, column]
        if cls is layers.CrissCrossAttention:
            cross = np.zeros((4, 5), bool)
            cross[row], cross[:, column] = True, True
            energy[~cross] = -np.inf
        expected = softmax(energy)
        np.testing.assert_allclose(numpy_of(found.values)[sample], expected, atol=1e-6)
        mixture = x[sample, row, column] + (expected[..., None] * value).sum((0, 1))
        np.testing.assert_allclose(output[sample, row, column], mixture, atol=1e-4)


def test_a_position_must_be_given_and_lie_in_the_map(rng):
    for cls in (layers.PositionAttention, layers.CrissCrossAttention):
        layer, _, inputs = built(cls, rng)
        with pytest.raises(ValueError, match="`position` must be given"):
            layer.attention_map(inputs)
        with pytest.raises(ValueError, match="4 x 5. Received: position=\\(4, 0\\)"):
            layer.attention_map(inputs, position=(4, 0))
    x = ops.zeros((1, 4, 4, 2))
    with pytest.raises(ValueError, match="4 x 4"):
        layers.ContextualAttention(rate=1, data_format="channels_last").attention_map(x, x, position=(0, -1))


def test_channels(rng):
    x = rng.normal(size=(1, 3, 4, 5)).astype("float32")
    layer = layers.ChannelAttention(gamma_initializer="ones", data_format="channels_last")
    found = layer.attention_map(ops.convert_to_tensor(x))
    flat = x[0].reshape(12, 5).astype("float64")
    expected = np.stack([softmax(-row) for row in flat.T @ flat])
    assert found.kind == "channels"
    np.testing.assert_allclose(numpy_of(found.values)[0], expected, atol=1e-5)
    np.testing.assert_allclose(numpy_of(layer(x))[0], x[0] + x[0] @ expected.T, atol=1e-4)


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_scales(rng, data_format):
    shape = (1, 4, 5, 6) if data_format == "channels_last" else (1, 6, 4, 5)
    x = ops.convert_to_tensor(rng.normal(size=shape).astype("float32"))
    layer = layers.ScaleAttention(3, filters=4, data_format=data_format)
    weights = numpy_of(layer(x))
    found = layer.attention_map(x)
    assert found.kind == "gates" and found.names == ("scale 1", "scale 2", "scale 3")
    expected = weights if data_format == "channels_last" else weights.transpose(0, 2, 3, 1)
    np.testing.assert_allclose(numpy_of(found.values), expected, atol=1e-6)
    np.testing.assert_allclose(numpy_of(found.values).sum(-1), 1, atol=1e-6)
    assert np.ptp(expected) > 0.01


def test_contextual_attention_of_single_pixels(rng):
    """With patches of one pixel and no fusing it is a softmax of products with unit vectors."""
    foreground, background = (rng.normal(size=(1, 3, 4, 6)).astype("float32") for _ in range(2))
    layer = layers.ContextualAttention(1, rate=1, fuse=False, data_format="channels_last")
    tensors = [ops.convert_to_tensor(x) for x in (foreground, background)]
    found = layer.attention_map(*tensors, position=POSITION)
    unit = background[0] / np.linalg.norm(background[0], axis=-1, keepdims=True)
    expected = softmax(10 * (unit.astype("float64") @ foreground[0][POSITION]))
    np.testing.assert_allclose(numpy_of(found.values)[0], expected, atol=1e-5)
    offsets = layer.attention_map(*tensors)
    assert offsets.kind == "offsets"
    best = np.unravel_index(expected.argmax(), expected.shape)
    np.testing.assert_array_equal(numpy_of(offsets.values)[0][POSITION], np.subtract(best, POSITION))


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("block_rows", [None, 2])
def test_offsets_lead_to_the_largest_weight(rng, data_format, block_rows):
    x = rng.normal(size=(1, 12, 10, 4)).astype("float32")
    hole = np.zeros((1, 12, 10, 1), "float32")
    hole[:, 4:8, 4:8] = 1
    if data_format == "channels_first":
        x, hole = x.transpose(0, 3, 1, 2), hole.transpose(0, 3, 1, 2)
    x, hole = (ops.convert_to_tensor(np.ascontiguousarray(array)) for array in (x, hole))
    layer = layers.ContextualAttention(
        rate=2, masking="exclude", block_rows=block_rows, return_offsets=True, data_format=data_format
    )
    _, given = layer(x, x, hole)
    offsets = numpy_of(layer.attention_map(x, x, hole).values)
    np.testing.assert_array_equal(offsets, numpy_of(given))
    assert offsets.shape == (1, 6, 5, 2)
    for row, column in ((0, 0), (3, 2), (5, 4)):
        weights = numpy_of(layer.attention_map(x, x, hole, position=(2 * row + 1, 2 * column)).values)[0]
        assert weights.shape == (6, 5) and weights.sum() == pytest.approx(1, abs=1e-5)
        # Patches that touch the hole are not taken from.
        assert weights[2:4, 2:4].max() == 0
        best = np.unravel_index(weights.argmax(), weights.shape)
        np.testing.assert_array_equal(offsets[0, row, column], np.subtract(best, (row, column)))


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_regions_of_the_adaptive_context_module(rng, data_format):
    x = rng.normal(size=(1, 6, 4, 3)).astype("float32")
    inputs = x if data_format == "channels_last" else x.transpose(0, 3, 1, 2)
    layer = layers.AdaptiveContextModule(5, bins=2, data_format=data_format)
    inputs = ops.convert_to_tensor(np.ascontiguousarray(inputs))
    layer(inputs)
    found = layer.attention_map(inputs, position=POSITION)

    def unit(part, x):
        # Normalisation by statistics of mean 0 and variance 1.
        return np.maximum(x @ numpy_of(part.layers[0].kernel)[0, 0] / np.sqrt(1 + layer.epsilon), 0)

    reduced = unit(layer.reduction_unit, x[0])
    guided = reduced + unit(layer.image_unit, reduced.mean((0, 1)))
    expected = 1 / (1 + np.exp(-projected(layer.affinity_conv, guided)[POSITION]))
    assert found.kind == "weights"
    np.testing.assert_allclose(numpy_of(found.values)[0], expected.reshape(2, 2), atol=1e-5)


def test_under_mixed_precision(rng):
    layer = layers.PositionAttention(reduction=4, data_format="channels_last", dtype="mixed_bfloat16")
    x = ops.convert_to_tensor(rng.normal(size=(1, 4, 5, 16)).astype("float32"))
    layer(x)
    weights = layer.attention_map(x, position=POSITION).values
    assert keras.backend.standardize_dtype(weights.dtype) == "float32"
    assert numpy_of(weights).sum() == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize(
    ("make", "size"),
    [
        (lambda f: layers.NonLocalBlock(data_format=f), (4, 5)),
        (lambda f: layers.NonLocalBlock("dot_product", subsample=True, data_format=f), (2, 2)),
        (lambda f: layers.SelfAttention2D(subsample=True, data_format=f), (2, 2)),
    ],
)
def test_a_position_of_non_local_layers_is_a_row_of_all_weights(rng, make, size, data_format):
    layer = make(data_format)
    shape = (2, 4, 5, 16) if data_format == "channels_last" else (2, 16, 4, 5)
    x = ops.convert_to_tensor(rng.normal(size=shape).astype("float32"))
    layer.build(shape)
    found = layer.attention_map(x, position=POSITION)
    assert found.kind == "weights" and tuple(found.values.shape) == (2, *size)
    every = numpy_of(layer.attention(x))
    np.testing.assert_allclose(
        numpy_of(found.values).reshape(2, -1), every[:, 5 * POSITION[0] + POSITION[1]], atol=1e-6
    )
    with pytest.raises(ValueError, match="4 x 5. Received: position=\\(0, 5\\)"):
        layer.attention_map(x, position=(0, 5))


def test_keys_of_a_single_row_are_the_maxima_of_its_pairs(rng):
    layer = layers.NonLocalBlock(subsample=True, data_format="channels_last")
    x = ops.convert_to_tensor(rng.normal(size=(2, 1, 5, 16)).astype("float32"))
    layer.build((2, 1, 5, 16))
    found = numpy_of(layer.attention_map(x, position=(0, 3)).values)
    assert found.shape == (2, 1, 2)
    np.testing.assert_allclose(found[:, 0], numpy_of(layer.attention(x))[:, 3], atol=1e-6)


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize(
    "make",
    [
        lambda f: layers.SqueezeExcitation(4, data_format=f),
        lambda f: layers.EfficientChannelAttention(data_format=f),
        lambda f: layers.ChannelGate(4, data_format=f),
        lambda f: layers.SpatialGate(3, data_format=f),
        lambda f: layers.ConvBlockAttention(4, spatial=False, data_format=f),
    ],
)
def test_gates_are_what_the_input_is_multiplied_by(rng, make, data_format):
    layer = make(data_format)
    x = rng.normal(size=(2, 4, 5, 16)).astype("float32")
    inputs = x if data_format == "channels_last" else np.ascontiguousarray(x.transpose(0, 3, 1, 2))
    output = numpy_of(layer(inputs))
    output = output if data_format == "channels_last" else output.transpose(0, 2, 3, 1)
    found = layer.attention_map(ops.convert_to_tensor(inputs))
    gates = numpy_of(found.values)
    if isinstance(layer, layers.SpatialGate):
        assert found.kind == "gates" and found.names == ("spatial gate",) and gates.shape == (2, 4, 5, 1)
    else:
        assert found.kind == "channels" and gates.shape == (2, 1, 16)
        gates = gates[:, :, None]
    np.testing.assert_allclose(output, x * gates, atol=1e-5)


def test_gates_of_layers_of_several_parts(rng):
    x = ops.convert_to_tensor(rng.normal(size=(1, 4, 6, 8)).astype("float32"))
    last = dict(data_format="channels_last")
    cbam = layers.ConvBlockAttention(2, kernel_size=3, **last)
    cbam(x)
    gate = cbam.spatial_gate.gate(cbam.channel_gate(x))
    np.testing.assert_allclose(numpy_of(cbam.attention_map(x).values), numpy_of(gate), atol=1e-6)
    residual = layers.ResidualAttention(outer_units=1, trunk_units=1, levels=1, **last)
    residual(x)
    found = residual.attention_map(x)
    mask = numpy_of(residual.mask(residual.before[0](x)))
    assert found.kind == "gates" and len(found.names) == 1
    np.testing.assert_allclose(numpy_of(found.values)[..., 0], mask.mean(-1), atol=1e-6)
