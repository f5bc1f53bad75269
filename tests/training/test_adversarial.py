"""A generator and its critic under plain `fit`: gradients of a step of each, both optimizers, saving, backends."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_segpaint import losses, metrics, models, training
from tests.conformance.cases import fill_weights
from tests.conformance.outputs import stored_output

LAST = dict(data_format="channels_last")
SIZE = (32, 32)
RATE = 100.0  # the gradients of so narrow a network are small


def filled(model):
    fill_weights(model)
    return model


def generator(**kwargs):
    return filled(models.PConvUNet(levels=4, base_filters=2, input_shape=(*SIZE, 3), **LAST, **kwargs))


def two_stages():
    return filled(models.DeepFillV2(cnum=4, both_stages=True, input_shape=(*SIZE, 3), **LAST))


def critic(**kwargs):
    return filled(models.SNPatchDiscriminator(base_filters=2, input_shape=(*SIZE, 3), **LAST, **kwargs))


def plain_critic():
    """A critic of the image alone, of a penalty that is not 0."""
    image = keras.Input((*SIZE, 3))
    x = keras.layers.Conv2D(2, 5, strides=4, activation="leaky_relu", **LAST)(image)
    return filled(keras.Model(image, keras.layers.Dense(1)(keras.layers.Flatten()(x))))


def fit_once(model, batch, **kwargs):
    (images, masks), target, weights = batch
    return model.fit([images, masks], target, sample_weight=weights, batch_size=len(target), verbose=0, **kwargs)


@pytest.fixture(scope="module")
def batch():
    rows, columns = np.meshgrid(*(np.linspace(0, 0.8, extent) for extent in SIZE), indexing="ij")
    image = np.stack([rows, columns, 0.6 * np.ones(SIZE)], axis=-1)
    images = np.stack([image, image[::-1]]).astype("float32")
    masks = np.zeros((2, *SIZE, 1), "float32")
    masks[0, 4:20, 8:24] = masks[1, 10:, :12] = 1
    return (images, masks), images, masks


def loss():
    return losses.MaskedL1("image", **LAST)


def weights_of(network):
    return [ops.convert_to_numpy(variable) for variable in network.trainable_variables]


class GeneratorStep(keras.Model):
    """The generator's part written by hand: the critic is frozen by `trainable`."""

    def __init__(self, made, judge, weight):
        super().__init__()
        self.made, self.judge, self.weight = made, judge, weight
        judge.trainable = False
        self.built = True

    def call(self, inputs, training=None):
        return self.made(list(inputs), training=training)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        image, mask = x[0], x[1]
        filled = image * (1 - mask) + y_pred["image"] * mask
        l1 = ops.mean(ops.abs(y - y_pred["image"])) + ops.mean(ops.abs(y - y_pred["coarse"]))
        inputs = filled if len(self.judge.inputs) == 1 else [filled, mask]
        return l1 - self.weight * ops.mean(self.judge(inputs, training=False))


class CriticStep(keras.Model):
    """The critic's part written by hand, on results of a generator outside of the graph."""

    def __init__(self, judge):
        super().__init__()
        self.judge = judge
        self.built = True

    def call(self, inputs, training=None):
        return self.judge(inputs if len(self.judge.inputs) > 1 else inputs[0], training=training)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        real, fake = ops.split(y_pred, 2, axis=0)
        return ops.mean(ops.relu(1 - real)) / 2 + ops.mean(ops.relu(1 + fake)) / 2


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
    ],
)
def test_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        training.AdversarialInpainting(generator(), critic(), **arguments)
