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


@pytest.fixture
def wide(tmp_path: Path, rng: np.random.Generator) -> Path:
    """An image of another size than the run was trained at."""
    path = tmp_path / "wide.png"
    Image.fromarray(rng.integers(0, 256, (40, 75, 3), np.uint8)).save(path)
    return path


def test_tiles_passes_and_more_results(segpaint, trained, wide: Path, tmp_path: Path):
    import keras

    from keras_segpaint.inference import Segmenter

    for kind, load in (("npy", np.load), ("npz", lambda file: np.load(file)["probabilities"])):
        out = tmp_path / kind
        options = [
            "--tile",
            "32x48",
            "--overlap",
            "0.5",
            "--window",
            "gaussian",
            "--scales",
            "1,1.5",
            "--flip",
            "horizontal",
        ]
        options += ["--uncertainty", "--probabilities", kind, "--as", "raw", "--batch-size", "2"]
        result = segpaint("predict", trained[0], wide, "--out", out, *options)
        assert result.exit_code == 0, result.output
        names = sorted(path.name for path in out.iterdir())
        assert names == ["wide.png", f"wide_probabilities.{kind}", "wide_uncertainty.png"]
        model = keras.saving.load_model(trained[0] / "checkpoints" / "best.keras", compile=False)
        segmenter = Segmenter(model, tile=(32, 48), overlap=0.5, window="gaussian", scales=(1, 1.5), flips="horizontal")
        with Image.open(wide) as picture:
            expected = segmenter(np.array(picture), probabilities=True, uncertainty=True)
        np.testing.assert_allclose(load(out / names[1]), expected.probabilities, atol=1e-5)
        with Image.open(out / "wide.png") as picture:
            np.testing.assert_array_equal(np.array(picture), expected.classes)
        with Image.open(out / "wide_uncertainty.png") as picture:
            spread = np.array(picture).astype(float) / 65535 * 0.25
        np.testing.assert_allclose(spread, expected.uncertainty, atol=1e-5)


def test_overlap_tile_within_memory(segpaint, trained, wide: Path, tmp_path: Path):
    options = ["--mode", "overlap_tile", "--margin", "8", "--max-memory", "500", "--argmax", "before"]
    result = segpaint("predict", trained[0], wide, "--out", tmp_path / "out", "--as", "raw", *options)
    assert result.exit_code == 0, result.output
    with Image.open(tmp_path / "out" / "wide.png") as picture:
        assert picture.size == (75, 40)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--tile", "8x8", "--overlap", "8"], "wide.png: `overlap` must be at least"),
        (["--tile", "eight"], "HEIGHTxWIDTH"),
        (["--overlap", "1.5"], "must be pixels"),
        (["--scales", "1,x"], "must be factors above 0"),
        (["--uncertainty"], "`uncertainty` is the variance over several passes"),
        (["--samples", "3"], "must have a dropout layer"),
        (["--flip", "sideways"], "sideways"),
        (
            ["--tile", "512x512", "--mode", "overlap_tile", "--margin", "8", "--max-memory", "1"],
            "wide.png: `max_memory` is too small for an image of 40 x 75 pixels in tiles of 512 x 512",
        ),
    ],
)
def test_options_that_do_not_fit_are_explained(segpaint, trained, wide: Path, tmp_path: Path, options, message):
    result = segpaint("predict", trained[0], wide, "--out", tmp_path / "out", *options)
    assert result.exit_code in (1, 2)
    assert message in " ".join(result.stderr.replace("│", " ").split())
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "out" / "wide.png").exists()


def test_an_image_beyond_the_limit_of_pillow(segpaint, trained, wide: Path, tmp_path: Path, monkeypatch):
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    result = segpaint("predict", trained[0], wide, "--out", tmp_path / "out", "--tile", "32x32")
    assert result.exit_code == 0, result.output
    assert Image.MAX_IMAGE_PIXELS == 1000


def test_samples_of_dropout_write_their_uncertainty(segpaint, wide: Path, tmp_path: Path):
    import keras

    from keras_segpaint.inference import Segmenter
    from keras_segpaint.models import SegNetBasic

    keras.utils.set_random_seed(0)
    model = SegNetBasic(3, base_filters=2, bayesian=True)
    model.save(tmp_path / "model.keras")
    options = ["--samples", "3", "--seed", "4"]
    result = segpaint("predict", tmp_path / "model.keras", wide, "--out", tmp_path / "out", *options)
    assert result.exit_code == 0, result.output
    with Image.open(wide) as picture:
        expected = Segmenter(model, samples=3, seed=4)(np.array(picture), uncertainty=True)
    with Image.open(tmp_path / "out" / "wide_uncertainty.png") as picture:
        spread = np.array(picture).astype(float) / 65535 * 0.25
    np.testing.assert_allclose(spread, expected.uncertainty, atol=1e-5)
    assert spread.max() > 1e-4


def test_a_dense_crf_refines(segpaint, trained, shapes: Path, tmp_path: Path):
    import keras

    from keras_segpaint.inference import BilateralPairwise, GaussianPairwise, Segmenter, dense_crf

    image = shapes / "images" / "00.png"
    model = keras.saving.load_model(trained[0] / "checkpoints" / "best.keras", compile=False)
    with Image.open(image) as picture:
        pixels = np.array(picture.convert("RGB"))
    terms = [GaussianPairwise(2, 1), BilateralPairwise(sxy=9, srgb=20, compat=4)]
    chosen = ["--crf-iterations", 2, "--crf-gaussian", 2, 1, "--crf-bilateral", 9, 20, 4]
    found = []
    for options, crf in (([], dense_crf), (chosen, lambda p, x: dense_crf(p, x, terms, 2))):
        result = segpaint("predict", trained[0], image, "--out", tmp_path, "--crf", *options, "--probabilities", "npy")
        assert result.exit_code == 0, result.output
        found.append(np.load(tmp_path / "00_probabilities.npy"))
        expected = Segmenter(model, crf=crf)(pixels, probabilities=True)
        np.testing.assert_allclose(found[-1], expected.probabilities, atol=1e-4)
    assert np.abs(found[0] - found[1]).max() > 1e-3
    wrong = segpaint("predict", trained[0], image, "--out", tmp_path, "--crf", "--crf-gaussian", 0, 3)
    assert wrong.exit_code == 1 and "`sxy` must be" in wrong.stderr
