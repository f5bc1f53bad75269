"""Segmentation of files, folders and patterns."""

import threading

import numpy as np
import pytest

from keras_segpaint.inference import Segmenter, find_images, segment_files
from tests.inference.networks import brightness_model


@pytest.fixture
def image() -> np.ndarray:
    """Dark left, bright right."""
    image = np.full((10, 14, 3), 20, np.uint8)
    image[:, 7:] = 220
    return image


@pytest.fixture
def truth() -> np.ndarray:
    return np.repeat([[0] * 7 + [1] * 7], 10, axis=0)


@pytest.fixture
def folder(tmp_path, image):
    import cv2

    (tmp_path / "night").mkdir()
    cv2.imwrite(str(tmp_path / "b.png"), image)
    cv2.imwrite(str(tmp_path / "night" / "a.JPG"), image)
    (tmp_path / "broken.jpg").write_bytes((tmp_path / "night" / "a.JPG").read_bytes()[:200])
    (tmp_path / "notes.txt").write_text("no image")
    return tmp_path


def test_a_folder_with_an_unreadable_file(folder, truth):
    skipped = []
    with pytest.warns(UserWarning, match="broken.jpg"):
        found = list(segment_files(Segmenter(brightness_model()), folder, probabilities=True, skipped=skipped))
    assert [item.name for item in found] == ["b", "night/a"]
    assert skipped == [folder / "broken.jpg"]
    np.testing.assert_array_equal(found[0].result.classes, truth)
    assert found[0].image.shape == (10, 14, 3) and found[0].path == folder / "b.png"
    np.testing.assert_allclose(found[0].result.probabilities.sum(-1), 1.0, atol=1e-6)
    assert found[0].result.probabilities[0, 0, 0] > 0.9


def test_a_file_and_a_pattern(folder):
    (single,) = segment_files(Segmenter(brightness_model(), size=(20, 28)), folder / "b.png")
    assert single.name == "b" and single.result.probabilities is None and single.result.classes.shape == (10, 14)
    assert find_images(f"{folder}/*.png") == [folder / "b.png"]
    assert find_images(f"{folder}/**/*.JPG") == [folder / "night" / "a.JPG"]
    for nothing in (folder / "missing", f"{folder}/*.txt"):
        with pytest.raises(FileNotFoundError, match="No such file"):
            find_images(nothing)
    (folder / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="has no image"):
        find_images(folder / "empty")


def test_the_next_file_is_read_by_a_thread_while_the_network_runs(folder, monkeypatch):
    from keras_segpaint.inference import files

    (folder / "broken.jpg").unlink()
    second = threading.Event()
    read = files.read_image

    def reading(path, channels):
        if path.name == "a.JPG":
            assert threading.current_thread() is not threading.main_thread()
            second.set()
        return read(path, channels)

    monkeypatch.setattr(files, "read_image", reading)
    found = segment_files(Segmenter(brightness_model()), folder)
    assert next(found).name == "b"
    assert second.wait(5)
    assert next(found).name == "night/a"


def test_what_cannot_be_done_names_the_file(folder):
    with pytest.raises(ValueError, match=r"b\.png: `uncertainty` is"):
        list(segment_files(Segmenter(brightness_model()), folder / "b.png", uncertainty=True))
