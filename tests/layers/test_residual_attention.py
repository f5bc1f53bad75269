"""Residual attention: its equation, its branches, its published layout."""

import numpy as np
import pytest
from keras import ops

from keras_segpaint.layers import ResidualAttention
from tests.conformance.cases import fill_weights


@pytest.mark.parametrize("size", [(1, 1), (5, 7), (9, 4)])
@pytest.mark.parametrize("levels", [1, 3])
def test_trunk_times_one_plus_mask(size, levels, rng):
    x = ops.convert_to_tensor(rng.normal(size=(2, *size, 8)).astype("float32"))
    layer = ResidualAttention(outer_units=0, levels=levels, data_format="channels_last")
    layer.build(x.shape)
    fill_weights(layer)
    mask, trunk = (ops.convert_to_numpy(part(x)) for part in (layer.mask, layer.trunk))
    assert mask.shape == trunk.shape == (2, *size, 8)
    assert mask.min() >= 0 and mask.max() <= 1 and mask.std() > 1e-3
    np.testing.assert_allclose(ops.convert_to_numpy(layer(x)), (1 + mask) * trunk, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("arguments", "units"),
    [
        # p before and behind, t in the trunk, r each way at each level, one across at all levels but the deepest.
        ({"levels": 3}, 1 + 1 + 2 + 6 + 2),
        ({"levels": 2}, 1 + 1 + 2 + 4 + 1),
        ({"levels": 1}, 1 + 1 + 2 + 2),
        ({"outer_units": 2, "trunk_units": 3, "mask_units": 2, "levels": 2}, 2 + 2 + 3 + 8 + 1),
    ],
)
def test_how_many_units(arguments, units):
    channels = 16
    layer = ResidualAttention(**arguments, data_format="channels_last")
    layer.build((None, None, None, channels))
    inner = channels // 4
    unit = 2 * channels + 4 * inner + 2 * channels * inner + 9 * inner * inner
    mask_end = 4 * channels + 2 * channels * channels + channels
    assert sum(int(np.prod(weight.shape)) for weight in layer.trainable_weights) == units * unit + mask_end


def test_the_mask_sees_farther_than_the_trunk(rng):
    """One pixel changes: the trunk of one unit changes next to it, the mask at the far corner too."""
    layer = ResidualAttention(outer_units=0, trunk_units=1, levels=3, data_format="channels_last")
    layer.build((None, 16, 16, 8))
    fill_weights(layer)
    x = rng.normal(size=(1, 16, 16, 8)).astype("float32")
    other = x.copy()
    other[0, 0, 0] += 1.0
    change = [
        np.abs(
            ops.convert_to_numpy(part(ops.convert_to_tensor(other)))
            - ops.convert_to_numpy(part(ops.convert_to_tensor(x)))
        )
        for part in (layer.trunk, layer.mask)
    ]
    assert change[0][0, 2:, 2:].max() == 0 and change[0][0, 1, 1].max() > 0
    assert change[1][0, 12, 12].max() > 1e-6


def test_units_keep_their_input(rng):
    """With the last convolution of each unit at 0 the trunk is the identity."""
    layer = ResidualAttention(data_format="channels_first")
    layer.build((None, 8, 5, 7))
    for unit in layer.trunk_chain:
        unit.convs[-1].kernel.assign(np.zeros((1, 1, 2, 8), "float32"))
    x = rng.normal(size=(1, 8, 5, 7)).astype("float32")
    np.testing.assert_array_equal(ops.convert_to_numpy(layer.trunk(ops.convert_to_tensor(x))), x)
