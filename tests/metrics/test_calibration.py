"""Expected calibration error against a pass over all pixels in NumPy."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_segpaint.metrics import ExpectedCalibrationError

LAST = dict(data_format="channels_last")


def slow(truth, probabilities, bins):
    """Means of each bin, in float64."""
    counted = truth != 255
    confidence, right = probabilities.max(-1)[counted], (probabilities.argmax(-1) == truth)[counted]
    edges, error = np.linspace(0, 1, bins + 1), 0.0
    for low, high in zip(edges[:-1], edges[1:], strict=True):
        inside = (confidence > low) & (confidence <= high)
        if inside.any():
            error += inside.mean() * abs(right[inside].mean() - confidence[inside].mean())
    return error


@pytest.fixture(scope="module")
def batches():
    rng = np.random.default_rng(7)
    logits = rng.normal(size=(5, 20, 30, 4)).astype("float32") * 2
    truth = np.where(rng.random((5, 20, 30)) < 0.6, logits.argmax(-1), rng.integers(0, 4, (5, 20, 30)))
    truth[:, :3] = 255
    exponentials = np.exp(logits.astype("float64"))
    return truth, logits, exponentials / exponentials.sum(-1, keepdims=True)


@pytest.mark.parametrize("bins", [1, 10, 15])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_accumulated_equals_one_pass(bins, data_format, batches):
    truth, logits, probabilities = batches
    expected = slow(truth, probabilities, bins)
    assert expected > 0.01
    metric = ExpectedCalibrationError(bins, data_format=data_format)
    for part in (slice(0, 2), slice(2, 4), slice(4, 5)):
        given = logits[part] if data_format == "channels_last" else np.moveaxis(logits[part], -1, 1)
        metric.update_state(truth[part], given)
    assert float(metric.result()) == pytest.approx(expected, abs=1e-6)
    pixels, accuracy, confidence = (ops.convert_to_numpy(part) for part in metric.by_bin())
    assert pixels.sum() == (truth != 255).sum()
    right = (logits.argmax(-1) == truth)[truth != 255]
    assert (pixels * accuracy).sum() == pytest.approx(right.sum(), rel=1e-6)
    assert (pixels * confidence).sum() == pytest.approx(probabilities.max(-1)[truth != 255].sum(), rel=1e-6)
    metric.reset_state()
    assert float(metric.result()) == 0


def test_probabilities_and_one_logit(batches):
    truth, logits, probabilities = batches
    metric = ExpectedCalibrationError(from_logits=False, **LAST)
    metric.update_state(truth, probabilities)
    assert float(metric.result()) == pytest.approx(slow(truth, probabilities, 15), abs=1e-6)
    logit = logits[..., :1]
    sigmoid = 1 / (1 + np.exp(-logit.astype("float64")))
    two = np.where(truth == 255, 255, truth % 2)
    expected = slow(two, np.concatenate([1 - sigmoid, sigmoid], -1), 15)
    for given, from_logits in ((logit, True), (sigmoid, False)):
        metric = ExpectedCalibrationError(from_logits=from_logits, **LAST)
        metric.update_state(two[..., None], given)
        assert float(metric.result()) == pytest.approx(expected, abs=1e-6)


def test_weights_of_zero(batches):
    truth, logits, probabilities = batches
    metric = ExpectedCalibrationError(ignore_class=None, **LAST)
    metric.update_state(truth, logits, (truth != 255).astype("float32"))
    assert float(metric.result()) == pytest.approx(slow(truth, probabilities, 15), abs=1e-6)


def test_a_long_data_set():
    """The counts go on where float32 and int32 stop; every confidence is right by 0.25."""
    metric = ExpectedCalibrationError(from_logits=False, **LAST)
    metric.high.assign(np.array([[0] * 11 + [2**10] + [0] * 3, [0] * 11 + [2**10] + [0] * 3]))
    metric.excess.assign(np.array([0.0] * 11 + [(0.75 - 11 / 15) * 2.0**34] + [0.0] * 3))
    metric.update_state(np.zeros((1, 1, 2), "int32"), np.array([[[[0.75, 0.25], [0.75, 0.25]]]]))
    assert float(metric.result()) == pytest.approx(0.25, rel=1e-5)
    assert float(metric.by_bin()[0][11]) == 2.0**34
    assert int(metric.low[0, 11]) == 2


def test_under_compile_and_saved(tmp_path, batches):
    truth, logits, probabilities = batches
    truth = np.where(truth == 255, 0, truth)
    model = keras.Sequential([keras.Input((20, 30, 4)), keras.layers.Activation("linear")])
    model.compile(
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[ExpectedCalibrationError(10, name="ece", **LAST)],
    )
    for _ in range(2):
        logged = model.evaluate(logits, truth, batch_size=2, verbose=0, return_dict=True)
        assert logged["ece"] == pytest.approx(slow(truth, probabilities, 10), abs=1e-6)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    again = loaded.evaluate(logits, truth, batch_size=2, verbose=0, return_dict=True)
    assert again["ece"] == pytest.approx(logged["ece"], rel=1e-6)


def test_errors():
    with pytest.raises(ValueError, match="`bins`"):
        ExpectedCalibrationError(0)
    with pytest.raises(ValueError, match="same height and width"):
        ExpectedCalibrationError(**LAST).update_state(np.zeros((1, 4, 5)), np.zeros((1, 4, 4, 2), "float32"))
    with pytest.raises(ValueError, match="`sample_weight`"):
        ExpectedCalibrationError(**LAST).update_state(
            np.zeros((1, 4, 4)), np.zeros((1, 4, 4, 2), "float32"), np.ones((1, 4))
        )
