"""Spatially adaptive normalisation and its block against the reference implementation, and what they are told."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_segpaint import export
from keras_segpaint.layers import SPADE, LabelMapEncoding, SPADEResBlock
from keras_segpaint.ops.resizing import nearest_top_left
from tests.layers.spade_weights import load_block, load_spade

LAST = {"data_format": "channels_last"}
FORMATS = pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])


def in_format(array, data_format):
    """A reference array (channels first) in a data format."""
    return array.transpose(0, 2, 3, 1) if data_format == "channels_last" else array


@FORMATS
@pytest.mark.parametrize(
    ("case", "arguments"),
    [
        ("instance3x3", {"normalization": "instance"}),
        ("batch3x3", {}),
        ("syncbatch3x3", {}),
        ("instance5x5", {"normalization": "instance", "kernel_size": 5}),
    ],
)
def test_spade_is_that_of_the_reference(case, arguments, data_format, fixture_arrays):
    reference = fixture_arrays("spade_norm")
    x, segmap, y = (in_format(reference.arrays[f"{case}.{name}"], data_format) for name in ("x", "segmap", "y"))
    layer = SPADE(data_format=data_format, **arguments)
    layer.build(x.shape, segmap.shape)
    assert load_spade(layer, reference.weights, f"{case}.") == len(layer.weights)
    np.testing.assert_allclose(ops.convert_to_numpy(layer(x, segmap)), y, rtol=1e-5, atol=1e-5)
    # The same map as labels.
    labels = segmap.argmax(-1 if data_format == "channels_last" else 1)
    by_labels = SPADE(reference.info["cases"][case][2], None, data_format=data_format, **arguments)
    by_labels.build(x.shape, labels.shape)
    by_labels.set_weights(layer.get_weights())
    np.testing.assert_allclose(ops.convert_to_numpy(by_labels(x, labels)), y, rtol=1e-5, atol=1e-5)


@FORMATS
@pytest.mark.parametrize(
    ("case", "arguments"),
    [
        ("shortcut_spectral", {"normalization": "instance"}),
        ("shortcut_plain", {"normalization": "instance", "spectral_norm": False}),
        ("identity_spectral", {}),
        ("up_plain", {"spectral_norm": False}),
    ],
)
def test_the_block_is_that_of_the_reference(case, arguments, data_format, fixture_arrays):
    reference = fixture_arrays("spade_resnet_block")
    x, seg, y = (in_format(reference.arrays[f"{case}.{name}"], data_format) for name in ("x", "seg", "y"))
    layer = SPADEResBlock(reference.info["cases"][case][1], data_format=data_format, **arguments)
    layer.build(x.shape, seg.shape)
    assert load_block(layer, reference.weights, f"{case}.") == len(layer.weights)
    assert (layer.conv_s is None) == case.startswith("identity")
    np.testing.assert_allclose(ops.convert_to_numpy(layer(x, seg)), y, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("target", [(9, 12), (30, 20), (15, 5), (60, 40), (47, 1)])
def test_label_maps_are_resized_by_the_rule_of_pytorch(target, rng):
    torch = pytest.importorskip("torch")
    x = rng.integers(0, 9, (1, 30, 20, 2)).astype("float32")
    tensor = torch.from_numpy(x.transpose(0, 3, 1, 2).copy())
    expected = torch.nn.functional.interpolate(tensor, size=target, mode="nearest").numpy()
    first = nearest_top_left(ops.convert_to_tensor(x.transpose(0, 3, 1, 2)), target, "channels_first")
    np.testing.assert_array_equal(ops.convert_to_numpy(first), expected)
    last = nearest_top_left(ops.convert_to_tensor(x), target, "channels_last")
    np.testing.assert_array_equal(ops.convert_to_numpy(last), expected.transpose(0, 2, 3, 1))


@pytest.mark.parametrize("normalization", ["batch", "instance", "group"])
def test_what_does_not_vary_is_normalized_to_nothing(normalization):
    layer = SPADE(2, None, normalization=normalization, hidden=4, **LAST)
    labels = np.array([[[0, 1]], [[1, 1]]])
    # One pixel for each image, all the same.
    x = np.full((2, 1, 1, 4), 3.0, "float32")
    y = ops.convert_to_numpy(layer(x, labels, training=True))
    beta = ops.convert_to_numpy(layer.modulation(layer.hide(layer.guide(labels, ops.convert_to_tensor(x)))))[..., 4:]
    # Fused kernels have the mean but for its last digit, and divide by the root of epsilon.
    np.testing.assert_allclose(y, beta, atol=1e-3)


def test_groups_are_those_of_pytorch(rng):
    torch = pytest.importorskip("torch")
    x = rng.normal(2.0, 3.0, (2, 5, 6, 48)).astype("float32")
    layer = SPADE(2, None, normalization="group", hidden=4, **LAST)
    layer.build(x.shape, (2, 5, 6))
    for weight in layer.weights:
        weight.assign(np.zeros(weight.shape))
    expected = torch.nn.functional.group_norm(torch.from_numpy(x.transpose(0, 3, 1, 2).copy()), 16, eps=1e-5)
    y = ops.convert_to_numpy(layer(x, np.zeros((2, 5, 6), "int32")))
    np.testing.assert_allclose(y, expected.numpy().transpose(0, 2, 3, 1), atol=1e-5)


@FORMATS
@pytest.mark.parametrize("dtype", ["uint8", "int32", "float32"])
def test_labels_become_planes(dtype, data_format):
    labels = np.array([[[0, 2, 255], [1, 3, 200]]], dtype)
    expected = np.zeros((1, 2, 3, 4), "float32")
    for row, column, plane in ((0, 0, 0), (0, 1, 2), (0, 2, 3), (1, 0, 1)):
        expected[0, row, column, plane] = 1
    layer = LabelMapEncoding(3, data_format=data_format, dtype="mixed_bfloat16")
    for x in (labels, np.expand_dims(labels, -1 if data_format == "channels_last" else 1)):
        planes = layer(x)
        assert keras.backend.standardize_dtype(planes.dtype) == "bfloat16"
        planes = ops.convert_to_numpy(ops.cast(planes, "float32"))
        np.testing.assert_array_equal(
            np.moveaxis(planes, 1, -1) if data_format == "channels_first" else planes, expected
        )


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: LabelMapEncoding(0), "`num_labels` must be an integer >= 1. Received: num_labels=0"),
        (lambda: LabelMapEncoding(3, ignore_class=2), r"`ignore_class` must be None or an integer outside of \[0, 3\)"),
        (lambda: LabelMapEncoding(3, **LAST)(keras.Input((4, 4, 2))), "or have one channel. Received: shape"),
        (lambda: SPADE(normalization="layer"), "`normalization` must be one of"),
        (lambda: SPADE(kernel_size=4), "`kernel_size` must be an odd integer >= 1. Received: kernel_size=4"),
        (lambda: SPADE(hidden=0), "`hidden` must be an integer >= 1"),
        (lambda: SPADE(**LAST).build((1, 4, 4, 2), (1, 4, 4)), "give `num_labels`, or planes"),
        (lambda: SPADE(5, **LAST).build((1, 4, 4, 2), (1, 4, 4, 3)), "or 6 planes. Received: label_map of shape"),
        (lambda: SPADE(5, **LAST).build((1, 4, 4, None), (1, 4, 4)), "channels of the features must be known"),
        (lambda: SPADEResBlock(0), "`filters` must be an integer >= 1. Received: filters=0"),
    ],
)
def test_errors(build, message):
    with pytest.raises(ValueError, match=message):
        build()


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="exports from TensorFlow")
@pytest.mark.parametrize("normalization", ["batch", "instance", "group"])
def test_litert(normalization, tmp_path):
    pytest.importorskip("ai_edge_litert")
    keras.utils.set_random_seed(1)
    inputs = keras.Input((None, None, 3))
    labels = ops.cast(3.0 * inputs[..., :1], "int32")
    features = keras.layers.Conv2D(4, 3, strides=2, padding="same", **LAST)(inputs)
    x = SPADE(3, normalization=normalization, hidden=8, **LAST)(features, labels)
    x = SPADEResBlock(6, 3, normalization=normalization, hidden=8, **LAST)(x, labels)
    model = keras.Model(inputs, x)
    model.data_format = "channels_last"
    report = export.to_litert(model, tmp_path / "layer.tflite", input_shape=(13, 18, 3))
    assert report.max_difference < 1e-5
