import json

import numpy as np
import pytest

from keras_segpaint import data

# The weights that the authors of SegNet published for CamVid, in the order of the labels.
PUBLISHED = [0.2595, 0.1826, 4.5640, 0.1417, 0.9051, 0.3826, 9.6446, 1.8418, 0.6823, 6.2478, 7.3614]


@pytest.fixture(scope="module")
def reference(shared):
    info = json.loads((shared / "fixtures" / "class_weights.json").read_text())
    return {name: np.array(entry["value"]) for name, entry in info["arrays"].items() if "value" in entry}


@pytest.fixture(scope="module")
def counts(shared):
    folder = shared / "data" / "camvid"
    if not folder.is_dir():
        pytest.skip(f"no CamVid: {folder} is not there")
    return data.CamVid(folder, "train").class_counts()


def test_counts_of_camvid(counts, reference):
    np.testing.assert_array_equal(counts.pixels, reference["pixel_counts_12"][:11])
    np.testing.assert_array_equal(counts.images_with_class, reference["images_with_class"][:11])
    assert counts.ignored == reference["pixel_counts_12"][11] and counts.images == 367


@pytest.mark.parametrize(
    ("arguments", "key"),
    [
        ({}, "mfb_weights_void_excluded"),
        ({"count_ignored": True}, "mfb_weights_void_in_total"),
        ({"per_image": False}, "global_median_frequency_weights"),
    ],
)
def test_median_frequency(counts, reference, arguments, key):
    np.testing.assert_allclose(data.median_frequency_weights(counts, **arguments), reference[key], rtol=1e-12)


@pytest.mark.parametrize("count_ignored", [False, True])
def test_enet(counts, reference, count_ignored):
    key = "enet_weights_void_in_total" if count_ignored else "enet_weights_void_excluded"
    np.testing.assert_allclose(data.enet_weights(counts, count_ignored=count_ignored), reference[key], rtol=1e-12)


def test_published_segnet_weights(counts):
    """The paper's formula gives the published weights within a fifth, all but that of the signs.

    The authors counted other label images: their signs are 2.5 times rarer than those of the published masks.
    """
    ratio = np.array(PUBLISHED) / data.median_frequency_weights(counts)
    sign = data.CamVid.published_class_weights.index(9.6446)
    assert list(data.CamVid.published_class_weights) == PUBLISHED
    others = np.delete(ratio, sign)
    assert others.min() > 0.83 and others.max() < 1.0
    assert 2.4 < ratio[sign] < 2.6


def test_linknet(counts):
    weights = data.linknet_weights(counts)
    most = counts.pixels.argmax()
    assert weights.argmin() == most and weights[most] == pytest.approx(1 / np.log(2.02))
    assert weights[10] == pytest.approx(1 / np.log(1.02 + 184967 / 20076880))


def test_absent_classes_and_empty_sets():
    counts = data.ClassCounts.of_masks([np.array([[0, 2]])], num_classes=3, ignore_class=255)
    np.testing.assert_allclose(data.median_frequency_weights(counts), [1.0, 0.0, 1.0])
    assert np.isfinite(data.enet_weights(counts)).all()
    empty = data.ClassCounts.of_masks([np.full((2, 2), 255)], num_classes=2, ignore_class=255)
    assert empty.ignored == 4
    np.testing.assert_array_equal(data.median_frequency_weights(empty), [0.0, 0.0])
    with pytest.raises(ValueError, match="offset=1.0"):
        data.enet_weights(counts, offset=1.0)


def test_border_weight_map(fixture_arrays):
    arrays = fixture_arrays("unet_border_weight").arrays
    instances = arrays["instance_labels"]
    weights = data.border_weight_map(instances)
    assert weights.dtype == np.float32
    np.testing.assert_allclose(weights, arrays["weight_wc1_background_only"], atol=1e-5)
    share = (instances > 0).mean()
    balanced = data.border_weight_map(instances, class_weights=[0.5 / (1 - share), 0.5 / share])
    np.testing.assert_allclose(balanced, arrays["weight_balanced_background_only"], atol=1e-5)


def test_border_weight_map_without_gaps():
    np.testing.assert_array_equal(data.border_weight_map(np.zeros((3, 4), int)), np.ones((3, 4)))
    np.testing.assert_array_equal(data.border_weight_map(np.eye(4, dtype=int)), np.ones((4, 4)))
    with pytest.raises(ValueError, match="integer array"):
        data.border_weight_map(np.zeros((3, 4)))
    with pytest.raises(ValueError, match="sigma=0"):
        data.border_weight_map(np.zeros((3, 4), int), sigma=0)
