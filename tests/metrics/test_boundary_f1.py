"""Boundary F1 against a slow one of SciPy's exact distances."""

import keras
import numpy as np
import pytest
from keras import ops
from scipy import ndimage

from keras_segpaint.metrics import BoundaryF1

LAST = dict(data_format="channels_last")


def boundary(class_map, index):
    """Pixels of a class beside one of another class; -1 is none."""
    inside = class_map == index
    other = np.pad(~inside & (class_map != -1), 1)
    beside = other[2:, 1:-1] | other[:-2, 1:-1] | other[1:-1, 2:] | other[1:-1, :-2]
    return inside & beside


def slow(truth, predicted, num_classes, tolerance):
    scores = [[] for _ in range(num_classes)]
    for true_map, given_map in zip(truth, predicted, strict=True):
        given_map = np.where(true_map == 255, -1, given_map)
        true_map = np.where(true_map == 255, -1, true_map)
        for index in range(num_classes):
            true, given = boundary(true_map, index), boundary(given_map, index)
            if not (true.any() or given.any()):
                continue
            if not (true.any() and given.any()):
                scores[index].append(0.0)
                continue
            precision = (ndimage.distance_transform_edt(~true)[given] <= tolerance).mean()
            recall = (ndimage.distance_transform_edt(~given)[true] <= tolerance).mean()
            scores[index].append(2 * precision * recall / (precision + recall) if precision + recall else 0.0)
    return np.array([np.mean(values) if values else np.nan for values in scores])


@pytest.fixture(scope="module")
def maps():
    """Blocks, predictions that are moved and noisy, a class in one map alone, one in none, ignored pixels."""
    rng = np.random.default_rng(5)
    truth = np.kron(rng.integers(0, 3, (5, 4, 4)), np.ones((5, 6), int))
    predicted = np.roll(truth, (2, 1), (1, 2))
    predicted[rng.random(truth.shape) < 0.01] = 3
    truth[:, 4:8, 7:15], truth[1] = 255, 2
    return truth, predicted


@pytest.mark.parametrize("tolerance", [1, 1.5, 2, 3.2, 0.05])
def test_equal_to_exact_distances(tolerance, maps):
    """Also when the data set comes in parts."""
    truth, predicted = maps
    expected = slow(truth, predicted, 5, tolerance if tolerance >= 1 else tolerance * np.hypot(20, 24))
    metric = BoundaryF1(5, tolerance, sparse_y_pred=True, per_class=True)
    for part in (slice(0, 2), slice(2, 4), slice(4, 5)):
        metric.update_state(truth[part], predicted[part])
    assert np.isnan(expected[4]) and expected[3] == 0 and (expected[:3] > 0.05).all()
    np.testing.assert_allclose(ops.convert_to_numpy(metric.result()), expected, rtol=1e-6)
    metric.per_class = False
    assert float(metric.result()) == pytest.approx(expected[:4].mean(), rel=1e-6)


def test_logits_and_weights(maps):
    truth, predicted = maps
    expected = slow(truth[:2], predicted[:2], 4, 2)[:4]
    logits = np.eye(4, dtype="float32")[predicted]
    for data_format in ("channels_last", "channels_first"):
        metric = BoundaryF1(4, 2, ignore_class=None, per_class=True, data_format=data_format)
        # Of weight 0 are the ignored pixels and the other images.
        weights = (truth != 255) * (np.arange(5) < 2)[:, None, None]
        metric.update_state(
            truth % 255, logits if data_format == "channels_last" else np.moveaxis(logits, -1, 1), weights
        )
        np.testing.assert_allclose(ops.convert_to_numpy(metric.result()), expected, rtol=1e-6)


def test_under_compile(maps):
    truth, predicted = maps
    model = keras.Sequential([keras.Input((20, 24, 4)), keras.layers.Activation("linear")])
    model.compile(
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=[BoundaryF1(4, 0.1, **LAST)]
    )
    logits = np.eye(4, dtype="float32")[predicted]
    labels = np.where(truth == 255, 0, truth)
    expected = np.nanmean(slow(labels, predicted, 4, 0.1 * np.hypot(20, 24)))
    for _ in range(2):
        logged = model.evaluate(logits, labels, batch_size=2, verbose=0, return_dict=True)
        assert logged["boundary_f1"] == pytest.approx(expected, rel=1e-6)


def test_configuration_and_errors():
    metric = BoundaryF1(3, 4, ignore_class=0, sparse_y_pred=True, per_class=True, name="edges")
    assert keras.metrics.deserialize(keras.metrics.serialize(metric)).get_config() == metric.get_config()
    assert float(BoundaryF1(3).result()) == 0
    for arguments, named in (((1,), "`num_classes`"), ((3, 0), "`tolerance`")):
        with pytest.raises(ValueError, match=named):
            BoundaryF1(*arguments)
    with pytest.raises(ValueError, match="num_classes=3 channels"):
        BoundaryF1(3, **LAST).update_state(np.zeros((1, 4, 4)), np.zeros((1, 4, 4, 2), "float32"))
