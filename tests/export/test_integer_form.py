"""A model written for quantisation computes what the model computes."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_segpaint.layers import MaxPoolingWithArgmax2D, MaxUnpooling2D, SymmetricPadding2D

pytestmark = pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="conversion is TensorFlow's alone")


@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("size", [(6, 8), (7, 9), (6, 9)])
def test_pooling_and_its_inverse_with_ties(rng, padding, size):
    from keras_segpaint.export.integer_form import integer_form

    image = keras.Input((None, None, 3))
    form = dict(padding=padding, data_format="channels_last")
    pooled, positions = MaxPoolingWithArgmax2D(2, **form)(image)
    model = keras.Model(image, [pooled, MaxUnpooling2D(2, **form)(pooled * 2 + 1, positions, like=image)])
    x = np.round(rng.normal(size=(2, *size, 3)) * 2).astype("float32") / 2
    form = integer_form(model, x)
    assert not any(isinstance(layer, MaxPoolingWithArgmax2D | MaxUnpooling2D) for layer in form.layers)
    for one in x:
        for have, want in zip(form(one[None]), model(one[None]), strict=True):
            np.testing.assert_allclose(have, want, atol=1e-6)


@pytest.mark.parametrize("largest", [1.0, 1.5])
def test_slopes_and_padding(rng, largest):
    from keras_segpaint.export.integer_form import integer_form

    image = keras.Input((6, 8, 4))
    slopes = keras.initializers.Constant([-0.5, 0.0, 0.25, largest])
    x = layers.PReLU(slopes, shared_axes=[1, 2])(image)
    x = SymmetricPadding2D(3, value=float("-inf"), data_format="channels_last")(x)
    model = keras.Model(image, layers.MaxPooling2D(3, 2, data_format="channels_last")(x))
    x = rng.normal(size=(1, 6, 8, 4)).astype("float32")
    form = integer_form(model, x)
    np.testing.assert_array_equal(form(x), model(x))
    # A slope above 1 turns the larger into the smaller.
    assert any(isinstance(layer, layers.PReLU) for layer in form.layers) == (largest > 1)
    assert all(np.isfinite(layer.value) for layer in form.layers if isinstance(layer, SymmetricPadding2D))


def test_positions_that_something_else_reads_stay(rng):
    from keras_segpaint.export.integer_form import integer_form

    image = keras.Input((4, 4, 2))
    pooled, positions = MaxPoolingWithArgmax2D(2, data_format="channels_last")(image)
    back = MaxUnpooling2D(2, data_format="channels_last")(pooled, positions, like=image)
    model = keras.Model(image, [back, positions])
    x = rng.normal(size=(1, 4, 4, 2)).astype("float32")
    assert any(isinstance(layer, MaxPoolingWithArgmax2D) for layer in integer_form(model, x).layers)
