"""Training with fixed statistics: they stay, weights go on, and a step is what inference sees."""

import keras
import numpy as np
import pytest

from keras_segpaint import layers, training

RATE = 0.1


@pytest.fixture
def model():
    image = keras.Input((4, 4, 2))
    x = layers.BatchNormalization(gamma_initializer="ones", beta_initializer="ones", name="outer")(image)
    x = keras.layers.Rescaling(2.0)(x)
    part = keras.Sequential([keras.Input((4, 4, 2)), layers.BatchNormalization(name="inner")], name="part")
    model = keras.Model(image, part(x))
    model.compile(keras.optimizers.SGD(RATE), "mse")
    return model


@pytest.fixture
def images():
    return np.random.default_rng(0).normal(3.0, 2.0, (4, 4, 4, 2)).astype("float32")


def statistics(model):
    return [
        np.array(keras.ops.convert_to_numpy(variable))
        for layer in (model.get_layer("outer"), model.get_layer("part").get_layer("inner"))
        for variable in (layer.moving_mean, layer.moving_variance)
    ]


class Statistics(keras.callbacks.Callback):
    """The statistics after each epoch."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def on_epoch_end(self, epoch, logs=None):
        self.seen.append(statistics(self.model))


def test_statistics_move_before_and_stay_from_the_epoch_on(model, images):
    seen = Statistics()
    model.fit(images, images, epochs=4, batch_size=4, callbacks=[training.FreezeStatistics(2), seen], verbose=0)
    for before, at, after, end in zip(*seen.seen, strict=True):
        assert np.abs(at - before).max() > 1e-3
        np.testing.assert_array_equal(after, at)
        np.testing.assert_array_equal(end, at)


def test_the_loss_of_training_is_that_of_inference_and_scales_go_on_learning(model, images):
    model.fit(images, images, batch_size=4, verbose=0)
    expected = model.evaluate(images, images, batch_size=4, verbose=0)
    gamma = model.get_layer("outer").gamma
    before = np.array(keras.ops.convert_to_numpy(gamma))
    batch_norm = model.fit(images, images, batch_size=4, verbose=0).history["loss"][0]
    assert abs(batch_norm - expected) > 0.1

    expected = model.evaluate(images, images, batch_size=4, verbose=0)
    frozen = model.fit(images, images, batch_size=4, callbacks=[training.FreezeStatistics(0)], verbose=0)
    assert frozen.history["loss"][0] == pytest.approx(expected, rel=1e-5)
    assert np.abs(keras.ops.convert_to_numpy(gamma) - before).max() > 1e-4


def test_the_next_fit_without_it_moves_them_again(model, images):
    model.fit(images, images, callbacks=[training.FreezeStatistics(0)], verbose=0)
    initial = statistics(model)
    np.testing.assert_array_equal(initial[0], 0.0)
    model.fit(images, images, verbose=0)
    assert np.abs(statistics(model)[0] - initial[0]).max() > 0.01


def test_a_run_continued_after_the_epoch_is_frozen_at_once(model, images):
    before = statistics(model)
    model.fit(images, images, initial_epoch=3, epochs=5, callbacks=[training.FreezeStatistics(2)], verbose=0)
    for value, initial in zip(statistics(model), before, strict=True):
        np.testing.assert_array_equal(value, initial)


def test_refused_arguments(images):
    with pytest.raises(ValueError, match=r"`epoch` must be >= 0. Received: epoch=-1"):
        training.FreezeStatistics(-1)
    plain = keras.Sequential([keras.Input((4, 4, 2)), keras.layers.Conv2D(2, 1)], name="plain")
    plain.compile("sgd", "mse")
    with pytest.raises(ValueError, match="plain has none"):
        plain.fit(images, images, callbacks=[training.FreezeStatistics(0)], verbose=0)
