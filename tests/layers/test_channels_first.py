"""A bias belongs to the channels, also where a map is as wide as it has channels."""

import keras
import numpy as np
import pytest

from keras_segpaint.layers.factory import LayerFactory

POLICY = keras.dtype_policies.get("float32")


@pytest.mark.parametrize("kind", ["conv", "conv_transpose"])
@pytest.mark.parametrize("activation", [None, "relu"])
def test_bias_of_a_map_as_wide_as_it_has_channels(kind, activation, rng):
    x = rng.normal(size=(2, 6, 5, 4)).astype("float32")
    last, first = (
        getattr(LayerFactory(data_format, POLICY), kind)(5, 3, activation=activation)
        for data_format in ("channels_last", "channels_first")
    )
    last.build((2, 6, 5, 4))
    first.build((2, 4, 6, 5))
    last.bias.assign(np.arange(5.0))
    expected = keras.ops.convert_to_numpy(last(x))
    first.set_weights(last.get_weights())
    output = keras.ops.convert_to_numpy(first(np.moveaxis(x, -1, 1)))
    np.testing.assert_allclose(np.moveaxis(output, 1, -1), expected, rtol=1e-4, atol=1e-5)
