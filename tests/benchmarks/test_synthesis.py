"""The forms of SPADE that are timed against each other give the same result."""

import keras
import numpy as np
import pytest
from keras import ops

from benchmarks import __main__ as command
from benchmarks import synthesis
from keras_segpaint.layers import SPADE


def test_forms_agree(rng):
    x, labels = rng.normal(size=(2, 6, 8, 4)).astype("float32"), rng.integers(0, 20, (2, 12, 16))
    layer = SPADE(20, hidden=8, data_format="channels_last")
    layer.build(x.shape, labels.shape)
    layer.modulation.bias.assign(rng.normal(size=8))
    expected = ops.convert_to_numpy(layer(x, labels))
    with synthesis.form(ours=False):
        result = ops.convert_to_numpy(layer(x, labels))
    assert SPADE.modulate is not synthesis.three_convolutions
    np.testing.assert_allclose(result, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.skipif(keras.backend.backend() != "torch", reason="what is measured is the same on every backend")
def test_rows(capsys):
    rows = synthesis.main("--side 32 --channels 4 --filters 2 --repeats 1 --threads 1 --backend torch".split())
    assert [(row.case, row.phase) for row in rows] == [
        (case, phase) for case in ("spade", "spade_generator") for phase in ("forward", "training step")
    ]
    assert all(min(*row.ours.values(), *row.peer.values()) > 0 for row in rows)
    assert "planes" in capsys.readouterr().out


def test_synthesis_has_its_own_command(monkeypatch):
    given = []
    monkeypatch.setattr(synthesis, "main", given.append)
    assert command.main(["synthesis", "--repeats", "2"]) == []
    assert given == [["--repeats", "2"]]
