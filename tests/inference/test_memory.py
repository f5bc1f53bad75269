"""What a large image takes: measured in a process of its own, and estimated."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import pytest

from keras_segpaint.inference.memory import Needs, activation_bytes, tile_within
from keras_segpaint.models import ENet, UNet
from tests.inference.networks import local_model

SIDE, CLASSES = 3000, 40
# The probabilities alone take 1,373 MiB.
LIMIT = 500
SCRIPT = """
import resource
import keras
import numpy as np
from keras import layers
from keras_segpaint.inference import Segmenter

side, classes, bound = {side}, {classes}, {bound}
image = keras.Input((None, None, 3))
model = keras.Model(image, layers.Conv2D(classes, 1, strides=1, data_format="channels_last")(image))
model.data_format = "channels_last"
pixels = np.zeros((side, side, 3), np.uint8)
pixels[: side // 2] = 255
segmenter = Segmenter(model, max_memory=bound)
expected = [segmenter(pixels[rows, :64]).classes[0, 0] for rows in (slice(0, 64), slice(side - 64, side))]
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
classes = segmenter(pixels).classes
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
halves = classes[: side // 2], classes[side // 2 :]
print(all((half == value).all() for half, value in zip(halves, expected)))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the unit of the peak is that of Linux")
def test_a_large_image_stays_below_its_bound():
    script = SCRIPT.format(side=SIDE, classes=CLASSES, bound=LIMIT)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    grown, right = done.stdout.split()[-2:]
    assert right == "True"
    assert int(grown) / 1024 < LIMIT


def test_activations_of_known_networks():
    # 3 + 4 + 6 + 6 + 3 channels, four bytes each.
    assert activation_bytes(local_model()) == 88
    for model in (
        ENet(5),
        UNet(2, base_filters=2, padding="valid"),
        UNet(2, base_filters=2, data_format="channels_first"),
    ):
        found = activation_bytes(model)
        assert 4 * (3 + model.num_classes) < found < 10_000
    assert activation_bytes(ENet(5, input_shape=(64, 96, 3))) == pytest.approx(activation_bytes(ENet(5)), rel=0.05)


def test_activations_of_a_network_with_a_nested_one():
    image = keras.Input((None, None, 3))
    inner = local_model()
    assert activation_bytes(keras.Model(image, inner(image))) == 12 + activation_bytes(inner)


def test_the_largest_tiles_that_fit():
    needs = Needs(kept=1000, per_band_pixel=10, per_pixel=100.0)
    size = (2000, 4000)
    assert tile_within(10**9, needs, size, 4, 0) == (1, None)
    for bound in (3 * 10**8, 10**8, 2 * 10**7):
        batch, side = tile_within(bound, needs, size, 4, 0)
        assert needs.total(size, (side, side), batch) <= bound
    with pytest.raises(ValueError, match="max_memory=1 MiB. It takes 3 MiB, of which 1 are maps"):
        tile_within(10**6, needs, size, 4, 0)
    with pytest.raises(ValueError, match="`max_memory` is too small"):
        tile_within(5 * 10**6, needs, size, 4, smallest=100)
