"""Sums of losses."""

import keras
import numpy as np
import pytest

from keras_segpaint.losses import Dice, Focal, LossSum, SparseCrossentropy

LAST = dict(data_format="channels_last")


@pytest.fixture
def batch(rng):
    labels = rng.integers(0, 3, (2, 4, 5))
    labels[0, 0] = 255
    return labels, rng.normal(size=(2, 4, 5, 3)).astype("float32"), rng.uniform(size=(2, 4, 5)).astype("float32")


def test_it_is_the_weighted_sum(batch):
    dice, crossentropy, focal = Dice(**LAST), SparseCrossentropy(**LAST), Focal(**LAST)
    loss = 2 * (0.5 * dice + crossentropy) + focal * np.float64(3.0)
    a, b, c = (float(term(*batch)) for term in (dice, crossentropy, focal))
    assert float(loss(*batch)) == pytest.approx(a + 2 * b + 3 * c, rel=1e-6)
    assert isinstance(loss, LossSum)
    assert [type(term) for term in loss.terms] == [Dice, SparseCrossentropy, Focal]
    assert loss.weights == [1.0, 2.0, 3.0]
    assert float(sum([dice, crossentropy])(*batch)) == pytest.approx(a + b, rel=1e-6)


def test_saved_with_the_model(tmp_path, rng, batch):
    labels, images, _ = batch
    loss = 0.5 * Dice(smooth=1.0, **LAST) + SparseCrossentropy(class_weights=[1.0, 2.0], **LAST)
    model = keras.Sequential([keras.Input((4, 5, 3)), keras.layers.Conv2D(2, 1, **LAST)])
    model.compile("sgd", loss)
    labels = np.where(labels == 2, 0, labels)
    expected = model.evaluate(images, labels, batch_size=2, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    assert isinstance(loaded.loss, LossSum) and loaded.loss.name == "loss_sum"
    assert loaded.loss.get_config() == loss.get_config()
    assert loaded.evaluate(images, labels, batch_size=2, verbose=0) == pytest.approx(expected, rel=1e-6)


def test_errors():
    with pytest.raises(TypeError):
        Dice() + 1
    with pytest.raises(TypeError):
        Dice() * "2"
    with pytest.raises(TypeError):
        Dice() + keras.losses.MeanSquaredError()
    with pytest.raises(ValueError, match="losses of label maps"):
        LossSum([keras.losses.MeanSquaredError()])
    with pytest.raises(ValueError, match="at least one loss"):
        LossSum([])
    with pytest.raises(ValueError, match="one finite number for each"):
        LossSum([Dice()], [1.0, 2.0])
    with pytest.raises(ValueError, match="one finite number for each"):
        Dice() * float("nan")
