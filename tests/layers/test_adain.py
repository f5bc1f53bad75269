"""Adaptive instance normalisation against the reference, at its edges, and as a LiteRT file."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_segpaint import export, layers

LAST = {"data_format": "channels_last"}


def reference(content, style, epsilon=1e-5, ddof=1):
    """The formula in float64, channels last."""
    content, style = (np.asarray(x, "float64") for x in (content, style))
    mean, style_mean = (x.mean((1, 2), keepdims=True) for x in (content, style))
    deviation, style_deviation = (np.sqrt(x.var((1, 2), keepdims=True, ddof=ddof) + epsilon) for x in (content, style))
    return style_deviation * (content - mean) / deviation + style_mean


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_reference(fixture_arrays, data_format):
    arrays = fixture_arrays("adain").arrays
    layer = layers.AdaIN(data_format=data_format)
    content, style, expected = (
        arrays[key] if data_format == "channels_first" else arrays[key].transpose(0, 2, 3, 1)
        for key in ("content", "style", "y")
    )
    np.testing.assert_allclose(ops.convert_to_numpy(layer(content, style)), expected, atol=2e-6)
    mean, deviation = layer.statistics(style)
    np.testing.assert_allclose(ops.convert_to_numpy(mean), arrays["style_mean"][..., 0, 0], atol=1e-6)
    np.testing.assert_allclose(ops.convert_to_numpy(deviation), arrays["style_std"][..., 0, 0], atol=1e-6)
    np.testing.assert_allclose(ops.convert_to_numpy(layer(content, (mean, deviation))), expected, atol=2e-6)


def test_biased_variance(rng):
    content, style = rng.normal(size=(2, 3, 4, 5)), rng.normal(size=(2, 2, 3, 5))
    layer = layers.AdaIN(epsilon=0.1, unbiased=False, **LAST)
    output = ops.convert_to_numpy(layer(content.astype("float32"), style.astype("float32")))
    np.testing.assert_allclose(output, reference(content, style, 0.1, ddof=0), atol=1e-5)


def test_alpha_of_all_and_of_each_sample(rng):
    content, style = (rng.normal(size=(2, 3, 4, 5)).astype("float32") for _ in range(2))
    layer = layers.AdaIN(**LAST)
    whole = reference(content, style)
    expected = 0.25 * whole + 0.75 * content
    for alpha in (0.25, ops.convert_to_tensor(0.25), ops.convert_to_tensor([0.25, 0.25])):
        np.testing.assert_allclose(ops.convert_to_numpy(layer(content, style, alpha=alpha)), expected, atol=1e-5)
    output = ops.convert_to_numpy(layer(content, style, alpha=ops.convert_to_tensor([1.0, 0.0])))
    np.testing.assert_allclose(output[0], whole[0], atol=1e-5)
    np.testing.assert_array_equal(output[1], content[1])


@pytest.mark.parametrize("dtype", ["float32", "mixed_float16", "mixed_bfloat16"])
def test_one_colour_and_one_position(rng, dtype):
    layer = layers.AdaIN(dtype=dtype, **LAST)
    content = rng.normal(size=(1, 6, 7, 2)).astype("float32")
    plain = np.full((1, 4, 4, 2), 0.5, "float32")
    output = ops.convert_to_numpy(ops.cast(layer(content, plain), "float32"))
    # What remains is the root of epsilon, 0.003, for each deviation of the content.
    np.testing.assert_allclose(output, 0.5, atol=0.02)
    one = np.full((1, 1, 1, 2), 3.0, "float32")
    for features in ((one, one + 2), (one, plain + 4.5), (content, one + 2), (plain, one + 2)):
        output = ops.convert_to_numpy(ops.cast(layer(*features), "float32"))
        np.testing.assert_allclose(output, 5.0, atol=0.03)


def test_statistics_are_float32_in_half_precision(rng):
    """The squares of these values sum to more than float16 holds."""
    content = rng.normal(size=(1, 32, 32, 2)).astype("float32")
    style = (100 + 10 * rng.normal(size=(1, 32, 32, 2))).astype("float16")
    output = ops.convert_to_numpy(layers.AdaIN(dtype="mixed_float16", **LAST)(content, style))
    assert output.dtype == np.float16
    np.testing.assert_allclose(output, reference(content, style), rtol=2e-3, atol=0.05)


def test_errors(rng):
    with pytest.raises(ValueError, match="`epsilon` must be a number >= 0. Received: epsilon=-1"):
        layers.AdaIN(epsilon=-1)
    with pytest.raises(ValueError, match="Received: 3 channels of content, 4 of style"):
        layers.AdaIN(**LAST)(np.zeros((1, 2, 2, 3), "float32"), np.zeros((1, 2, 2, 4), "float32"))


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="exports from TensorFlow")
def test_litert(tmp_path):
    pytest.importorskip("ai_edge_litert")
    keras.utils.set_random_seed(1)
    image = keras.Input((None, None, 3))
    content = keras.layers.Conv2D(8, 3, padding="same", **LAST)(image)
    style = keras.layers.Conv2D(8, 3, strides=2, padding="same", **LAST)(image)
    model = keras.Model(image, layers.AdaIN(**LAST)(content, style, alpha=0.8))
    model.data_format = "channels_last"
    report = export.to_litert(model, tmp_path / "layer.tflite", input_shape=(13, 18, 3))
    assert report.max_difference < 1e-5
