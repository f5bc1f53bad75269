"""Monte Carlo dropout: what is random, what is not, and what stays untouched."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_segpaint.inference import mc_dropout
from keras_segpaint.models import SegNetBasic


@pytest.fixture
def model() -> keras.Model:
    keras.utils.set_random_seed(0)
    image = keras.Input((None, None, 3))
    x = layers.Conv2D(8, 3, padding="same")(image)
    x = layers.BatchNormalization(moving_mean_initializer="random_normal")(x)
    x = layers.Dropout(0.5)(x)
    x = layers.SpatialDropout2D(0.25)(x)
    return keras.Model(image, layers.Conv2D(2, 1)(x))


@pytest.fixture
def images(rng) -> np.ndarray:
    return rng.random((3, 6, 5, 3), np.float32)


def softmax(logits: np.ndarray) -> np.ndarray:
    exponentials = np.exp(logits - logits.max(-1, keepdims=True))
    return exponentials / exponentials.sum(-1, keepdims=True)


def test_a_seed_fixes_the_result_and_another_changes_it(model, images):
    first, second, other = (mc_dropout(model, images, samples=3, batch_size=2, seed=seed) for seed in (5, 5, 6))
    np.testing.assert_array_equal(first[0], second[0])
    np.testing.assert_array_equal(first[1], second[1])
    assert np.abs(first[0] - other[0]).max() > 1e-3


def test_mean_and_variance_are_those_of_the_single_passes(model, images):
    one_pass, no_variance = mc_dropout(model, images, samples=1, seed=1)
    mean, variance = mc_dropout(model, images, samples=40, seed=1)
    assert no_variance.max() == 0.0
    np.testing.assert_allclose(mean.sum(-1), 1.0, atol=1e-5)
    # Two probabilities that sum to one vary alike, and no variable in [0, 1] varies more than 1/4.
    np.testing.assert_allclose(variance[..., 0], variance[..., 1], atol=1e-6)
    assert 1e-5 < variance.mean() < 0.25
    assert np.abs(one_pass - mean).max() > 1e-3


def test_the_mean_of_many_passes_of_a_linear_head_is_the_deterministic_output(images):
    image = keras.Input((None, None, 3))
    model = keras.Model(
        image, layers.Conv2D(2, 1, kernel_initializer=keras.initializers.Constant(0.05))(layers.Dropout(0.2)(image))
    )
    model.layers[-1].set_weights([model.layers[-1].get_weights()[0] * [1, -1], np.zeros(2, "float32")])
    mean, _ = mc_dropout(model, images, samples=400, seed=0)
    np.testing.assert_allclose(mean, softmax(np.asarray(model.predict_on_batch(images))), atol=0.01)


def test_batch_normalisation_stays_in_inference_mode_and_untouched(model, images):
    before = model.get_weights()
    for layer in model.layers:
        if isinstance(layer, layers.Dropout | layers.SpatialDropout2D):
            layer.rate = 1e-7  # dropout that is on but drops nothing
    mean, _ = mc_dropout(model, images, samples=2, seed=0)
    np.testing.assert_allclose(mean, softmax(np.asarray(model.predict_on_batch(images))), atol=1e-5)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_the_model_itself_still_predicts_the_same(model, images):
    before = np.asarray(model.predict_on_batch(images))
    mc_dropout(model, images, samples=2, seed=0)
    np.testing.assert_array_equal(before, np.asarray(model.predict_on_batch(images)))


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_a_bayesian_model_takes_bytes_in_either_data_format(rng, data_format):
    keras.utils.set_random_seed(0)
    model = SegNetBasic(3, base_filters=4, bayesian=True, data_format=data_format)
    images = rng.integers(0, 256, (2, 16, 17, 3), np.uint8)
    mean, variance = mc_dropout(model, images, samples=3, seed=0)
    assert mean.shape == variance.shape == (2, 16, 17, 3)
    assert variance.max() > 0
    floats = mc_dropout(model, images.astype("float32") / 255, samples=3, seed=0)
    np.testing.assert_allclose(mean, floats[0], atol=1e-6)


def test_mixed_precision(images):
    image = keras.Input((None, None, 3))
    x = layers.Dropout(0.5, dtype="mixed_bfloat16")(layers.Conv2D(8, 3, dtype="mixed_bfloat16")(image))
    model = keras.Model(image, layers.Conv2D(2, 1, dtype="float32")(x))
    mean, variance = mc_dropout(model, images, samples=3, seed=0)
    np.testing.assert_allclose(mean.sum(-1), 1.0, atol=1e-5)
    assert variance.max() > 1e-3


def test_a_model_without_active_dropout_is_refused(images):
    model = SegNetBasic(3, base_filters=2)
    with pytest.raises(ValueError, match="segnet_basic has none"):
        mc_dropout(model, images)


def test_a_subclassed_model_is_refused(images):
    class Network(keras.Model):
        def call(self, x):
            return x

    with pytest.raises(ValueError, match="functional"):
        mc_dropout(Network(), images)


@pytest.mark.parametrize("arguments", [{"samples": 0}, {"batch_size": 0}])
def test_arguments_are_checked(model, images, arguments):
    with pytest.raises(ValueError, match=next(iter(arguments))):
        mc_dropout(model, images, **arguments)
