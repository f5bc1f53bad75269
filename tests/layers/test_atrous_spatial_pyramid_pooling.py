"""Atrous spatial pyramid pooling against torchvision's and segmentation_models.pytorch's."""

import keras
import numpy as np
import pytest

from keras_segpaint.convert.mapping import variable_of
from keras_segpaint.layers import AtrousSpatialPyramidPooling
from tests.reference import to_model_format


def sublayer(layer, branch, name):
    sequence = {
        "projection": lambda: layer.projection,
        "image": lambda: layer.image_branch,
    }.get(branch, lambda: layer.branches[int(branch)])()
    return sequence.get_layer(name)


def load(layer, weights, prefix):
    """Fills every weight of the layer from a state_dict."""
    filled = 0
    for key, value in weights.items():
        if not key.startswith(prefix) or key.endswith("num_batches_tracked"):
            continue
        *path, kind = key[len(prefix) :].split(".")
        if path[0] not in ("convs", "project"):
            continue
        if path[0] == "project":
            branch, position = "projection", path[1:]
        elif path[1] == "4":
            branch, position = "image", [str(int(path[2]) - 1)]
        else:
            branch, position = path[1], path[2:]
        name = {("0",): "conv", ("1",): "bn", ("0", "0"): "depthwise", ("0", "1"): "conv"}[tuple(position)]
        target = sublayer(layer, branch, name)
        variable, array = variable_of(target, kind, value)
        variable.assign(array)
        filled += 1
    assert filled == len(layer.variables)


@pytest.mark.parametrize(
    ("prefix", "source", "expected", "arguments"),
    [
        ("torchvision_aspp.", "aspp_input", "torchvision_aspp.y", {"filters": 10, "rates": (12, 24, 36)}),
    ],
)
def test_concatenated_form(fixture_arrays, prefix, source, expected, arguments):
    reference = fixture_arrays("decoder_heads")
    x = to_model_format(reference.arrays[source])
    layer = AtrousSpatialPyramidPooling(**arguments)
    layer.build(x.shape)
    load(layer, reference.weights, prefix)
    output = keras.ops.convert_to_numpy(layer(x, training=False))
    np.testing.assert_allclose(output, to_model_format(reference.arrays[expected]), rtol=1e-4, atol=1e-4)


def test_separable_branches_are_depthwise_then_pointwise(rng):
    # Two 1x1 layers around a depthwise one, computed by hand in the middle pixel.
    x = rng.normal(size=(1, 9, 9, 4)).astype("float32")
    layer = AtrousSpatialPyramidPooling(
        3, (2,), separable=True, depthwise_norm=False, image_pooling=False, data_format="channels_last"
    )
    layer(x)
    branch = layer.branches[1]
    depthwise = keras.ops.convert_to_numpy(branch.get_layer("depthwise").kernel)[..., 0]
    pointwise = keras.ops.convert_to_numpy(branch.get_layer("conv").kernel)[0, 0]
    middle = np.einsum("ijc,ijc->c", x[0, 2:7:2, 2:7:2], depthwise) @ pointwise
    expected = np.maximum(middle / np.sqrt(1 + 1e-5), 0.0)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(branch(x))[0, 4, 4], expected, rtol=1e-4, atol=1e-5)


def test_summed_form_is_the_sum_of_its_convolutions(rng):
    x = rng.normal(size=(2, 11, 7, 4)).astype("float32")
    layer = AtrousSpatialPyramidPooling(3, (1, 3), mode="sum", data_format="channels_last")
    output = keras.ops.convert_to_numpy(layer(x))
    parts = [keras.ops.convert_to_numpy(branch(x)) for branch in layer.branches]
    np.testing.assert_allclose(output, parts[0] + parts[1], rtol=1e-5, atol=1e-6)
    assert [branch.dilation_rate for branch in layer.branches] == [(1, 1), (3, 3)]
    assert sum(int(np.prod(weight.shape)) for weight in layer.trainable_weights) == 2 * (9 * 4 * 3 + 3)
    kernel = keras.ops.convert_to_numpy(layer.branches[0].kernel)
    assert 0.005 < kernel.std() < 0.02


def test_frozen_normalisation_is_not_trained():
    layer = AtrousSpatialPyramidPooling(4, normalization="frozen_batch", data_format="channels_last")
    layer.build((None, None, None, 3))
    assert {weight.path.rsplit("/", 1)[-1] for weight in layer.trainable_weights} == {"kernel"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"filters": 0}, "filters=0"),
        ({"filters": 2, "rates": ()}, r"rates=\(\)"),
        ({"filters": 2, "mode": "mean"}, "mode='mean'"),
        ({"filters": 2, "mode": "sum", "separable": True}, "separable=True"),
        ({"filters": 2, "dropout": 1.0}, "dropout=1.0"),
        ({"filters": 2, "normalization": "none"}, "normalization='none'|'none'"),
    ],
)
def test_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        AtrousSpatialPyramidPooling(**arguments)
