"""The dense CRF's benchmark: its inputs and its row. Nothing is timed here."""

import numpy as np
import pytest

from benchmarks import __main__ as command
from benchmarks import crf
from keras_segpaint.inference import dense_crf


def test_crf_has_its_own_command(monkeypatch):
    given = []
    monkeypatch.setattr(crf, "main", given.append)
    assert command.main(["crf", "--repeats", "2"]) == []
    assert given == [["--repeats", "2"]]


def test_row_of_a_small_image(monkeypatch):
    monkeypatch.setattr(crf, "ITERATIONS", 1)
    size, *numbers = crf.row(None, 0.1, repeats=1, threads=1).split()
    assert size == "50x37"
    best, median, setup, points, per_pixel = map(float, numbers)
    assert best == median > 0
    assert setup > 0
    assert 100 < points < 20_000
    # Both come from the same time, which is shown in whole milliseconds.
    assert per_pixel == pytest.approx(1000 * best / (50 * 37), abs=0.5)


def test_inputs():
    probabilities, image = crf.inputs(None, 0.2)
    assert probabilities.shape == (75, 100, 21)
    assert image.shape == (75, 100, 3)
    np.testing.assert_allclose(probabilities.sum(axis=-1), 1, atol=1e-5)
    assert dense_crf(probabilities, image, iterations=1).shape == probabilities.shape


def test_unreadable_image_is_refused(tmp_path):
    with pytest.raises(SystemExit, match="cannot be read as an image"):
        crf.inputs(tmp_path / "none.jpg", 1.0)
