"""Losses of networks that make images from label maps, against reference values."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_segpaint import losses
from keras_segpaint.losses.perceptual import SYNTHESIS_WEIGHTS

LAST = dict(data_format="channels_last")


@pytest.fixture(scope="module")
def reference(fixture_arrays):
    return fixture_arrays("spade_losses").arrays


def maps_of(arrays, kind):
    """For each critic the outputs of its layers, the scores last."""
    return [[arrays[f"{kind}.d{critic}.f{layer}"] for layer in range(5)] for critic in range(2)]


def scores_of(arrays, kind):
    return [maps[-1] for maps in maps_of(arrays, kind)]


def test_hinge(reference):
    real, fake = (scores_of(reference, kind) for kind in ("real", "fake"))
    expected = reference["hinge.d_real"] + reference["hinge.d_fake"]
    assert float(losses.hinge_critic_loss(real, fake, weight=1.0)) == pytest.approx(float(expected[0]), rel=1e-6)
    assert float(losses.hinge_critic_loss(real, fake)) == pytest.approx(float(expected[0]) / 2, rel=1e-6)
    assert float(losses.generator_loss(fake)) == pytest.approx(float(reference["hinge.g"][0]), abs=1e-7)


def test_least_squares(reference):
    real, fake = (scores_of(reference, kind) for kind in ("real", "fake"))
    expected = float(reference["ls.d_real"][0] + reference["ls.d_fake"][0])
    assert float(losses.least_squares_critic_loss(real, fake)) == pytest.approx(expected, rel=1e-6)
    assert float(losses.least_squares_critic_loss(real, fake, weight=0.5)) == pytest.approx(expected / 2, rel=1e-6)
    assert float(losses.least_squares_generator_loss(fake)) == pytest.approx(float(reference["ls.g"][0]), rel=1e-6)


def test_wasserstein_over_scales(reference):
    real, fake = (scores_of(reference, kind) for kind in ("real", "fake"))
    expected = float(reference["w.d_real"][0] + reference["w.d_fake"][0])
    assert float(losses.wasserstein_critic_loss(real, fake)) == pytest.approx(expected, abs=1e-6)


def test_feature_matching(reference):
    value = 10 * float(losses.feature_matching_loss(maps_of(reference, "real"), maps_of(reference, "fake")))
    assert value == pytest.approx(float(reference["feature_matching_lambda10"]), rel=1e-5)


def test_divergence(reference):
    value = float(losses.gaussian_divergence(reference["mu"], reference["logvar"]))
    assert value == pytest.approx(float(reference["kld"]), rel=1e-6)


@pytest.mark.parametrize(
    ("real", "fake"), [([], []), ([[1.0]], [[1.0]]), ([[1.0, 2.0]], [[1.0, 2.0], [1.0, 2.0]]), ([[1, 2]], [[1, 2, 3]])]
)
def test_maps_that_do_not_belong_together(real, fake):
    with pytest.raises(ValueError, match="must hold as many maps for each critic"):
        losses.feature_matching_loss(real, fake)


def scaled_maps(*factors):
    image = keras.Input((None, None, 3))
    return keras.Model(image, [keras.layers.Rescaling(factor)(image) for factor in factors])


def test_weights_of_feature_maps():
    loss = losses.PerceptualLoss(scaled_maps(1, 2, 4, 8, 16), None, weights=SYNTHESIS_WEIGHTS, **LAST)
    truth, made = np.full((1, 4, 4, 3), -1, "float32"), np.full((1, 4, 4, 3), 0.5, "float32")
    # Images as they are: 1.5 apart, not 0.75.
    assert float(loss(truth, made)) == pytest.approx(1.5 * (1 / 32 + 2 / 16 + 4 / 8 + 8 / 4 + 16))
    config = loss.get_config()
    assert config["weights"] == list(SYNTHESIS_WEIGHTS) and config["value_range"] is None
    again = losses.PerceptualLoss.from_config(config)
    again.features = loss.features
    assert float(again(truth, made)) == float(loss(truth, made))
    with pytest.raises(ValueError, match="one number for each of the 2 feature maps"):
        losses.PerceptualLoss(scaled_maps(1, 2), weights=(1.0,))


def test_images_that_count_as_normalised():
    image = keras.Input((None, None, 3))
    normalized = keras.layers.Normalization(mean=[0.485, 0.456, 0.406], variance=[0.229**2, 0.224**2, 0.225**2])
    network = keras.Model(image, keras.layers.Activation("linear", name="same")(normalized(image)))
    features = losses.feature_network(network, ["same"], "normalized", "channels_last")
    colours = np.array([[[[0.5, -1.0, 0.25]]]], "float32")
    (output,) = keras.tree.flatten(features(colours))
    np.testing.assert_allclose(ops.convert_to_numpy(output), colours, atol=1e-6)
