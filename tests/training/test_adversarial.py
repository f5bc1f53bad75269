"""A generator and its critic under plain `fit`: gradients of a step of each, both optimizers, saving, backends."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_segpaint import metrics, training
from tests.conformance.outputs import stored_output
from tests.training.adversaries import (
    CriticStep,
    GeneratorStep,
    critic,
    fit_once,
    generator,
    loss,
    plain_critic,
    two_images,
    two_stages,
    weights_of,
)

RATE = 100.0  # the gradients of so narrow a network are small


@pytest.fixture(scope="module")
def batch():
    return two_images()


def test_each_network_takes_the_step_that_it_takes_alone(batch):
    """Under plain gradient descent the change of a weight is its gradient, times the rate."""
    (images, masks), target, _ = batch
    model = training.AdversarialInpainting(two_stages(), plain_critic(), adversarial_weight=0.5)
    before = weights_of(model.generator), weights_of(model.critic)
    result = ops.convert_to_numpy(model.generator([images, masks])["image"])
    composite = images * (1 - masks) + result * masks
    model.compile(keras.optimizers.SGD(RATE), loss=loss())
    fit_once(model, batch)

    alone = GeneratorStep(two_stages(), plain_critic(), 0.5)
    alone.compile(keras.optimizers.SGD(RATE))
    alone.fit([images, masks], target, batch_size=2, verbose=0)
    judge = CriticStep(plain_critic())
    judge.compile(keras.optimizers.SGD(RATE))
    both = [np.concatenate([images, composite]), np.concatenate([masks, masks])]
    judge.fit(both, np.zeros(4), batch_size=4, shuffle=False, verbose=0)

    for mine, reference, start in (
        (model.generator, alone.made, before[0]),
        (model.critic, judge.judge, before[1]),
    ):
        for value, expected, old in zip(weights_of(mine), weights_of(reference), start, strict=True):
            step = np.abs(expected - old).max()
            np.testing.assert_allclose(value - old, expected - old, atol=1e-3 * step + 2e-7)
        steps = [np.abs(expected - old).max() for expected, old in zip(weights_of(reference), start, strict=True)]
        assert max(steps) > 1e-3


def test_three_steps_agree_on_all_backends(batch):
    model = training.AdversarialInpainting(two_stages(), critic(), adversarial_weight=0.1)
    model.compile(keras.optimizers.SGD(0.05), loss=loss())
    history = fit_once(model, batch, epochs=3).history
    (images, masks), _, _ = batch
    names = ("reconstruction_loss", "adversarial_loss", "critic_loss", "real_score", "fake_score")
    image = ops.convert_to_numpy(model.predictor()([images, masks]))
    result = np.concatenate([*(history[name] for name in names), image[:, ::4, ::4].ravel()])
    expected = stored_output("adversarial-three-steps", result)
    np.testing.assert_allclose(result, expected, rtol=1e-3, atol=1e-3)


def test_two_learning_rates(batch):
    model = training.AdversarialInpainting(generator(), plain_critic())
    model.compile(keras.optimizers.Adam(0.0), critic_optimizer=keras.optimizers.Adam(1e-2), loss=loss())
    before = weights_of(model.generator), weights_of(model.critic)
    fit_once(model, batch)
    for value, old in zip(weights_of(model.generator), before[0], strict=True):
        np.testing.assert_array_equal(value, old)
    for value, old in zip(weights_of(model.critic), before[1], strict=True):
        # The last bias adds as much to real images' scores as to the others'.
        assert value.size == 1 or np.abs(value - old).max() > 1e-3


@pytest.mark.parametrize("dtype", ["float32", "mixed_float16"])
def test_it_learns_and_reports(batch, dtype):
    model = training.AdversarialInpainting(generator(dtype=dtype), critic(dtype=dtype), adversarial_weight=0.01)
    model.compile(
        keras.optimizers.Adam(1e-2),
        loss=loss(),
        weighted_metrics=[metrics.L1("hole", data_format="channels_last", name="hole_l1")],
    )
    assert isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer) == (dtype == "mixed_float16")
    (images, masks), target, weights = batch
    history = fit_once(model, batch, epochs=12, validation_data=([images, masks], target, weights)).history
    for name in ("reconstruction_loss", "adversarial_loss", "critic_loss", "real_score", "fake_score", "hole_l1"):
        assert np.isfinite(history[name]).all()
        assert np.isfinite(history[f"val_{name}"]).all()
    assert history["reconstruction_loss"][-1] < 0.95 * history["reconstruction_loss"][0]
    assert history["critic_loss"][-1] < history["critic_loss"][0]


def test_wasserstein_with_penalty(batch):
    histories = []
    for weight in (0.0, 10.0):
        model = training.AdversarialInpainting(generator(), plain_critic(), "wasserstein", penalty_weight=weight)
        model.compile(keras.optimizers.SGD(1e-2), loss=loss())
        histories.append(fit_once(model, batch, epochs=2).history["critic_loss"])
    assert histories[1][0] > histories[0][0] + 1e-3
    assert np.isfinite(histories).all()
    # With the penalty the second step's critic differs.
    assert abs((histories[1][1] - histories[1][0]) - (histories[0][1] - histories[0][0])) > 1e-5


def test_a_saved_model_goes_on_as_if_never_stopped(batch, tmp_path):
    def start():
        model = training.AdversarialInpainting(generator(), critic())
        model.compile(keras.optimizers.Adam(1e-3), critic_optimizer=keras.optimizers.Adam(4e-3), loss=loss())
        return model

    through = start()
    fit_once(through, batch, epochs=3)
    stopped = start()
    fit_once(stopped, batch, epochs=1)
    stopped.save(tmp_path / "gan.keras")
    again = keras.saving.load_model(tmp_path / "gan.keras")
    fit_once(again, batch, epochs=2)
    for network in ("generator", "critic"):
        for value, expected in zip(
            weights_of(getattr(again, network)), weights_of(getattr(through, network)), strict=True
        ):
            np.testing.assert_allclose(value, expected, rtol=1e-4, atol=1e-5)
    images, masks = batch[0]
    assert tuple(again.predictor()([images, masks]).shape) == images.shape


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"adversarial": "least squares"}, "`adversarial` must be one of hinge, wasserstein"),
        ({"adversarial_weight": -1.0}, "`adversarial_weight` must be >= 0"),
        ({"critic_steps": 0}, "`critic_steps` must be an integer >= 1. Received: critic_steps=0"),
    ],
)
def test_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        training.AdversarialInpainting(generator(), critic(), **arguments)
