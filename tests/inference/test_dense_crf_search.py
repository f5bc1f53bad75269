"""The search for a dense CRF's settings."""

import numpy as np
import pytest

from keras_segpaint.inference import dense_crf, search_dense_crf
from keras_segpaint.inference.permutohedral import PermutohedralLattice


@pytest.fixture(scope="module")
def validation():
    """Three images of two halves, their label maps and noisy probabilities with a shifted boundary."""
    random = np.random.default_rng(7)
    probabilities, images, labels = [], [], []
    for edge in (8, 10, 12):
        image = np.zeros((12, 20, 3), np.uint8)
        image[:, edge:] = 180
        label = np.tile(np.arange(20) >= edge, (12, 1)).astype(np.uint8)
        right = np.clip(0.3 + 0.4 * (np.arange(20) >= edge + 2) + random.normal(0, 0.1, (12, 20)), 0.05, 0.95)
        label[0] = 255
        probabilities.append(np.stack([1 - right, right], axis=-1))
        images.append(image)
        labels.append(label)
    return probabilities, images, labels


def mean_iou(labels, predictions) -> float:
    ious = []
    for label in (0, 1):
        pairs = [(a == label, b == label, a != 255) for a, b in zip(labels, predictions, strict=True)]
        both = sum((a & b & counted).sum() for a, b, counted in pairs)
        any_ = sum(((a | b) & counted).sum() for a, b, counted in pairs)
        ious.append(both / any_)
    return float(np.mean(ious))


def test_every_setting_has_its_mean_iou(validation):
    probabilities, images, labels = validation
    grid = {"bilateral_compat": [0.5, 10], "bilateral_sxy": [5, 40], "iterations": [1]}
    steps = []
    found = search_dense_crf(*validation, grid, progress=lambda done, total: steps.append((done, total)))
    assert steps == [(done, 12) for done in range(1, 13)]
    assert len(found.trials) == 4
    assert found.without == pytest.approx(mean_iou(labels, [p.argmax(-1) for p in probabilities]))
    for trial in found.trials:
        refined = [
            dense_crf(p, image, trial.pairwise, trial.iterations).argmax(-1)
            for p, image in zip(probabilities, images, strict=True)
        ]
        assert trial.mean_iou == pytest.approx(mean_iou(labels, refined))
        assert trial.pairwise[1].sxy == trial.settings["bilateral_sxy"]
        assert trial.pairwise[1].compat == trial.settings["bilateral_compat"]
    ious = [trial.mean_iou for trial in found.trials]
    assert ious == sorted(ious, reverse=True)
    assert found.best.settings["bilateral_compat"] == 10
    assert found.best.mean_iou > found.without
    assert f"{found.best.mean_iou:.4f}" in found.table().splitlines()[1]


def test_lattices_are_shared(validation, monkeypatch):
    built = []
    original = PermutohedralLattice.__init__

    def count(self, features):
        built.append(features.shape)
        original(self, features)

    monkeypatch.setattr(PermutohedralLattice, "__init__", count)
    grid = {"gaussian_compat": [1, 2, 3], "bilateral_compat": [2, 4], "bilateral_srgb": [5, 13], "iterations": [1]}
    search_dense_crf(*validation, grid)
    # Of each image one of positions, and one for each of the two standard deviations of colours.
    assert sorted(built) == [(2, 240)] * 3 + [(5, 240)] * 6


@pytest.mark.parametrize(
    "change, message",
    [
        (dict(grid={"bilateral_rgb": [3]}), "may name gaussian_sxy, .*Received: 'bilateral_rgb'"),
        (dict(grid={"bilateral_srgb": []}), "one or more values for each name. Received: bilateral_srgb="),
        (dict(grid={"bilateral_srgb": 3}), "one or more values"),
        (dict(grid={"bilateral_srgb": [0]}), "`srgb` must be a number > 0"),
        (dict(labels=[]), "Received: 3 probabilities, 3 images, 0 labels"),
        (dict(labels=[np.zeros((12, 19), int)] * 3), r"Received: labels\[0\] int64 of shape \(12, 19\)"),
        (dict(labels=[np.zeros((12, 20))] * 3), "must be integers"),
    ],
)
def test_wrong_arguments_are_refused(validation, change, message):
    arguments = dict(zip(("probabilities", "images", "labels"), validation, strict=True), grid={"iterations": [1]})
    with pytest.raises(ValueError, match=message):
        search_dense_crf(**{**arguments, **change})
