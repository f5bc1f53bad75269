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


def normalised_pair():
    """An image and features of it in another range, concatenated and normalised as ENet begins."""
    image = keras.Input((8, 12, 3))
    form = dict(data_format="channels_last")
    features = layers.Conv2D(
        5, 3, 2, padding="same", kernel_initializer=keras.initializers.RandomNormal(stddev=9), **form
    )(image)
    x = layers.Concatenate(-1)([features, layers.MaxPooling2D(2, 2, **form)(image)])
    x = layers.BatchNormalization(
        -1,
        gamma_initializer=keras.initializers.RandomUniform(0.5, 2),
        beta_initializer="random_normal",
        moving_mean_initializer="random_normal",
        moving_variance_initializer=keras.initializers.RandomUniform(0.5, 2),
    )(x)
    return keras.Model(image, layers.Conv2D(2, 1, **form)(layers.ReLU()(x)))


def test_what_is_concatenated_is_normalised_before(rng):
    from keras_segpaint.export.integer_form import integer_form

    model = normalised_pair()
    x = rng.random((1, 8, 12, 3), "float32")
    form = integer_form(model, x)
    assert not any(isinstance(layer, layers.BatchNormalization | layers.Concatenate) for layer in form.layers)
    np.testing.assert_allclose(form(x), model(x), rtol=1e-4, atol=1e-3)


def test_an_image_beside_features_keeps_its_own_scale(rng, tmp_path):
    from keras_segpaint import export

    interpreter = pytest.importorskip("ai_edge_litert.interpreter")
    images = rng.integers(0, 256, (4, 8, 12, 3), np.uint8)
    path = tmp_path / "pair.tflite"
    export.to_litert(normalised_pair(), path, images=images, precision="int8", calibration=images, input_dtype="uint8")
    (image,) = interpreter.Interpreter(str(path)).get_input_details()
    scale, zero = image["quantization"]
    assert zero == 0 and scale == pytest.approx(1 / 255, rel=1e-4)


def test_rare_values_do_not_take_the_steps_of_all_others(rng, tmp_path):
    """Two classes by brightness, beside a feature that is sixty times as large in one of thousand pixels."""
    from keras_segpaint import export

    image = keras.Input((32, 40, 2))
    one = dict(kernel_size=1, data_format="channels_last")
    features = layers.Conv2D(2, activation="relu", **one)
    logits = layers.Conv2D(2, **one)
    model = keras.Model(image, logits(features(image)))
    features.set_weights([np.float32([[[[1, 0], [0, 60]]]]), np.zeros(2)])
    logits.set_weights([np.float32([[[[-1, 1], [0, 0]]]]), np.float32([0.5, -0.5])])
    images = rng.random((8, 32, 40, 2), "float32")
    images[..., 1] = 0
    images[:, 7, 9, 1] = 1
    report = export.to_litert(model, tmp_path / "a.tflite", images=images, precision="int8", calibration=images)
    assert report.equal_argmax > 0.98
