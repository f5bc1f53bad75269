"""Attention of guided inpainting: by weights of its own, and to known positions of the same class."""

import math

import keras
import numpy as np
import pytest
from keras import ops

from keras_segpaint import layers
from tests.conformance.cases import fill_weights

LAST = {"data_format": "channels_last"}


def gelu(x):
    return 0.5 * x * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))


def external_attention(x, gamma, beta, key_in, key_out, value_in, value_out):
    """The published module from its description, channels last, one vector at a time."""
    mean, variance = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
    x = (x - mean) / np.sqrt(variance + 1e-5) * gamma + beta
    for column in range(x.shape[2]):
        for channel in range(x.shape[3]):
            x[:, :, column, channel] = gelu(x[:, :, column, channel] @ key_in) @ key_out
    for row in range(x.shape[1]):
        for channel in range(x.shape[3]):
            x[:, row, :, channel] = gelu(x[:, row, :, channel] @ value_in) @ value_out
    return x


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_external_spatial_attention_is_the_described_one(data_format, rng):
    x = rng.normal(size=(2, 6, 5, 4)).astype("float32")
    layer = layers.ExternalSpatialAttention(data_format=data_format)
    given = x if data_format == "channels_last" else x.transpose(0, 3, 1, 2)
    layer.build(given.shape)
    fill_weights(layer)
    result = ops.convert_to_numpy(layer(given))
    result = result if data_format == "channels_last" else result.transpose(0, 2, 3, 1)
    names = ("gamma", "beta", "key_in", "key_out", "value_in", "value_out")
    values = [ops.convert_to_numpy(getattr(layer, name)) for name in names]
    np.testing.assert_allclose(result, external_attention(x.astype("float64"), *values), rtol=1e-4, atol=1e-5)


def test_external_spatial_attention_has_the_published_number_of_parameters():
    layer = layers.ExternalSpatialAttention(**LAST)
    layer.build((None, 64, 64, 128))
    assert layer.count_params() == 33_024
    assert all("bias" not in weight.path for weight in layer.weights)


def test_external_spatial_attention_is_bound_to_a_size():
    layer = layers.ExternalSpatialAttention(**LAST)
    layer(np.zeros((1, 6, 5, 4), "float32"))
    with pytest.raises(ValueError, match="for maps of 6 x 5.*resize=True.*maps of 6 x 7"):
        layer(np.zeros((1, 6, 7, 4), "float32"))
    with pytest.raises(ValueError, match="known size"):
        layers.ExternalSpatialAttention(**LAST)(keras.Input((None, 8, 4)))
    with pytest.raises(ValueError, match="`size`"):
        layers.ExternalSpatialAttention((4, 0))
    with pytest.raises(ValueError, match="`factor`"):
        layers.ExternalSpatialAttention(factor=0)


def test_external_spatial_attention_of_any_size_is_the_fixed_one_at_its_own_size(rng):
    x = rng.normal(size=(1, 6, 5, 4)).astype("float32")
    fixed, free = (
        layers.ExternalSpatialAttention((6, 5), **LAST),
        layers.ExternalSpatialAttention((6, 5), resize=True, **LAST),
    )
    expected = fixed(x)
    free.build((None, None, None, 4))
    free.set_weights(fixed.get_weights())
    np.testing.assert_allclose(ops.convert_to_numpy(free(x)), ops.convert_to_numpy(expected), atol=1e-5)
    other = ops.convert_to_numpy(free(rng.normal(size=(1, 9, 12, 4)).astype("float32")))
    assert other.shape == (1, 9, 12, 4) and np.isfinite(other).all()


def semantic_attention(layer, features, scores, mask):
    """Each position of a hole, one after the other, in NumPy."""

    def conv(x, of):
        return x @ ops.convert_to_numpy(of.kernel)[0, 0] + ops.convert_to_numpy(of.bias)

    result = features.copy()
    for sample in range(len(features)):
        flat = features[sample].reshape(-1, features.shape[-1])
        classes = scores[sample].reshape(-1, scores.shape[-1]).argmax(-1)
        known = mask[sample].reshape(-1) < 0.5
        query, key, value = (conv(flat, of) for of in (layer.query, layer.key, layer.value))
        cosine = query @ key.T / np.linalg.norm(query, axis=1)[:, None] / np.linalg.norm(key, axis=1)
        for place in np.flatnonzero(~known):
            chosen = known & (classes == classes[place])
            chosen = chosen if chosen.any() else known if known.any() else np.ones_like(known)
            weights = np.where(chosen, np.exp(10 * cosine[place]), 0)
            mixture = weights @ value / weights.sum()
            result[sample].reshape(-1, features.shape[-1])[place] += (
                float(ops.convert_to_numpy(layer.gamma)[0]) * mixture
            )
    return result


@pytest.fixture(scope="module")
def semantic_case():
    """A layer of filled weights; two images with masks and classes of their own, class 2 never known, and one all hole."""
    random = np.random.default_rng(3)
    features = random.normal(size=(3, 5, 6, 8)).astype("float32")
    scores = random.normal(size=(3, 5, 6, 3)).astype("float32")
    mask = np.zeros((3, 5, 6, 1), "float32")
    mask[0, 1:4, 2:5] = 1
    mask[1, :, :3] = 1
    mask[2] = 1
    scores[1, :, 3:, 2] = -9
    layer = layers.SemanticWiseAttention(**LAST)
    layer(features, scores, mask)
    fill_weights(layer)
    return layer, features, scores, mask


def test_semantic_wise_attention_is_a_softmax_over_known_positions_of_the_class(semantic_case):
    layer, features, scores, mask = semantic_case
    expected = semantic_attention(layer, features, scores, mask)
    result = ops.convert_to_numpy(layer(features, scores, mask))
    np.testing.assert_allclose(result, expected, rtol=1e-4, atol=1e-4)
    np.testing.assert_array_equal(result[mask[..., 0] == 0], features[mask[..., 0] == 0])
    assert np.abs(expected - features).max() > 0.1


def test_semantic_wise_attention_in_blocks_is_the_same(semantic_case):
    layer, features, scores, mask = semantic_case
    blocked = layers.SemanticWiseAttention(max_attention_elements=70, **LAST)
    blocked(features, scores, mask)
    blocked.set_weights(layer.get_weights())
    np.testing.assert_allclose(
        ops.convert_to_numpy(blocked(features, scores, mask)),
        ops.convert_to_numpy(layer(features, scores, mask)),
        rtol=1e-4,
        atol=1e-4,
    )


def test_semantic_wise_attention_map(semantic_case):
    layer, features, scores, mask = semantic_case
    kind, weights, _ = layer.attention_map(features, scores, mask, position=(2, 2))
    weights = ops.convert_to_numpy(weights)
    assert kind == "weights" and weights.shape == (3, 5, 6)
    np.testing.assert_allclose(weights.sum((1, 2)), 1, atol=1e-5)
    classes = scores.argmax(-1)
    other = (classes[0] != classes[0, 2, 2]) | (mask[0, ..., 0] > 0)
    assert weights[0][other].max() < 1e-8
    value = features @ ops.convert_to_numpy(layer.value.kernel)[0, 0] + ops.convert_to_numpy(layer.value.bias)
    mixture = np.einsum("bhw,bhwc->bc", weights, value) * ops.convert_to_numpy(layer.gamma)
    result = ops.convert_to_numpy(layer(features, scores, mask))
    np.testing.assert_allclose(result[:, 2, 2] - features[:, 2, 2], mixture, atol=1e-4)
    with pytest.raises(ValueError, match="`position`"):
        layer.attention_map(features, scores, mask)


def test_soft_classes_have_gradients(semantic_case):
    _, features, scores, mask = semantic_case
    inputs = [keras.Input(x.shape[1:]) for x in (features, scores, mask)]
    made = keras.layers.Conv2D(3, 1, use_bias=False, **LAST)
    layer = layers.SemanticWiseAttention(soft=True, separation=2.0, **LAST)
    model = keras.Model(inputs, layer(inputs[0], made(inputs[1]), inputs[2]))
    model.compile(keras.optimizers.SGD(0.1), "mse", run_eagerly=True)
    before = made.get_weights()[0].copy()
    model.train_on_batch([features, scores, mask], np.zeros_like(features))
    assert np.abs(made.get_weights()[0] - before).max() > 1e-6


def test_semantic_wise_attention_checks_its_arguments():
    layer = layers.SemanticWiseAttention(**LAST)
    maps = [np.zeros((1, 4, 4, channels), "float32") for channels in (8, 3)]
    with pytest.raises(ValueError, match="same height and width"):
        layer(*maps, np.zeros((1, 8, 8, 1), "float32"))
    with pytest.raises(ValueError, match="one channel"):
        layer(*maps, np.zeros((1, 4, 4, 3), "float32"))
    with pytest.raises(ValueError, match="`reduction`"):
        layers.SemanticWiseAttention(0)
    with pytest.raises(ValueError, match="`scale`"):
        layers.SemanticWiseAttention(scale=0)
