"""Metrics against reference values and a NumPy count."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_segpaint import metrics

LAST = dict(data_format="channels_last")
KEYS = {
    "PerClassIoU": "iou",
    "MeanIoU": "mean_iou_union_nonempty",
    "PixelAccuracy": "pixel_accuracy",
    "MeanAccuracy": "mean_class_accuracy",
    "FrequencyWeightedIoU": "frequency_weighted_iou",
    "DiceScore": "mean_dice",
    "PerClassDice": "dice",
    "PerClassPrecision": "precision",
    "PerClassRecall": "class_accuracy",
}


def count(y_true, y_pred, num_classes, ignore_class=255):
    matrix = np.zeros((num_classes, num_classes), int)
    for true, predicted in zip(y_true.ravel(), y_pred.ravel(), strict=True):
        if true != ignore_class and 0 <= true < num_classes and 0 <= predicted < num_classes:
            matrix[true, predicted] += 1
    return matrix


def one_hot(class_map, num_classes):
    return np.eye(num_classes, dtype="float32")[class_map]


@pytest.fixture(scope="module")
def values(fixture_arrays):
    return fixture_arrays("segmentation_metrics").arrays


@pytest.mark.parametrize("name", KEYS)
@pytest.mark.parametrize("ignored", [True, False])
def test_equal_to_the_reference(values, name, ignored):
    prefix, truth = ("", "y_true") if ignored else ("no_ignore.", "y_true_no_ignore")
    metric = getattr(metrics, name)(7, sparse_y_pred=True)
    for image in range(2):
        metric.update_state(values[truth][image : image + 1], values["y_pred"][image : image + 1])
    expected = values[prefix + KEYS[name]]
    np.testing.assert_allclose(ops.convert_to_numpy(metric.result()), expected, rtol=1e-6)


def test_confusion_matrix_equals_the_reference(values):
    for key, ignore_class, truth in (
        ("confusion", 255, "y_true"),
        ("confusion_no_ignore", None, "y_true_no_ignore"),
        ("ignore0.confusion", 0, "y_true_no_ignore"),
    ):
        metric = metrics.ConfusionMatrix(7, ignore_class, sparse_y_pred=True)
        metric.update_state(values[truth], values["y_pred"])
        np.testing.assert_array_equal(ops.convert_to_numpy(metric.result()), values[key])


def test_scores_equal_the_reference(values):
    result = metrics.scores(values["confusion"])
    np.testing.assert_allclose(result.iou, values["iou"])
    np.testing.assert_allclose(result.class_accuracy, values["class_accuracy"])
    np.testing.assert_allclose(result.precision, values["precision"])
    np.testing.assert_allclose(result.dice, values["dice"])
    assert result.mean_dice == pytest.approx(float(values["mean_dice"]))
    assert result.mean_iou == pytest.approx(float(values["mean_iou_union_nonempty"]))
    assert result.pixel_accuracy == pytest.approx(float(values["pixel_accuracy"]))
    assert result.mean_accuracy == pytest.approx(float(values["mean_class_accuracy"]))
    assert result.frequency_weighted_iou == pytest.approx(float(values["frequency_weighted_iou"]))


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_logits_accumulate_over_batches(data_format, rng):
    metric = metrics.ConfusionMatrix(4, data_format=data_format)
    expected = np.zeros((4, 4), int)
    for _ in range(3):
        truth, predicted = rng.integers(0, 4, (2, 5, 6)), rng.integers(0, 4, (2, 5, 6))
        truth[rng.random(truth.shape) < 0.2] = 255
        logits = one_hot(predicted, 4) + rng.random((2, 5, 6, 4), dtype="float32") * 0.5
        expected += count(truth, predicted, 4)
        metric.update_state(truth, np.moveaxis(logits, -1, 1) if data_format == "channels_first" else logits)
    np.testing.assert_array_equal(ops.convert_to_numpy(metric.result()), expected)
    metric.reset_state()
    assert float(ops.sum(metric.result())) == 0


def test_labels_outside_of_the_classes_do_not_count():
    metric = metrics.ConfusionMatrix(2, sparse_y_pred=True)
    truth, predicted = np.array([[[0, 1, 7, -3, 1]]]), np.array([[[0, 9, 0, 1, -1]]])
    metric.update_state(truth, predicted)
    np.testing.assert_array_equal(ops.convert_to_numpy(metric.result()), [[1, 0], [0, 0]])


@pytest.mark.parametrize("ignore_class", [0, 2, -1, 11, None])
def test_ignore_class_inside_and_outside_of_the_classes(ignore_class, rng):
    truth, predicted = rng.integers(0, 4, (2, 5, 6)), rng.integers(0, 4, (2, 5, 6))
    if ignore_class is not None:
        truth[rng.random(truth.shape) < 0.3] = ignore_class
    metric = metrics.ConfusionMatrix(4, ignore_class, **LAST)
    metric.update_state(truth[..., None], one_hot(predicted, 4))
    np.testing.assert_array_equal(metric.counts(), count(truth, predicted, 4, ignore_class))


def test_one_logit_of_two_classes(rng):
    truth, logits = rng.integers(0, 2, (2, 5, 6)), rng.normal(size=(2, 5, 6, 1)).astype("float32")
    metric = metrics.ConfusionMatrix(2, **LAST)
    metric.update_state(truth[..., None], logits)
    np.testing.assert_array_equal(metric.counts(), count(truth, (logits[..., 0] > 0).astype(int), 2))


def test_class_maps_with_a_channel_axis(rng):
    truth, predicted = rng.integers(0, 3, (2, 5, 6, 1)), rng.integers(0, 3, (2, 5, 6, 1))
    expected = count(truth, predicted, 3)
    metric = metrics.ConfusionMatrix(3, sparse_y_pred=True)
    metric.update_state(truth, predicted, sample_weight=np.ones((2, 5, 6)))
    np.testing.assert_array_equal(metric.counts(), expected)
    metric.update_state(truth[..., 0], predicted, sample_weight=np.ones((2, 5, 6, 1)))
    np.testing.assert_array_equal(metric.counts(), 2 * expected)


def test_pixels_of_weight_zero_do_not_count():
    metric = metrics.PixelAccuracy(2, sparse_y_pred=True)
    truth, predicted = np.array([[[0, 1]], [[0, 0]]]), np.array([[[0, 0]], [[1, 1]]])
    metric.update_state(truth, predicted, sample_weight=np.array([[[2.0, 0.0]], [[0.0, 3.0]]]))
    assert float(metric.result()) == 0.5
    metric.reset_state()
    metric.update_state(truth, predicted, sample_weight=np.array([1.0, 0.0]))
    assert float(metric.result()) == 0.5


def test_counts_beyond_int32():
    metric = metrics.ConfusionMatrix(1, sparse_y_pred=True)
    metric.high.assign([[2**20]])
    metric.low.assign([[2**24 - 1]])
    metric.update_state(np.zeros((1, 1, 1), "int32"), np.zeros((1, 1, 1), "int32"))
    assert float(metric.result()[0, 0]) == 2.0**44 + 2.0**24
    assert int(metric.low[0, 0]) == 0
    metric.update_state(np.zeros((1, 1, 3), "int32"), np.zeros((1, 1, 3), "int32"))
    assert metric.counts().tolist() == [[2**44 + 2**24 + 3]]


def test_nothing_seen():
    for name in KEYS:
        result = ops.convert_to_numpy(getattr(metrics, name)(2).result())
        assert np.isnan(result).all() if name.startswith("PerClass") else result == 0
    empty = metrics.scores(np.zeros((2, 2)))
    assert np.isnan([empty.mean_iou, empty.pixel_accuracy, empty.frequency_weighted_iou]).all()


@pytest.mark.parametrize("jit_compile", [False, True])
def test_arrays_under_fit(jit_compile, rng):
    """Metrics that are arrays live in a compiled step too, and each epoch starts from zero."""
    if jit_compile and keras.backend.backend() == "torch":
        pytest.skip("the PyTorch backend compiles with a C++ toolchain")
    model = keras.Sequential([keras.Input((4, 5, 2)), keras.layers.Activation("linear")])
    model.compile(
        loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=[metrics.ConfusionMatrix(2, **LAST), metrics.PerClassIoU(2, **LAST)],
        jit_compile=jit_compile,
    )
    truth, predicted = rng.integers(0, 2, (5, 4, 5)), rng.integers(0, 2, (5, 4, 5))
    expected = count(truth, predicted, 2)
    for _ in range(2):
        logged = model.evaluate(one_hot(predicted, 2), truth, batch_size=2, verbose=0, return_dict=True)
        np.testing.assert_array_equal(np.asarray(logged["confusion_matrix"]), expected)
        np.testing.assert_allclose(np.asarray(logged["per_class_iou"]), metrics.scores(expected).iou, rtol=1e-6)


def test_in_compile_and_saved(tmp_path, rng):
    model = keras.Sequential([keras.Input((4, 4, 3)), keras.layers.Conv2D(2, 1, data_format="channels_last")])
    names = [name for name in KEYS if not name.startswith("PerClass")]
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", loss, metrics=[getattr(metrics, name)(2, **LAST) for name in names])
    x, y = rng.random((6, 4, 4, 3), dtype="float32"), rng.integers(0, 2, (6, 4, 4))
    logged = model.evaluate(x, y, batch_size=2, verbose=0, return_dict=True)
    predicted = np.asarray(model.predict(x, verbose=0)).argmax(-1)
    expected = metrics.scores(count(y, predicted, 2))
    assert logged["mean_iou"] == pytest.approx(expected.mean_iou, rel=1e-5)
    assert logged["dice_score"] == pytest.approx(expected.mean_dice, rel=1e-5)
    assert logged["pixel_accuracy"] == pytest.approx(expected.pixel_accuracy, rel=1e-5)
    assert logged["mean_accuracy"] == pytest.approx(expected.mean_accuracy, rel=1e-5)
    assert logged["frequency_weighted_iou"] == pytest.approx(expected.frequency_weighted_iou, rel=1e-5)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    again = loaded.evaluate(x, y, batch_size=2, verbose=0, return_dict=True)
    assert again == pytest.approx(logged, rel=1e-5)


def test_bad_arguments():
    with pytest.raises(ValueError, match="`num_classes` must be an integer >= 1"):
        metrics.MeanIoU(0)
    with pytest.raises(ValueError, match="num_classes=3 channels"):
        metrics.MeanIoU(3, **LAST).update_state(np.zeros((1, 2, 2)), np.zeros((1, 2, 2, 4), "float32"))
    for shape in ((1, 2), (1, 2, 2, 3)):
        with pytest.raises(ValueError, match="`sample_weight`"):
            metrics.MeanIoU(3, **LAST).update_state(
                np.zeros((1, 2, 2)), np.zeros((1, 2, 2, 3), "float32"), np.ones(shape)
            )
    with pytest.raises(ValueError, match="square"):
        metrics.scores(np.zeros((2, 3)))
