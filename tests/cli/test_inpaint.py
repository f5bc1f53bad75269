"""`segpaint inpaint`: holes of files filled, known pixels kept, mistakes named."""

from pathlib import Path

import cv2
import keras
import numpy as np
import pytest
from PIL import Image

from keras_segpaint.data import DataError, read_hole_mask
from keras_segpaint.data.files import image_size, read_image, read_mask
from keras_segpaint.inference.photographs import read_photograph, write_photograph
from keras_segpaint.viz import before_and_after


@pytest.fixture
def photos(tmp_path: Path, rng: np.random.Generator) -> Path:
    """Three photographs and a mask for each, in which holes are white."""
    for folder in ("photos/inside", "masks/inside"):
        (tmp_path / folder).mkdir(parents=True)
    for name in ("a", "b", "inside/c"):
        Image.fromarray(rng.integers(60, 90, (24, 32, 3)).astype(np.uint8)).save(tmp_path / "photos" / f"{name}.png")
        Image.fromarray(hole() * 255).save(tmp_path / "masks" / f"{name}.png")
    return tmp_path


def hole() -> np.ndarray:
    mask = np.zeros((24, 32), np.uint8)
    mask[8:12, 10:20] = 1
    return mask


def read(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.array(image)


def test_folder_with_a_mask_each(segpaint, photos: Path):
    result = segpaint("inpaint", photos / "photos", "--mask", photos / "masks", "--out", photos / "out", "--compare")
    assert result.exit_code == 0, result.output
    assert "images filled: 3 in" in result.stdout
    assert "3 results in" in result.stdout and "filled by telea (no --model given)" in result.stdout
    for name in ("a", "b", "inside/c"):
        before, after = read(photos / "photos" / f"{name}.png"), read(photos / "out" / f"{name}.png")
        np.testing.assert_array_equal(after[hole() == 0], before[hole() == 0])
        assert (after[hole() > 0] != before[hole() > 0]).any()
        compared = read(photos / "out" / f"{name}_compare.png")
        np.testing.assert_array_equal(compared, before_and_after(before, hole(), after))
        assert compared.shape == (24, 3 * 32 + 16, 3)
        np.testing.assert_array_equal(compared[8:12, 32 + 8 + 10 : 32 + 8 + 20], np.full((4, 10, 3), (255, 0, 160)))


def test_one_mask_for_all_and_black_holes(segpaint, photos: Path):
    Image.fromarray(255 - hole() * 255).save(photos / "black.png")
    pattern = photos / "photos" / "*.png"
    result = segpaint(
        "inpaint",
        pattern,
        "--mask",
        photos / "black.png",
        "--holes",
        "black",
        "--method",
        "ns",
        "--out",
        photos / "out",
    )
    assert result.exit_code == 0, result.output
    assert "filled by ns" in result.stdout
    before, after = read(photos / "photos" / "b.png"), read(photos / "out" / "b.png")
    np.testing.assert_array_equal((after != before).any(-1) & (hole() == 0), np.zeros((24, 32), bool))


def test_a_model_fills_one_file(segpaint, photos: Path):
    image, mask = keras.Input((None, None, 3)), keras.Input((None, None, 1))
    first = keras.layers.Rescaling(0.5)(image)
    keras.Model([image, mask], first + keras.layers.Rescaling(0.5)(mask)).save(photos / "model.keras")
    arguments = ["--mask", photos / "masks" / "a.png", "--model", photos / "model.keras"]
    result = segpaint("inpaint", photos / "photos" / "a.png", *arguments, "--out", photos / "filled.png")
    assert result.exit_code == 0, result.output
    before, after = read(photos / "photos" / "a.png"), read(photos / "filled.png")
    np.testing.assert_array_equal(after, np.where(hole()[..., None] > 0, 191, before))
    grown = segpaint(
        "inpaint", photos / "photos" / "a.png", *arguments, "--dilate", 2, "--feather", 2, "--out", photos / "grown.tif"
    )
    assert grown.exit_code == 0, grown.output
    changed = (read(photos / "grown.tif") != before).any(-1)
    assert changed.sum() > hole().sum() and changed[6:14, 8:22].sum() == changed.sum()


@pytest.mark.parametrize("kind", ["16-bit grey", "16-bit colour", "RGBA", "grey", "palette", "16-bit tif"])
def test_depth_and_transparency_are_kept(segpaint, photos: Path, rng, kind):
    shape = {"16-bit grey": (24, 32), "grey": (24, 32), "palette": (24, 32), "RGBA": (24, 32, 4)}.get(kind, (24, 32, 3))
    dtype = np.uint16 if "16" in kind else np.uint8
    image = rng.integers(0, 200 if dtype == np.uint8 else 60_000, shape).astype(dtype)
    path = photos / ("deep.tif" if "tif" in kind else "photo.png")
    if kind == "palette":
        picture = Image.fromarray(image)
        picture.putpalette(rng.integers(0, 256, 768).astype(np.uint8).tobytes())
        picture.save(path)
        image = np.array(picture.convert("RGB"))
    else:
        write_photograph(path, image)
    np.testing.assert_array_equal(read_photograph(path), image)
    result = segpaint("inpaint", path, "--mask", photos / "masks" / "a.png", "--out", photos / "out")
    assert result.exit_code == 0, result.output
    filled = read_photograph(photos / "out" / f"{path.stem}.png")
    assert filled.dtype == dtype and filled.shape == image.shape
    np.testing.assert_array_equal(filled[hole() == 0], image[hole() == 0])
    if kind == "16-bit colour":
        assert cv2.imread(str(photos / "out" / "photo.png"), cv2.IMREAD_UNCHANGED).dtype == np.uint16
    comparison = segpaint("inpaint", path, "--mask", photos / "masks" / "a.png", "--out", photos / "o", "--compare")
    assert comparison.exit_code == 0, comparison.output


def test_jpeg_turned_by_the_camera(segpaint, photos: Path):
    pixels = np.zeros((32, 24, 3), np.uint8)
    pixels[:16] = 200
    picture = Image.fromarray(pixels)
    exif = picture.getexif()
    exif[0x0112] = 6
    picture.save(photos / "turned.jpg", exif=exif, quality=95)
    result = segpaint("inpaint", photos / "turned.jpg", "--mask", photos / "masks" / "a.png", "--out", photos / "out")
    assert result.exit_code == 0, result.output
    assert read(photos / "out" / "turned.png").shape == (24, 32, 3)


@pytest.mark.filterwarnings("default:skipped")
def test_what_cannot_be_filled_is_skipped_and_named(segpaint, photos: Path):
    broken = photos / "photos" / "b.png"
    broken.write_bytes(broken.read_bytes()[:60])
    Image.fromarray(np.zeros((9, 9), np.uint8)).save(photos / "masks" / "a.png")
    result = segpaint("inpaint", photos / "photos", "--mask", photos / "masks", "--out", photos / "out")
    assert result.exit_code == 1
    assert "2 of 3 files could not be filled" in result.stderr
    assert "a mask of 9 x 9 pixels, an image of 32 x 24" in result.stderr
    assert f"{broken}: cannot be read as an image" in result.stderr
    assert [path.name for path in (photos / "out").rglob("*.png")] == ["c.png"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["photos", "--mask", "none.png", "--out", "out"], "No such mask file"),
        (["photos", "--mask", "photos/inside", "--out", "out"], "has no mask for 3 of 3 images"),
        (["nothing", "--mask", "masks", "--out", "out"], "No such file or folder"),
        (["photos/a.png", "--mask", "masks/a.png", "--out", "a.jpg"], "would change the known pixels"),
        (["photos/a.png", "--mask", "masks/a.png", "--out", "photos/a.png"], "overwrite the image itself"),
        (["photos", "--mask", "masks", "--out", "photos"], "overwrite the image itself"),
        (["photos", "--mask", "masks", "--out", "masks"], "overwrite a mask"),
        (["photos", "--mask", "masks", "--out", "out", "--feather", 3], "`feather` in"),
        (["photos", "--mask", "masks", "--out", "out", "--threshold", 2], "`threshold` must be in"),
        (["photos", "--mask", "masks", "--out", "out", "--model", "m.keras", "--method", "ns"], "exclude each other"),
        (["photos", "--mask", "masks", "--out", "out", "--model", "m.keras"], "no such file or folder"),
        (["photos", "--mask", "masks", "--out", "out", "--flip", "both"], "--flip is for networks"),
    ],
)
def test_mistakes(segpaint, photos: Path, monkeypatch, arguments, message):
    monkeypatch.chdir(photos)
    before = {path: path.read_bytes() for path in photos.rglob("*.png")}
    result = segpaint("inpaint", *arguments)
    assert result.exit_code == 1
    assert message in " ".join(result.stderr.split())
    assert {path: path.read_bytes() for path in before} == before


def test_segmentation_model_is_refused(segpaint, photos: Path):
    image = keras.Input((None, None, 3))
    keras.Model(image, keras.layers.Rescaling(0.5)(image)).save(photos / "model.keras")
    result = segpaint(
        "inpaint",
        photos / "photos",
        "--mask",
        photos / "masks",
        "--out",
        photos / "o",
        "--model",
        photos / "model.keras",
    )
    assert result.exit_code == 1
    assert "holds a segmentation model, this command is for inpainting" in result.stderr


def test_missing_and_foreign_files(tmp_path: Path):
    with pytest.raises(DataError, match="does not exist"):
        read_photograph(tmp_path / "none.png")
    (tmp_path / "text.png").write_text("no image")
    with pytest.raises(DataError, match="cannot be read as an image"):
        read_photograph(tmp_path / "text.png")


def test_files_too_large_for_pillow(photos: Path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    path = photos / "photos" / "a.png"
    for read_file in (
        read_photograph,
        read_image,
        read_mask,
        image_size,
        lambda file: read_hole_mask(file, hole_value=255),
    ):
        with pytest.raises(DataError, match=r"a\.png: .*exceeds limit"):
            read_file(path)


def test_picture_of_different_sizes():
    with pytest.raises(ValueError, match="the same size"):
        before_and_after(np.zeros((4, 4, 3), np.uint8), np.zeros((4, 5)), np.zeros((4, 4, 3), np.uint8))
