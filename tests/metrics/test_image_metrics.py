"""Metrics of filled images against reference values, over batches, and in `evaluate`."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_segpaint import metrics

UNIT = dict(value_range=(0, 1), data_format="channels_last")


@pytest.fixture(scope="module")
def values(fixture_arrays):
    return fixture_arrays("image_metrics").arrays


def test_whole_images_equal_the_reference(values):
    for metric, key in ((metrics.L1, "mae"), (metrics.PSNR, "psnr"), (metrics.SSIM, "ssim_gaussian11")):
        both = metric(**UNIT)
        for index in range(2):
            one = metric(**UNIT)
            pair = values["a"][index : index + 1], values["b"][index : index + 1]
            one.update_state(*pair)
            assert float(one.result()) == pytest.approx(values[key][index], rel=1e-4)
            both.update_state(*pair)
        assert float(both.result()) == pytest.approx(values[key].mean(), rel=1e-4)
        assert both.by_hole_ratio() == {(0.0, 0.01): (pytest.approx(values[key].mean(), rel=1e-4), 2)}


def test_holes_equal_the_reference(values):
    mask = values["hole_mask"]
    ssim = []
    for index, similarity in enumerate(values["ssim_gaussian11_map"]):
        inside = mask[index, 5:-5, 5:-5, 0] > 0
        ssim.append(similarity[inside].mean())
    wanted = {metrics.L1: values["l1_hole_only"], metrics.PSNR: values["psnr_hole_only"], metrics.SSIM: np.array(ssim)}
    for metric_class, expected in wanted.items():
        metric = metric_class("hole", composite=False, **UNIT)
        metric.update_state(values["a"], values["b"], mask)
        assert float(metric.result()) == pytest.approx(expected.mean(), rel=1e-4)


def test_known_pixels_are_put_back(values):
    a, b, mask = (values[name] for name in ("a", "b", "hole_mask"))
    composed = np.where(mask > 0, b, a)
    for metric_class in (metrics.L1, metrics.PSNR, metrics.SSIM):
        plain, put_back = metric_class(**UNIT), metric_class(**UNIT)
        plain.update_state(a, composed)
        put_back.update_state(a, b, mask)
        assert float(put_back.result()) == pytest.approx(float(plain.result()), rel=1e-5)
    holes = mask.mean(axis=(1, 2, 3)) * values["l1_hole_only"]
    metric = metrics.L1(**UNIT)
    metric.update_state(a, b, mask)
    assert float(metric.result()) == pytest.approx(holes.mean(), rel=1e-4)


def test_other_ranges_and_formats(values):
    a, b, mask = (values[name] for name in ("a", "b", "hole_mask"))
    first = [array.transpose(0, 3, 1, 2) for array in (a * 2 - 1, b * 2 - 1, mask)]
    for metric_class in (metrics.L1, metrics.PSNR, metrics.SSIM):
        for region in ("image", "hole"):
            plain, other = metric_class(region, **UNIT), metric_class(region, data_format="channels_first")
            plain.update_state(a, b, mask[..., 0])
            other.update_state(*first)
            assert float(other.result()) == pytest.approx(float(plain.result()), rel=1e-4)


def test_buckets_of_hole_ratios():
    mask = np.zeros((5, 12, 10, 1), "float32")
    for index, pixels in enumerate((0, 12, 13, 72, 120)):
        mask[index].reshape(-1)[:pixels] = 1
    errors = np.array([0.1, 0.2, 0.3, 0.4, 0.5], "float32")
    images = np.zeros((5, 12, 10, 3), "float32")
    filled = images + errors[:, None, None, None]
    metric = metrics.L1(composite=False, **UNIT)
    metric.update_state(images[:2], filled[:2], mask[:2])
    metric.update_state(images[2:], filled[2:], mask[2:])
    means = {bucket: (round(mean, 5), count) for bucket, (mean, count) in metric.by_hole_ratio().items()}
    # A share of exactly 10 % or 60 % belongs to the bucket that it ends.
    assert means == {
        (0.0, 0.01): (0.1, 1),
        (0.01, 0.1): (0.2, 1),
        (0.1, 0.2): (0.3, 1),
        (0.5, 0.6): (0.4, 1),
        (0.6, 1.0): (0.5, 1),
    }
    holes = metrics.L1("hole", **UNIT)
    holes.update_state(images, filled, mask)
    assert float(holes.result()) == pytest.approx(errors[1:].mean())
    metric.reset_state()
    assert metric.by_hole_ratio() == {} and float(metric.result()) == 0.0


def test_equal_images():
    images = np.full((2, 12, 12, 3), 0.25, "float32")
    for metric_class, expected in ((metrics.L1, 0.0), (metrics.PSNR, 100.0), (metrics.SSIM, 1.0)):
        metric = metric_class(**UNIT)
        metric.update_state(images, images)
        assert float(metric.result()) == pytest.approx(expected)


def test_evaluate_hands_the_mask_over(values):
    a, b, mask = (values[name] for name in ("a", "b", "hole_mask"))
    image = keras.Input((40, 52, 3))
    model = keras.Model(image, keras.layers.Rescaling(1.0)(image))
    holes = [metric("hole", **UNIT) for metric in (metrics.L1, metrics.PSNR, metrics.SSIM)]
    model.compile(loss="mse", metrics=[metrics.L1(**UNIT)], weighted_metrics=holes)
    logs = model.evaluate(b, a, sample_weight=mask, batch_size=1, verbose=0, return_dict=True)
    assert logs["l1"] == pytest.approx(values["mae"].mean(), rel=1e-4)
    assert logs["hole_l1"] == pytest.approx(values["l1_hole_only"].mean(), rel=1e-4)
    assert logs["hole_psnr"] == pytest.approx(values["psnr_hole_only"].mean(), rel=1e-4)
    assert 0.5 < logs["hole_ssim"] < 1
    buckets = holes[0].by_hole_ratio()
    assert sum(count for _, count in buckets.values()) == 2
    assert logs["hole_l1"] == pytest.approx(sum(mean * count for mean, count in buckets.values()) / 2, rel=1e-5)


def test_unknown_sizes(values):
    """TensorFlow may know no size but the channels'."""
    if keras.backend.backend() != "tensorflow":
        pytest.skip("only TensorFlow has tensors of unknown size")
    import tensorflow as tf

    specs = [tf.TensorSpec((None, None, None, channels), tf.float32) for channels in (3, 3, 1)]
    batch = [values[name].astype("float32") for name in ("a", "b", "hole_mask")]
    for metric_class in (metrics.L1, metrics.PSNR, metrics.SSIM):
        metric, other = metric_class("hole", **UNIT), metric_class("hole", **UNIT)
        tf.function(metric.update_state, input_signature=specs, autograph=False)(*batch)
        other.update_state(*batch)
        assert float(metric.result()) == pytest.approx(float(other.result()), rel=1e-5)


def test_configs():
    for metric_class in (metrics.L1, metrics.PSNR, metrics.SSIM):
        metric = metric_class("hole", **UNIT)
        assert metric_class.from_config(metric.get_config()).get_config() == metric.get_config()
        assert metric.name == f"hole_{metric_class.__name__.lower()}"


def test_wrong_arguments():
    with pytest.raises(ValueError, match="`region`"):
        metrics.L1("valid")
    with pytest.raises(ValueError, match="`value_range`"):
        metrics.L1(value_range=(1, 1))
    with pytest.raises(ValueError, match="needs the mask of holes as `sample_weight`"):
        metrics.PSNR("hole", **UNIT).update_state(np.zeros((1, 12, 12, 3)), np.zeros((1, 12, 12, 3)))
    with pytest.raises(ValueError, match="same shape"):
        metrics.PSNR(**UNIT).update_state(np.zeros((1, 12, 12, 3)), np.zeros((1, 12, 13, 3)))
    with pytest.raises(ValueError, match="at least 11 x 11"):
        metrics.SSIM(**UNIT).update_state(np.zeros((1, 10, 12, 3)), np.zeros((1, 10, 12, 3)))


def vector_network(channels):
    """Features of `(batch, 1, 1, channels)` images are the images themselves."""
    image = keras.Input((1, 1, channels))
    return keras.Model(image, keras.layers.Rescaling(1.0)(image))


def test_frechet_distance_of_known_gaussians(rng):
    scipy_linalg = pytest.importorskip("scipy.linalg")
    real = rng.normal(size=(50, 6)) @ rng.normal(size=(6, 6))
    filled = rng.normal(size=(30, 6)) @ rng.normal(size=(6, 6)) + 1.5
    covariances = [np.cov(samples.T) for samples in (real, filled)]
    root = np.real(scipy_linalg.sqrtm(covariances[0] @ covariances[1]))
    difference = real.mean(0) - filled.mean(0)
    expected = difference @ difference + np.trace(covariances[0] + covariances[1] - 2 * root)
    distance = metrics.FrechetDistance(vector_network(6), data_format="channels_last")
    for start in range(0, 30, 7):
        distance.update(*(samples[start : start + 7].reshape(-1, 1, 1, 6) for samples in (real[:30], filled)))
    distance.update(real[30:].reshape(-1, 1, 1, 6), filled[:0].reshape(-1, 1, 1, 6))
    assert distance.result() == pytest.approx(expected, rel=1e-5)
    assert expected > 1


def test_frechet_distance_of_few_images_and_of_other_features():
    distance = metrics.FrechetDistance(vector_network(2), data_format="channels_last")
    distance.update(np.ones((1, 1, 1, 2)), np.ones((1, 1, 1, 2)))
    with pytest.raises(ValueError, match="at least two images of each set. Received: 1"):
        distance.result()
    # Fewer images than channels: the covariance is singular, the distance of a set to itself is still 0.
    many = np.random.default_rng(0).normal(size=(3, 1, 1, 20))
    wide = metrics.FrechetDistance(vector_network(20), data_format="channels_last")
    wide.update(many, many)
    assert wide.result() == pytest.approx(0, abs=1e-6)
    image = keras.Input((4, 3))
    flat = metrics.FrechetDistance(keras.Model(image, keras.layers.Rescaling(1.0)(image)))
    with pytest.raises(ValueError, match=r"outputs of shape \(2, 4, 3\)"):
        flat.update(ops.ones((2, 4, 3)), ops.ones((2, 4, 3)))
