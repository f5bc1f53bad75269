"""A generator that learns from every n-th batch alone: where it then is, saving within a cycle, overflows."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_segpaint import training
from keras_segpaint.training.every_nth_step import EveryNthStep
from tests.training.adversaries import (
    CriticStep,
    GeneratorStep,
    critic,
    fit_once,
    generator,
    loss,
    plain_critic,
    plain_generator,
    two_images,
    weights_of,
)

WEIGHT = 0.5


@pytest.fixture(scope="module")
def batches():
    """Five batches of one image each, all different."""
    (images, masks), _, _ = two_images()
    result = []
    for index in range(5):
        image = images[index % 2 : index % 2 + 1] * (1 - 0.15 * index)
        mask = np.roll(masks[index % 2 : index % 2 + 1], 2 * index, axis=2)
        result.append(((image, mask), image, mask))
    return result


def adam():
    """With all that a step can depend on: slots, a schedule, decay and clipping."""
    schedule = keras.optimizers.schedules.ExponentialDecay(1e-2, decay_steps=1, decay_rate=0.5)
    return keras.optimizers.Adam(schedule, epsilon=1e-3, weight_decay=0.1, clipnorm=0.5)


def sgd():
    return keras.optimizers.SGD(0.05, momentum=0.9)


def state(optimizer):
    return [ops.convert_to_numpy(variable) for variable in optimizer.variables]


def scale_loss(model, dtype):
    """With less than Keras's first scale, at which a step would overflow."""
    assert isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer) == (dtype == "mixed_float16")
    if dtype == "mixed_float16":
        model.optimizer.initial_scale = 2.0**8


def inner(model):
    """The optimizer behind a scaled loss."""
    return getattr(model.optimizer, "inner_optimizer", model.optimizer)


class ByHand:
    """The two networks, each with a step of its own."""

    def __init__(self, optimizer, critic_optimizer, dtype):
        self.judge = CriticStep(plain_critic(), dtype)
        self.judge.compile(critic_optimizer)
        scale_loss(self.judge, dtype)
        self.alone = GeneratorStep(plain_generator(dtype), plain_critic(), WEIGHT)
        self.alone.compile(optimizer)
        scale_loss(self.alone, dtype)

    def step(self, batch, generator_learns):
        (image, mask), target, _ = batch
        composite = image * (1 - mask) + ops.convert_to_numpy(self.alone.made([image, mask])["image"]) * mask
        self.alone.judge.set_weights(self.judge.judge.get_weights())
        both = [np.concatenate([image, composite]), np.concatenate([mask, mask])]
        self.judge.fit(both, np.zeros(2), batch_size=2, shuffle=False, verbose=0)
        if generator_learns:
            self.alone.fit([image, mask], target, batch_size=1, verbose=0)


@pytest.mark.parametrize(
    ("optimizer", "dtype", "tolerance"),
    [(adam, "float32", 1e-4), (sgd, "float32", 1e-4), (adam, "mixed_float16", 2e-2)],
)
def test_a_cycle_is_one_step_of_the_generator(batches, optimizer, dtype, tolerance):
    mine, others = optimizer(), sgd()
    model = training.AdversarialInpainting(
        plain_generator(dtype), plain_critic(), adversarial_weight=WEIGHT, critic_steps=2
    )
    model.compile(mine, critic_optimizer=others, loss=loss())
    scale_loss(model, dtype)
    reference = ByHand(optimizer(), sgd(), dtype)
    for index, batch in enumerate(batches[:4], start=1):
        before = weights_of(model.generator), weights_of(model.critic)
        slots = state(mine) if mine.built else None
        fit_once(model, batch)
        reference.step(batch, generator_learns=index % 2 == 0)
        assert int(mine.iterations) == index // 2
        assert int(others.iterations) == index
        changes = [np.abs(value - old).max() for value, old in zip(weights_of(model.generator), before[0], strict=True)]
        assert (min(changes) > 1e-5) == (index % 2 == 0)
        if index % 2:
            # Not by a bit.
            assert max(changes) == 0
            for value, old in zip(state(mine), slots or state(mine), strict=True):
                np.testing.assert_array_equal(value, old)
        assert max(np.abs(a - b).max() for a, b in zip(weights_of(model.critic), before[1], strict=True)) > 1e-5

    for value, expected in (
        *zip(weights_of(model.generator), weights_of(reference.alone.made), strict=True),
        *zip(weights_of(model.critic), weights_of(reference.judge.judge), strict=True),
        *zip(state(mine), state(inner(reference.alone)), strict=True),
        *zip(state(others), state(inner(reference.judge)), strict=True),
    ):
        np.testing.assert_allclose(value, expected, rtol=tolerance, atol=tolerance * np.abs(expected).max() + 1e-7)


def test_history_has_the_losses_of_each_batch(batches):
    """They are those of evaluation, whether the generator learns from the batch or not."""
    model = training.AdversarialInpainting(plain_generator(), plain_critic(), adversarial_weight=WEIGHT, critic_steps=2)
    model.compile(sgd(), loss=loss())
    for (images, masks), target, weights in batches[:2]:
        expected = model.evaluate([images, masks], target, sample_weight=weights, return_dict=True, verbose=0)
        history = fit_once(model, ((images, masks), target, weights)).history
        assert {name: values[0] for name, values in history.items()} == pytest.approx(expected, rel=1e-5)
        total = history["reconstruction_loss"][0] + history["critic_loss"][0]
        assert history["loss"][0] == pytest.approx(total + WEIGHT * history["adversarial_loss"][0], rel=1e-5)


def test_a_model_saved_within_a_cycle_goes_on(batches, tmp_path):
    def start():
        model = training.AdversarialInpainting(generator(), critic(), critic_steps=3)
        model.compile(keras.optimizers.Adam(1e-3), critic_optimizer=keras.optimizers.Adam(4e-3), loss=loss())
        return model

    through, stopped = start(), start()
    for batch in batches[:2]:
        fit_once(through, batch)
        fit_once(stopped, batch)
    stopped.save(tmp_path / "gan.keras")
    again = keras.saving.load_model(tmp_path / "gan.keras")
    assert again.critic_steps == 3
    before = weights_of(again.generator)
    # The next step is the third.
    for batch in batches[2:]:
        fit_once(through, batch)
        fit_once(again, batch)
    assert max(np.abs(a - b).max() for a, b in zip(weights_of(again.generator), before, strict=True)) > 5e-4
    for network in ("generator", "critic"):
        for value, expected in zip(
            weights_of(getattr(again, network)), weights_of(getattr(through, network)), strict=True
        ):
            np.testing.assert_allclose(value, expected, rtol=1e-4, atol=1e-5)
    for value, expected in zip(state(again.optimizer), state(through.optimizer), strict=True):
        np.testing.assert_allclose(value, expected, rtol=1e-3, atol=1e-5)


def test_an_overflow_does_not_count(batches):
    """A step whose update is skipped leaves the cycle where it is, for both networks."""
    model = training.AdversarialInpainting(plain_generator("mixed_float16"), plain_critic(), critic_steps=2)
    mine = sgd()
    model.compile(mine, loss=loss())
    scale_loss(model, "mixed_float16")
    start = weights_of(model.generator)
    fit_once(model, batches[0])
    scale = model.optimizer.dynamic_scale
    scale.assign(2.0**120)
    judged = weights_of(model.critic)
    fit_once(model, batches[1])
    assert float(ops.convert_to_numpy(scale)) == 2.0**119
    for value, old in zip((*weights_of(model.generator), *weights_of(model.critic)), (*start, *judged), strict=True):
        np.testing.assert_array_equal(value, old)
    scale.assign(2.0**8)
    fit_once(model, batches[2])
    assert int(mine.iterations) == 1
    assert max(np.abs(value - old).max() for value, old in zip(weights_of(model.generator), start, strict=True)) > 1e-5


def test_the_optimizer_goes_through_its_configuration_and_weights():
    optimizer = EveryNthStep(keras.optimizers.Adam(0.25, name="fast"), 3, name="slow")
    again = EveryNthStep.from_config(optimizer.get_config())
    assert (again.steps, again.name, again.inner_optimizer.name) == (3, "slow", "fast")
    assert float(ops.convert_to_numpy(again.learning_rate)) == 0.25
    weight, other = keras.Variable([1.0, 2.0]), keras.Variable([1.0, 2.0])
    optimizer.apply([ops.ones(2)], [weight])
    again.build([other])
    again.set_weights(state(optimizer))
    for value in (0.5, 0.25):
        optimizer.apply([value * ops.ones(2)], [weight])
        again.apply([value * ops.ones(2)])
    np.testing.assert_allclose(ops.convert_to_numpy(other), ops.convert_to_numpy(weight))
    np.testing.assert_allclose(ops.convert_to_numpy(other), [0.75, 1.75], atol=1e-5)
