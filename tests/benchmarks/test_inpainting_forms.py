"""The forms of contextual attention that are timed against each other give the same result."""

import numpy as np
import pytest
from keras import ops

from benchmarks import __main__ as command
from benchmarks import inpainting
from keras_segpaint.layers import ContextualAttention


@pytest.mark.parametrize("form", [inpainting.per_image, inpainting.batched])
def test_forms_agree(form, rng):
    x = (rng.normal(size=(2, 12, 16, 4)) * 0.3).astype("float32")
    hole = np.zeros((1, 12, 16, 1), "float32")
    hole[:, 4:8, 4:8] = 1
    expected = ContextualAttention(data_format="channels_last")(x, x, hole)
    result = form(ops.convert_to_tensor(x), hole)
    np.testing.assert_allclose(ops.convert_to_numpy(result), ops.convert_to_numpy(expected), rtol=1e-4, atol=1e-5)


def test_inpainting_has_its_own_command(monkeypatch):
    given = []
    monkeypatch.setattr(inpainting, "main", given.append)
    assert command.main(["inpainting", "--repeats", "2"]) == []
    assert given == [["--repeats", "2"]]
