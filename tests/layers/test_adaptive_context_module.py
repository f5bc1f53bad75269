"""The adaptive context module against its formula."""

import numpy as np
import pytest
from keras import ops

from keras_segpaint.layers import AdaptiveContextModule
from keras_segpaint.ops.adaptive_pooling import bin_edges


def unit(sequence, x, epsilon=1e-5):
    """A 1x1 convolution with batch normalisation at its first statistics, rectified."""
    kernel = ops.convert_to_numpy(sequence.get_layer("conv").kernel)[0, 0]
    return np.maximum(x @ kernel / np.sqrt(1 + epsilon), 0)


@pytest.mark.parametrize("fusion", [True, False])
def test_formula(fusion, rng):
    x = rng.normal(size=(2, 5, 7, 4)).astype("float32")
    layer = AdaptiveContextModule(6, bins=2, fusion=fusion, data_format="channels_last")
    output = ops.convert_to_numpy(layer(x))
    reduced = unit(layer.reduction_unit, x)
    guide = unit(layer.image_unit, reduced.mean((1, 2), keepdims=True))
    kernel = ops.convert_to_numpy(layer.affinity_conv.kernel)[0, 0]
    affinity = 1 / (1 + np.exp(-((reduced + guide) @ kernel)))
    context = np.zeros_like(reduced)
    for i, (top, bottom) in enumerate(bin_edges(5, 2)):
        for j, (left, right) in enumerate(bin_edges(7, 2)):
            region = unit(layer.region_unit, x[:, top:bottom, left:right].mean((1, 2)))
            context += affinity[..., 2 * i + j, None] * region[:, None, None]
    expected = np.maximum(unit(layer.residual_unit, context) + reduced, 0)
    expected = unit(layer.fusion_unit, expected) if fusion else expected
    np.testing.assert_allclose(output, expected, rtol=1e-4, atol=1e-5)


def test_parameters_are_counted_by_hand():
    layer = AdaptiveContextModule(512, bins=6, data_format="channels_last")
    layer.build((None, None, None, 2048))
    wide, square, classifier = 2048 * 512 + 2 * 512, 512 * 512 + 2 * 512, 36 * (512 + 1)
    assert sum(int(np.prod(w.shape)) for w in layer.trainable_weights) == 2 * wide + 3 * square + classifier


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"filters": 0}, "filters=0"),
        ({"filters": 2, "bins": 0}, "bins=0"),
        ({"filters": 2, "normalization": "layer"}, "layer"),
    ],
)
def test_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        AdaptiveContextModule(**arguments)
