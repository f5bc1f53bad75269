"""The gradient penalty and its own gradient, in `fit` and outside of it."""

import keras
import numpy as np
import pytest
from keras import layers, ops

from keras_segpaint.losses import gradient_penalty
from keras_segpaint.ops.gradients import input_gradient


def value(tensor):
    # PyTorch warns of `float` where a tensor has a gradient.
    return float(ops.convert_to_numpy(tensor))


class Penalised(keras.Model):
    """Trains a critic on nothing but the penalty."""

    def __init__(self, critic):
        super().__init__()
        self.critic = critic
        self.seed_generator = keras.random.SeedGenerator(0)

    def call(self, inputs):
        return self.critic(inputs[0])

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        real, fake, mask = x
        return gradient_penalty(lambda z: self.critic(z, training=False), real, fake, mask, self.seed_generator)


def step(critic, *batch):
    """The loss and the gradients of all weights, from one step of descent."""
    model = Penalised(critic)
    model.compile(keras.optimizers.SGD(1.0))
    before = [weight.copy() for weight in critic.get_weights()]
    evaluated = model.evaluate(batch, batch_size=len(batch[0]), verbose=0)
    loss = model.fit(batch, batch_size=len(batch[0]), verbose=0).history["loss"][0]
    assert loss == pytest.approx(evaluated, rel=1e-5)
    return loss, [old - new for old, new in zip(before, critic.get_weights(), strict=True)]


@pytest.fixture
def batch(rng):
    real, fake = (rng.normal(size=(2, 3, 4, 2)).astype("float32") for _ in range(2))
    mask = np.zeros((2, 3, 4, 1), "float32")
    mask[:, 1:, 1:3] = 1
    return real, fake, mask


def test_linear_critic(batch):
    """The gradient of a linear critic is its weights, wherever it is taken."""
    critic = keras.Sequential([keras.Input((3, 4, 2)), layers.Flatten(), layers.Dense(1, use_bias=False)])
    inside = np.broadcast_to(batch[2][0], (3, 4, 2)).reshape(-1, 1)
    weights = critic.get_weights()[0] * inside
    norm = np.linalg.norm(weights)
    loss, (gradient,) = step(critic, *batch)
    assert loss == pytest.approx((norm - 1) ** 2, rel=1e-4)
    np.testing.assert_allclose(gradient, 2 * (norm - 1) / norm * weights, rtol=1e-4, atol=1e-6)


def test_second_derivative(batch):
    """The critic `sum((w x)^2) / 2` has the gradient `w^2 x`, so the penalty is `(w^2 |x| - 1)^2`."""
    real, _, mask = batch
    image = keras.Input((3, 4, 2))
    scaled = layers.Conv2D(2, 1, groups=1, use_bias=False, data_format="channels_last")(image)
    critic = keras.Model(image, ops.sum(ops.square(scaled), axis=(1, 2, 3)) / 2)
    kernel = np.diag([0.4, 0.4]).astype("float32")
    critic.set_weights([kernel[None, None]])
    loss, (gradient,) = step(critic, real, real, mask)
    # d/dK of the penalty, with the gradient x K K^T at every pixel inside of the mask.
    x = (real * mask).reshape(2, -1, 2).astype("float64")
    g = x @ kernel @ kernel.T
    norms = np.sqrt((g**2).sum((1, 2)))
    assert loss == pytest.approx(((norms - 1) ** 2).mean(), rel=1e-4)
    expected = np.zeros((2, 2))
    for sample in range(2):
        upstream = 2 * (norms[sample] - 1) / norms[sample] * g[sample] / 2
        product = x[sample].T @ upstream
        expected += (product + product.T) @ kernel
    np.testing.assert_allclose(gradient[0, 0], expected, rtol=1e-3, atol=1e-5)


def test_convolutional_critic_against_differences(batch, rng):
    image = keras.Input((3, 4, 2))
    hidden = layers.Conv2D(3, 3, padding="same", activation="tanh", data_format="channels_last")(image)
    critic = keras.Model(image, layers.Dense(1, use_bias=False)(layers.Flatten()(hidden)))
    real, _, mask = batch
    weights = critic.get_weights()
    direction = [rng.normal(size=weight.shape).astype("float32") for weight in weights]

    def penalty(amount):
        critic.set_weights([weight + amount * part for weight, part in zip(weights, direction, strict=True)])
        return value(gradient_penalty(critic, real, real, mask))

    slope = (penalty(3e-3) - penalty(-3e-3)) / 6e-3
    critic.set_weights(weights)
    _, gradients = step(critic, real, real, mask)
    along = sum((gradient * part).sum() for gradient, part in zip(gradients, direction, strict=True))
    assert along == pytest.approx(slope, rel=2e-2, abs=1e-3)
    assert abs(slope) > 1e-3


def test_points_lie_between_real_and_fake():
    """The critic `x^2 / 2` has the gradient `x`: so its norm is uniform between 2 and 4."""
    real, fake = (np.full((1024, 1, 1, 1), number, "float32") for number in (2, 4))
    mean = value(gradient_penalty(lambda x: ops.square(x) / 2, real, fake, seed=1))
    assert mean == pytest.approx(13 / 3, abs=0.25)


def test_zero_gradient_is_finite(batch):
    real, fake, mask = batch
    assert value(gradient_penalty(lambda x: x * 0, real, fake, mask)) == pytest.approx(1.0, abs=1e-5)


def test_the_gradient_of_half_precision():
    inputs = ops.convert_to_tensor(np.array([1.0, 3.0], "float16"))
    gradient = input_gradient(lambda x: x * x, inputs)
    np.testing.assert_allclose(ops.convert_to_numpy(gradient), [2.0, 6.0])
