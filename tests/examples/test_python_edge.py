"""The example for devices: runs where neither Keras nor a backend nor this package can be imported."""

import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from keras_segpaint import export
from tests.conftest import REPOSITORY

pytest.importorskip("ai_edge_litert")
pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="the example has no backend; its files are written on this one"
)

FOLDER = REPOSITORY / "examples" / "python_edge"
PALETTE = [[10, 20, 30], [200, 40, 60], [70, 180, 90]]
# What the device does not have. Whatever else segment.py imports comes with its three requirements.
ISOLATED = """
import importlib.abc, runpy, sys

class Absent(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("keras", "tensorflow", "torch", "jax", "cv2", "keras_segpaint"):
            raise ModuleNotFoundError(f"not on the device: {name}", name=name)

sys.meta_path.insert(0, Absent())
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Files whose class is 0 where the picture is black, 1 where it is red and 2 where it is green."""
    image = keras.Input((16, 24, 3))
    convolution = keras.layers.Conv2D(3, 1)
    model = keras.Model(image, convolution(image))
    convolution.set_weights([np.float32([[[[0, 1, 0], [0, 0, 1], [0, 0, 0]]]]), np.float32([0.5, 0, 0])])
    folder = tmp_path_factory.mktemp("edge")
    files = {name: folder / f"{name}.tflite" for name in ("floats", "bytes", "integers")}
    export.to_litert(model, files["floats"], check=False, metadata=False)
    known = {"classes": ["ground", "car", "tree"], "palette": PALETTE}
    arguments = dict(check=False, input_dtype="uint8", output="classes", metadata=known)
    export.to_litert(model, files["bytes"], **arguments)
    images = np.random.default_rng(0).integers(0, 256, (4, 16, 24, 3), np.uint8)
    export.to_litert(model, files["integers"], precision="int8", calibration=images, **arguments)
    return files


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    """Left half black, upper right red, lower right green; of twice the file's size and a bit."""
    pixels = np.zeros((32, 48, 3), np.uint8)
    pixels[:16, 24:, 0] = pixels[16:, 24:, 1] = 255
    Image.fromarray(pixels).save(tmp_path / "picture.png")
    return tmp_path / "picture.png"


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as opened:
        return np.asarray(opened)


def segment(*arguments: object) -> subprocess.CompletedProcess:
    command = [sys.executable, "-c", ISOLATED, str(FOLDER / "segment.py"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("kind", ["bytes", "integers"])
def test_bytes_in_and_classes_out(kind, files, picture, tmp_path):
    out = tmp_path / "new" / "overlay.png"
    done = segment(picture, "--model", files[kind], "--out", out, "--alpha", 1)
    assert done.returncode == 0, done.stderr
    drawn = pixels(out)
    assert drawn.shape == (32, 48, 3)
    for place, color in zip([(16, 8), (4, 40), (28, 40)], PALETTE, strict=True):
        assert drawn[place].tolist() == color
    assert "ground 50.0%" in done.stdout and "car 25.0%" in done.stdout and "tree 25.0%" in done.stdout


def test_floats_in_and_logits_out_of_several_pictures(files, picture, tmp_path):
    grey = tmp_path / "grey.png"
    Image.fromarray(np.full((20, 20), 255, np.uint8)).save(grey)
    done = segment(picture, grey, "--model", files["floats"], "--out", tmp_path / "out", "--alpha", 1)
    assert done.returncode == 0, done.stderr
    # Without names the numbers, without colours made-up ones, which differ.
    assert "0 50.0%, 2 25.0%, 1 25.0%" in done.stdout
    drawn = pixels(tmp_path / "out" / "picture.png")
    assert len({tuple(drawn[place]) for place in [(16, 8), (4, 40), (28, 40)]}) == 3
    assert pixels(tmp_path / "out" / "grey.png").shape == (20, 20, 3)


def test_a_missing_file(picture, tmp_path):
    done = segment(picture, "--model", tmp_path / "none.tflite", "--out", tmp_path / "out.png")
    assert done.returncode == 2 and "there is no file" in done.stderr


def test_it_needs_what_it_says():
    required = {line.partition(">=")[0] for line in (FOLDER / "requirements.txt").read_text().split()}
    assert required == {"ai-edge-litert", "numpy", "pillow"}
