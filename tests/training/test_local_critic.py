"""A second critic that sees what lies around the hole."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_segpaint import losses, models, training
from tests.training.adversaries import (
    LAST,
    SIZE,
    CriticStep,
    GeneratorStep,
    filled,
    fit_once,
    linear_critic,
    loss,
    plain_critic,
    plain_generator,
    two_images,
    weights_of,
)

WINDOW = (12, 10)
# Of the two holes of the batch, rows 4 to 20 and columns 8 to 24, and rows 10 to 32 and columns 0 to 12.
CORNERS = ((6, 11), (15, 1))
RATE = 1.0


@pytest.fixture(scope="module")
def batch():
    return two_images()


def slices(images):
    return [image[y : y + WINDOW[0], x : x + WINDOW[1]] for image, (y, x) in zip(images, CORNERS, strict=True)]


def local_critic():
    image = keras.Input((*WINDOW, 3))
    x = keras.layers.Conv2D(2, 3, strides=2, activation="leaky_relu", **LAST)(image)
    return filled(keras.Model(image, keras.layers.Dense(1)(keras.layers.Flatten()(x))))


def adversaries(**kwargs):
    return training.AdversarialInpainting(plain_generator(), plain_critic(), local_critic=local_critic(), **kwargs)


class GeneratorStepForBoth(GeneratorStep):
    """The generator's part by hand: the windows are slices."""

    def __init__(self, made, judge, local_judge, weight):
        super().__init__(made, judge, weight)
        self.local_judge = local_judge
        local_judge.trainable = False

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        total = super().compute_loss(x, y, y_pred, sample_weight, training)
        image, mask = x[0], x[1]
        windows = ops.stack(slices(ops.unstack(image * (1 - mask) + y_pred["image"] * mask, 2)))
        return total - self.weight * ops.mean(self.local_judge(windows, training=False))


def test_each_network_takes_the_step_that_it_takes_alone(batch):
    (images, masks), target, _ = batch
    model = adversaries(adversarial_weight=0.5)
    result = ops.convert_to_numpy(model.generator([images, masks])["image"])
    composite = images * (1 - masks) + result * masks
    before = [weights_of(network) for network in (model.generator, model.critic, model.local_critic)]
    model.compile(keras.optimizers.SGD(RATE), loss=loss())
    history = fit_once(model, batch).history

    alone = GeneratorStepForBoth(plain_generator(), plain_critic(), local_critic(), 0.5)
    alone.compile(keras.optimizers.SGD(RATE))
    alone.fit([images, masks], target, batch_size=2, verbose=0, shuffle=False)
    judges = []
    for judge, real, fake, prefix in (
        (plain_critic(), images, composite, ""),
        (local_critic(), slices(images), slices(composite), "local_"),
    ):
        real, fake = np.stack(real), np.stack(fake)
        for name, judged in (("real_score", real), ("fake_score", fake)):
            mean = ops.convert_to_numpy(judge(judged)).mean()
            assert history[prefix + name][0] == pytest.approx(mean, rel=1e-4, abs=1e-6)
        step = CriticStep(judge)
        step.compile(keras.optimizers.SGD(RATE))
        both = np.concatenate([real, fake])
        step.fit([both, both[..., :1]], np.zeros(4), batch_size=4, shuffle=False, verbose=0)
        judges.append(judge)

    networks = (model.generator, model.critic, model.local_critic)
    for mine, reference, start in zip(networks, (alone.made, *judges), before, strict=True):
        steps = []
        for value, expected, old in zip(weights_of(mine), weights_of(reference), start, strict=True):
            steps.append(np.abs(expected - old).max())
            np.testing.assert_allclose(value - old, expected - old, atol=1e-3 * steps[-1] + 2e-7)
        assert max(steps) > 1e-3


def test_losses_are_sums_over_both_critics(batch):
    """And so is the gradient penalty: of linear critics it is known."""
    histories = {}
    for weight in (0.0, 10.0):
        model = training.AdversarialInpainting(
            plain_generator(),
            linear_critic(SIZE),
            "wasserstein",
            penalty_weight=weight,
            local_critic=linear_critic(WINDOW),
        )
        norms = []
        for network, masks in ((model.critic, batch[0][1]), (model.local_critic, np.stack(slices(batch[0][1])))):
            kernel = weights_of(network)[0].reshape(*masks.shape[1:3], 3)
            norms.append(np.sqrt(((kernel * masks) ** 2).sum((1, 2, 3))))
        model.compile(keras.optimizers.SGD(0.01), loss=loss())
        histories[weight] = {name: values[0] for name, values in fit_once(model, batch).history.items()}
    for history in histories.values():
        assert history["adversarial_loss"] == pytest.approx(
            -history["fake_score"] - history["local_fake_score"], rel=1e-4
        )
    scores = histories[0.0]
    apart = scores["fake_score"] - scores["real_score"] + scores["local_fake_score"] - scores["local_real_score"]
    assert scores["critic_loss"] == pytest.approx(apart, rel=1e-4)
    penalty = sum(((norm - 1) ** 2).mean() for norm in norms)
    assert min(((norm - 1) ** 2).mean() for norm in norms) > 1e-3
    assert histories[10.0]["critic_loss"] == pytest.approx(apart + 10 * penalty, rel=1e-4)


def test_channels_first_gives_the_same(batch):
    histories = []
    for data_format in ("channels_last", "channels_first"):
        model = training.AdversarialInpainting(
            plain_generator(data_format=data_format),
            linear_critic(SIZE, data_format),
            local_critic=linear_critic(WINDOW, data_format),
        )
        model.compile(keras.optimizers.SGD(0.05), loss=losses.MaskedL1("image", data_format=data_format))
        (images, masks), target, weights = batch
        if data_format == "channels_first":
            images, masks, target, weights = (np.moveaxis(x, -1, 1) for x in (images, masks, target, weights))
        histories.append(fit_once(model, ((images, masks), target, weights), epochs=2).history)
    for name, values in histories[0].items():
        np.testing.assert_allclose(histories[1][name], values, rtol=1e-4, atol=1e-5)


def test_the_networks_of_deep_fill_v1(batch):
    """With the critic's steps, the penalty, an optimizer for each side, and saving in between."""
    settings = dict(base_filters=2, **LAST)
    model = training.AdversarialInpainting(
        filled(models.DeepFillV1(base_filters=4, both_stages=True, input_shape=(*SIZE, 3), **LAST)),
        filled(models.DeepFillV1Critic(input_shape=(*SIZE, 3), name="global_critic", **settings)),
        "wasserstein",
        adversarial_weight=0.001,
        critic_steps=2,
        local_critic=filled(models.DeepFillV1Critic("local", input_shape=(16, 16, 3), name="local_critic", **settings)),
    )
    model.compile(keras.optimizers.Adam(1e-3), critic_optimizer=keras.optimizers.Adam(2e-3), loss=loss())
    networks = (model.generator, model.critic, model.local_critic)
    for step in (1, 2):
        before = [weights_of(network) for network in networks]
        history = fit_once(model, batch).history
        assert all(np.isfinite(values).all() for values in history.values())
        moved = [
            max(np.abs(value - old).max() for value, old in zip(weights_of(network), start, strict=True))
            for network, start in zip(networks, before, strict=True)
        ]
        assert (moved[0] == 0) == (step == 1)
        # Adam's first steps are as long as its rate.
        assert moved[1:] == pytest.approx([2e-3, 2e-3], rel=0.1)
    assert {"local_real_score", "local_fake_score", "real_score"} <= set(history)


def test_a_saved_model_goes_on(batch, tmp_path):
    model = training.AdversarialInpainting(
        filled(models.PConvUNet(levels=4, base_filters=2, input_shape=(*SIZE, 3), **LAST)),
        linear_critic(SIZE),
        local_critic=local_critic(),
    )
    model.compile(keras.optimizers.Adam(1e-3), loss=loss())
    fit_once(model, batch)
    model.save(tmp_path / "gan.keras")
    again = keras.saving.load_model(tmp_path / "gan.keras")
    expected, history = fit_once(model, batch).history, fit_once(again, batch).history
    assert {name: values[0] for name, values in history.items()} == pytest.approx(
        {name: values[0] for name, values in expected.items()}, rel=1e-4, abs=1e-5
    )
    for value, wanted in zip(weights_of(again.local_critic), weights_of(model.local_critic), strict=True):
        np.testing.assert_allclose(value, wanted, rtol=1e-4, atol=1e-5)


def test_errors(batch):
    unknown = keras.Sequential([keras.Input((None, None, 3)), keras.layers.Conv2D(1, 3)])
    with pytest.raises(ValueError, match="`local_critic` must have an input of known size"):
        training.AdversarialInpainting(plain_generator(), plain_critic(), local_critic=unknown)
    model = training.AdversarialInpainting(plain_generator(), plain_critic(), local_critic=linear_critic((16, 40)))
    model.compile("sgd", loss=loss())
    with pytest.raises(
        ValueError, match=r"as large as the input of `local_critic`, \(16, 40\). Received: size \(32, 32\)"
    ):
        fit_once(model, batch)
