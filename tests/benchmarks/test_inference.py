"""What is timed against the bare network: the same tiles."""

import keras
import pytest
from keras import layers

from benchmarks import __main__ as command
from benchmarks import inference


def test_inference_has_its_own_command(monkeypatch):
    given = []
    monkeypatch.setattr(inference, "main", given.append)
    assert command.main(["inference", "--repeats", "2"]) == []
    assert given == [["--repeats", "2"]]


def test_both_sides_see_the_same_tiles(monkeypatch):
    image = keras.Input((None, None, 3))
    network = keras.Model(image, layers.Conv2D(2, 1, data_format="channels_last")(image))
    network.data_format = "channels_last"
    monkeypatch.setattr(inference, "build", lambda name: network)
    monkeypatch.setattr(inference, "SIDE", 300)
    monkeypatch.setattr(inference, "TILE", 128)
    monkeypatch.setattr(inference, "MODES", {"blend": {}, "overlap_tile": {"mode": "overlap_tile", "margin": 16}})
    blend, overlap_tile = inference.speed("any", keras.backend.backend(), repeats=1)
    assert (blend.batch, blend.size) == (16, "108x108")
    assert (overlap_tile.batch, overlap_tile.size) == (16, "128x128")
    assert blend.ratio() == pytest.approx(blend.peer["predict_on_batch"] / blend.ours["graph"])
