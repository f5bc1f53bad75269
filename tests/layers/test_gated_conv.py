"""The gated convolution against the reference implementation."""

import numpy as np
import pytest
from keras import ops

from keras_segpaint.layers import GatedConv2D


def cases(reference):
    """The gated cases of the fixture: the layer's arguments by name."""
    found = {"deconv": dict(filters=4, kernel_size=3, upsampling=2)}
    for name, settings in reference.info["cases"].items():
        if settings.get("gated", True):
            found[name] = dict(
                filters=settings["cnum_out"],
                kernel_size=settings["ksize"],
                strides=settings.get("stride", 1),
                dilation_rate=settings.get("rate", 1),
                activation=settings.get("activation", "ELU").lower(),
            )
    return found


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_reference_outputs(fixture_arrays, data_format):
    reference = fixture_arrays("deepfillv2_gated_conv")
    found = cases(reference)
    assert len(found) == 7
    # The conformance suite compares the two formats; here the cases with padding and resizing are enough.
    names = found if data_format == "channels_last" else ("k3_s2", "deconv")
    for name in names:
        arguments = found[name]
        x, y = (reference.arrays[f"{name}.{key}"] for key in "xy")
        if data_format == "channels_last":
            x, y = x.transpose(0, 2, 3, 1), y.transpose(0, 2, 3, 1)
        layer = GatedConv2D(**arguments, data_format=data_format)
        layer.build(x.shape)
        prefix = f"{name}.conv.conv" if name == "deconv" else f"{name}.conv"
        layer.conv.kernel.assign(reference.weights[f"{prefix}.weight"].transpose(2, 3, 1, 0))
        layer.conv.bias.assign(reference.weights[f"{prefix}.bias"])
        output = layer(x)
        np.testing.assert_allclose(ops.convert_to_numpy(output), y, rtol=1e-5, atol=1e-5, err_msg=name)
        assert tuple(output.shape) == tuple(layer.compute_output_spec(x).shape)


@pytest.mark.parametrize("size", [(8, 6), (7, 5)])
def test_same_padding_is_that_of_tensorflow(size, rng):
    layer = GatedConv2D(3, 3, strides=2, padding="same", data_format="channels_last")
    x = rng.normal(size=(1, *size, 2)).astype("float32")
    output = layer(x)
    bias = rng.normal(size=6).astype("float32")
    layer.conv.bias.assign(bias)
    kernel = ops.convert_to_numpy(layer.conv.kernel)
    # Even sizes need one row of zeros, which is below; odd ones two, one of them above.
    above, left = (extent % 2 for extent in size)
    padded = np.pad(x[0], ((above, 1), (left, 1), (0, 0)))
    rows, columns = (-(-extent // 2) for extent in size)
    windows = np.array(
        [[padded[2 * i : 2 * i + 3, 2 * j : 2 * j + 3] for j in range(columns)] for i in range(rows)], "float64"
    )
    sums = np.einsum("ijklc,klco->ijo", windows, kernel) + bias
    features, gate = sums[..., :3], sums[..., 3:]
    expected = np.where(features > 0, features, np.expm1(features)) / (1 + np.exp(-gate))
    np.testing.assert_allclose(ops.convert_to_numpy(layer(x))[0], expected, atol=1e-5)
    assert tuple(output.shape) == tuple(layer.compute_output_spec(x).shape)


def test_errors():
    with pytest.raises(ValueError, match='`padding` must be "symmetric" or "same". Received: padding='):
        GatedConv2D(4, padding="valid")
    with pytest.raises(ValueError, match="`filters` must be an integer >= 1. Received: filters=0"):
        GatedConv2D(0)
    with pytest.raises(ValueError, match="`upsampling` must be an integer >= 1. Received: upsampling=0.5"):
        GatedConv2D(4, upsampling=0.5)
    with pytest.raises(ValueError, match="`strides` must be an integer >= 1"):
        GatedConv2D(4, strides=0)
