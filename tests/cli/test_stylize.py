"""`segpaint stylize`: files in the style of others, mistakes named."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from keras_segpaint.inference import stylize
from keras_segpaint.models import StyleTransfer, UNet


@pytest.fixture(scope="module")
def model():
    return StyleTransfer(base_filters=2)


@pytest.fixture(scope="module")
def files(tmp_path_factory, model) -> Path:
    """Two contents, one in a subfolder, two styles, a model."""
    root = tmp_path_factory.mktemp("stylize")
    rng = np.random.default_rng(0)
    (root / "photos" / "inside").mkdir(parents=True)
    for name, shape in (("photos/a", (24, 32, 3)), ("photos/inside/b", (24, 32)), ("s", (20, 16, 3)), ("t", (9, 9, 3))):
        Image.fromarray(rng.integers(0, 255, shape).astype(np.uint8)).save(root / f"{name}.png")
    model.save(root / "model.keras")
    return root


def read(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.array(image)


def test_folder(segpaint, files: Path, model):
    out = files / "out"
    arguments = ["--style", files / "s.png", "--run", files / "model.keras", "--out", out, "--style-size", 0]
    result = segpaint("stylize", files / "photos", *arguments)
    assert result.exit_code == 0, result.output
    assert "images painted: 2 in" in result.stdout
    assert "2 results in" in result.stdout and "in the style of" in result.stdout
    for name in ("a", "inside/b"):
        expected = stylize(model, read(files / "photos" / f"{name}.png"), read(files / "s.png"), style_size=None)
        assert np.abs(read(out / f"{name}.png").astype(int) - expected).max() <= 1


def test_two_styles_into_one_file(segpaint, files: Path, model):
    path = files / "photos" / "a.png"
    styles = ["--style", files / "s.png", "--style", files / "t.png", "--weight", 3, "--weight", 1]
    settings = ["--alpha", 0.5, "--preserve-colour", "--style-size", 16]
    result = segpaint("stylize", path, *styles, *settings, "--run", files / "model.keras", "--out", files / "one.tif")
    assert result.exit_code == 0, result.output
    expected = stylize(
        model,
        read(path),
        [read(files / "s.png"), read(files / "t.png")],
        [3, 1],
        alpha=0.5,
        preserve_colour="luminance",
        style_size=16,
    )
    assert np.abs(read(files / "one.tif").astype(int) - expected).max() <= 1


@pytest.mark.filterwarnings("default:skipped")
def test_unreadable_file(segpaint, files: Path, tmp_path: Path):
    (tmp_path / "broken.png").write_bytes(b"no picture")
    Image.new("RGB", (9, 9)).save(tmp_path / "good.png")
    arguments = ["--style", files / "s.png", "--run", files / "model.keras", "--style-size", 0]
    result = segpaint("stylize", tmp_path, *arguments, "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert "broken.png" in result.stderr
    assert "1 of 2 files could not be painted" in result.stderr
    assert (tmp_path / "out" / "good.png").exists()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"--weight": [1, 2]}, "one --weight for each --style"),
        ({"--out": ["photos/a.png"]}, "would overwrite the image itself"),
        ({"--out": ["s.png"]}, "would overwrite a style"),
        ({"--out": ["x.jpg"]}, "is written as .png"),
        ({"--style": ["nothing.png"]}, "the file does not exist"),
        ({"--run": ["unet.keras"]}, "holds a segmentation model, this command is for style"),
    ],
)
def test_mistakes(segpaint, files: Path, changes, message):
    if "--run" in changes:
        UNet(2, base_filters=2).save(files / "unet.keras")
    options = {"--style": ["s.png"], "--run": ["model.keras"], "--out": ["out2"], "--style-size": [0], **changes}
    paths = ("--style", "--run", "--out")
    given = [
        part
        for name, values in options.items()
        for value in values
        for part in (name, files / value if name in paths else value)
    ]
    before = read(files / "s.png")
    result = segpaint("stylize", files / "photos" / "a.png", *given)
    assert result.exit_code in (1, 2)
    assert message in " ".join(result.stderr.split())
    np.testing.assert_array_equal(read(files / "s.png"), before)
