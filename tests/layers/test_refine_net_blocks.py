"""RefineNet's blocks compute what the reference implementation computes, from the same weights."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_segpaint import layers
from tests.reference import to_model_format


def kernel(reference, key):
    return reference.weights[f"{key}.weight"].transpose(2, 3, 1, 0)


def load_units(units, reference, prefix):
    for index, unit in enumerate(units, start=1):
        unit.conv1.kernel.assign(kernel(reference, f"{prefix}.{index}_conv"))
        unit.conv1.bias.assign(reference.weights[f"{prefix}.{index}_conv.bias"])
        unit.conv2.kernel.assign(kernel(reference, f"{prefix}.{index}_conv_relu_varout_dimred"))


def assert_close(actual, expected):
    np.testing.assert_allclose(ops.convert_to_numpy(actual), to_model_format(expected), rtol=1e-5, atol=4e-5)


@pytest.mark.parametrize(("case", "count"), [("rcu_2", 2), ("rcu_3_widen", 3)])
def test_residual_conv_units(fixture_arrays, case, count):
    reference = fixture_arrays("refinenet_blocks")
    x = to_model_format(reference.arrays[f"{case}.x"])
    units = [layers.ResidualConvUnit() for _ in range(count)]
    for unit in units:
        unit.build(x.shape)
    load_units(units, reference, case)
    for unit in units:
        x = unit(x)
    assert_close(x, reference.arrays[f"{case}.y"])


@pytest.mark.parametrize(("case", "pools"), [("crp_4", 4), ("crp_2_widen", 2)])
def test_chained_residual_pooling(fixture_arrays, case, pools):
    reference = fixture_arrays("refinenet_blocks")
    x = to_model_format(reference.arrays[f"{case}.x"])
    layer = layers.ChainedResidualPooling(pools)
    layer.build(x.shape)
    for index, conv in enumerate(layer.convolutions, start=1):
        conv.kernel.assign(kernel(reference, f"{case}.{index}_outvar_dimred"))
    assert_close(layer(x), reference.arrays[f"{case}.y"])


def test_multi_resolution_fusion(fixture_arrays):
    reference = fixture_arrays("refinenet_blocks")
    high, low = (to_model_format(reference.arrays[f"fuse.{name}"]) for name in ("hi", "lo"))
    reduce = keras.layers.Conv2D(8, 3, padding="same", use_bias=False)
    reduce.build(high.shape)
    reduce.kernel.assign(kernel(reference, "fuse_hi_dimred"))
    units = [layers.ResidualConvUnit() for _ in range(2)]
    x = reduce(high)
    for unit in units:
        unit.build(tuple(x.shape))
    load_units(units, reference, "fuse_hi_rcu")
    for unit in units:
        x = unit(x)
    fuse = layers.MultiResolutionFusion()
    fuse.build([tuple(x.shape), low.shape])
    assert [conv.filters for conv in fuse.convolutions] == [8, 8]
    for conv, key in zip(fuse.convolutions, ("fuse_hi_joint", "fuse_lo_joint"), strict=True):
        conv.kernel.assign(kernel(reference, key))
    assert_close(ops.relu(fuse([x, ops.convert_to_tensor(low)])), reference.arrays["fuse.y"])


def test_improved_pooling_convolves_first(rng):
    x = rng.normal(size=(1, 6, 7, 3)).astype("float32")
    layer = layers.ChainedResidualPooling(2, pool_size=3, conv_first=True, data_format="channels_last")
    layer.build(x.shape)
    pool = keras.layers.MaxPooling2D(3, strides=1, padding="same", data_format="channels_last")
    first = pool(layer.convolutions[0](x))
    expected = x + ops.convert_to_numpy(first) + ops.convert_to_numpy(pool(layer.convolutions[1](first)))
    np.testing.assert_allclose(ops.convert_to_numpy(layer(x)), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: layers.ChainedResidualPooling(0), "`pools` must be"),
        (lambda: layers.ChainedResidualPooling(pool_size=4), "`pool_size` must be"),
        (lambda: layers.MultiResolutionFusion(0), "`filters` must be"),
        (lambda: layers.MultiResolutionFusion()([ops.zeros((1, 2, 2, 1))]), "list of two or more"),
    ],
)
def test_errors(build, message):
    with pytest.raises(ValueError, match=message):
        build()


def test_gate_unit_multiplies(rng):
    x = rng.normal(size=(2, 5, 6, 3)).astype("float32")
    gate = rng.normal(size=(2, 5, 6, 3)).astype("float32")
    product = ops.convert_to_numpy(layers.GateUnit(data_format="channels_last")(x, gate))
    np.testing.assert_allclose(product, x * gate, rtol=1e-6)
