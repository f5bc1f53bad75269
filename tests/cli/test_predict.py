"""`segpaint predict`: file, folder and pattern in; palette, overlay and raw PNG out."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from keras_segpaint import viz
from keras_segpaint.data.palette import default_palette


def test_folder_to_palette_images(segpaint, trained, shapes: Path, tmp_path: Path):
    result = segpaint("predict", trained[0], shapes / "images", "--out", tmp_path)
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"{index:02d}.png" for index in range(10)]
    with Image.open(tmp_path / "00.png") as picture:
        assert (picture.mode, picture.size) == ("P", (32, 32))
        palette = np.array(picture.getpalette()[:9], np.uint8).reshape(3, 3)
    np.testing.assert_array_equal(palette, default_palette(3))


def test_styles_agree(segpaint, trained, shapes: Path, tmp_path: Path):
    image = shapes / "images" / "00.png"
    for style in ("palette", "raw", "overlay"):
        assert segpaint("predict", trained[0], image, "--out", tmp_path / style, "--as", style).exit_code == 0
    with Image.open(tmp_path / "palette" / "00.png") as picture:
        indices = np.array(picture)
    with Image.open(tmp_path / "raw" / "00.png") as picture:
        assert picture.mode == "L"
        np.testing.assert_array_equal(np.array(picture), indices)
    assert indices.max() < 3
    with Image.open(tmp_path / "overlay" / "00.png") as picture, Image.open(image) as original:
        wanted = viz.overlay(np.array(original.convert("RGB")), indices, default_palette(3))
        np.testing.assert_array_equal(np.array(picture), wanted)


def test_pattern(segpaint, trained, shapes: Path, tmp_path: Path):
    result = segpaint("predict", trained[0], shapes / "images" / "0[12].png", "--out", tmp_path, "--as", "raw")
    assert result.exit_code == 0, result.output
    assert sorted(path.name for path in tmp_path.iterdir()) == ["01.png", "02.png"]


def test_no_image(segpaint, trained, tmp_path: Path):
    result = segpaint("predict", trained[0], tmp_path / "*.jpg", "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert str(tmp_path / "*.jpg") in result.stderr
    assert not (tmp_path / "out").exists()


def test_image_is_not_overwritten(segpaint, trained, folder: Path):
    before = (folder / "images" / "00.png").read_bytes()
    result = segpaint("predict", trained[0], folder / "images", "--out", folder / "images")
    assert result.exit_code == 1
    assert "would overwrite the image itself" in result.stderr
    assert (folder / "images" / "00.png").read_bytes() == before


def test_two_images_of_one_name(segpaint, trained, folder: Path, tmp_path: Path):
    with Image.open(folder / "images" / "00.png") as picture:
        picture.save(folder / "images" / "00.jpg")
    result = segpaint("predict", trained[0], folder / "images", "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert f"{folder / 'images' / '00.png'}: its result would overwrite that of" in result.stderr


@pytest.mark.filterwarnings("default:skipped")
def test_truncated_image_is_skipped_and_named(segpaint, trained, folder: Path, tmp_path: Path):
    broken = folder / "images" / "02.png"
    broken.write_bytes(broken.read_bytes()[:100])
    result = segpaint("predict", trained[0], folder / "images", "--out", tmp_path / "out")
    assert result.exit_code == 1
    assert "1 of 6 files could not be read" in result.stderr
    assert str(broken) in result.stderr
    assert len(list((tmp_path / "out").iterdir())) == 5


def test_model_outside_of_its_run(segpaint, trained, shapes: Path, tmp_path: Path):
    shutil.copy(trained[0] / "checkpoints" / "best.keras", tmp_path / "model.keras")
    image = shapes / "images" / "00.png"
    assert segpaint("predict", tmp_path / "model.keras", image, "--out", tmp_path).exit_code == 0
    assert (tmp_path / "00.png").exists()
