"""The partial convolution: against the reference implementation, and on the masks that matter."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_segpaint.layers import PartialConv2D

LAST = {"data_format": "channels_last"}


def to_format(array, data_format):
    """A reference array (channels first) in that format."""
    return array if data_format == "channels_first" else array.transpose(0, 2, 3, 1)


def fixture_case(reference, case, data_format):
    """The layer of a case with its weights, its features and its mask of 1 for a hole."""
    settings = reference.info["cases"][case]
    options = settings["k"]
    layer = PartialConv2D(
        settings["a"][1],
        settings["a"][2],
        strides=options["stride"],
        dilation_rate=options.get("dilation", 1),
        use_bias=options["bias"],
        data_format=data_format,
    )
    x = to_format(reference.arrays[f"{case}.x"], data_format)
    layer.build(x.shape)
    layer.kernel.assign(reference.weights[f"{case}.weight"].transpose(2, 3, 1, 0))
    if options["bias"]:
        layer.bias.assign(reference.weights[f"{case}.bias"])
    known = reference.arrays.get(f"{case}.mask")
    return layer, x, None if known is None else 1 - to_format(known, data_format)


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_reference_outputs(fixture_arrays, data_format):
    reference = fixture_arrays("partialconv2d")
    assert len(reference.info["cases"]) == 11
    names = reference.info["cases"] if data_format == "channels_last" else ("multi_s2", "single_s1")
    for case in names:
        layer, x, hole = fixture_case(reference, case, data_format)
        y, hole = (ops.convert_to_numpy(output) for output in layer(x, hole))
        expected = to_format(reference.arrays[f"{case}.y"], data_format)
        np.testing.assert_allclose(y, expected, rtol=1e-5, atol=1e-5, err_msg=case)
        # There every filter has a mask of its own, all of them the same.
        known = to_format(reference.arrays[f"{case}.mask_out"], data_format)
        known = known[:, :1] if data_format == "channels_first" else known[..., :1]
        np.testing.assert_array_equal(hole, np.broadcast_to(1 - known, hole.shape), err_msg=case)


def test_groups_share_one_mask_channel(rng):
    a, b = (rng.normal(size=(2, 6, 7, channels)).astype("float32") for channels in (3, 5))
    hole_a, hole_b = ((rng.random((2, 6, 7, 1)) < 0.6).astype("float32") for _ in range(2))
    layer = PartialConv2D(4, 3, strides=2, **LAST)
    grouped, hole = layer([a, b], [hole_a, hole_b])
    whole = np.concatenate([np.repeat(hole_a, 3, -1), np.repeat(hole_b, 5, -1)], -1)
    expected, expected_hole = layer(np.concatenate([a, b], -1), whole)
    np.testing.assert_allclose(ops.convert_to_numpy(grouped), ops.convert_to_numpy(expected), atol=1e-5)
    np.testing.assert_array_equal(ops.convert_to_numpy(hole), ops.convert_to_numpy(expected_hole))


def test_what_is_in_the_hole_does_not_matter(rng):
    layer = PartialConv2D(4, 3, activation="relu", **LAST)
    x = rng.normal(size=(1, 8, 8, 3)).astype("float32")
    hole = np.zeros((1, 8, 8, 1), "float32")
    hole[:, 2:6, 2:6] = 1
    outputs = [ops.convert_to_numpy(layer(x + value * hole, hole)[0]) for value in (0, 100)]
    np.testing.assert_array_equal(*outputs)
    shrunk = ops.convert_to_numpy(layer(x, hole)[1])[0, :, :, 0]
    expected = np.zeros((8, 8))
    expected[3:5, 3:5] = 1
    np.testing.assert_array_equal(shrunk, expected)


def test_a_window_without_known_pixels_gives_zero_and_not_the_bias():
    layer = PartialConv2D(2, 3, **LAST)
    x, hole = np.ones((1, 5, 5, 3), "float32"), np.ones((1, 5, 5, 1), "float32")
    layer.build(x.shape)
    layer.bias.assign([3.0, -4.0])
    y, hole = layer(x, hole)
    assert not ops.convert_to_numpy(y).any()
    assert ops.convert_to_numpy(hole).all()


def test_a_constant_stays_the_same_whatever_is_missing(rng):
    layer = PartialConv2D(1, 3, kernel_initializer=keras.initializers.Constant(1 / 27), **LAST)
    hole = (rng.random((1, 9, 9, 1)) < 0.5).astype("float32")
    y, hole = (ops.convert_to_numpy(output) for output in layer(np.full((1, 9, 9, 3), 2.0, "float32"), hole))
    np.testing.assert_allclose(y, 2 * (1 - hole), rtol=1e-6)


@pytest.mark.parametrize("strides", [1, 2])
@pytest.mark.parametrize("kernel_size", [3, 4, (5, 2)])
def test_symbolic_sizes_are_the_real_ones(kernel_size, strides):
    layer = PartialConv2D(2, kernel_size, strides=strides, dilation_rate=1 if strides == 2 else 2, **LAST)
    x, hole = np.zeros((1, 11, 14, 3), "float32"), np.zeros((1, 11, 14, 1), "float32")
    symbolic = layer.compute_output_spec(keras.KerasTensor(x.shape), keras.KerasTensor(hole.shape))
    assert [tuple(output.shape) for output in layer(x, hole)] == [output.shape for output in symbolic]


def test_errors():
    with pytest.raises(ValueError, match="`filters` must be an integer >= 1. Received: filters=0"):
        PartialConv2D(0, 3)
    features = ops.zeros((1, 4, 4, 3))
    with pytest.raises(
        ValueError, match=r"one hole mask for each feature map.*\[3\] channels, masks of \[2\] channels"
    ):
        PartialConv2D(2, 3, **LAST)(features, ops.zeros((1, 4, 4, 2)))
    with pytest.raises(ValueError, match="one hole mask for each feature map"):
        PartialConv2D(2, 3, **LAST)([features, features], [features])
