"""Data that cannot be used: exit code 1, the file's name and a remedy, and nothing written."""

import errno
from collections.abc import Callable
from pathlib import Path

import cv2
import keras
import numpy as np
import pytest

from keras_segpaint.data import FolderDataset
from tests.cli.folders import SIDE, TINY


def remove_mask(folder: Path) -> tuple[str, ...]:
    (folder / "masks" / "03.png").unlink()
    return str(folder / "images" / "03.png"), "has no mask"


def mask_of_other_size(folder: Path) -> tuple[str, ...]:
    cv2.imwrite(str(folder / "masks" / "03.png"), np.zeros((SIDE, SIDE + 1), np.uint8))
    return str(folder / "masks" / "03.png"), "same size"


def coloured_mask(folder: Path) -> tuple[str, ...]:
    cv2.imwrite(str(folder / "masks" / "03.png"), np.full((SIDE, SIDE, 3), (0, 128, 255), np.uint8))
    return str(folder / "masks" / "03.png"), "RGB colours"


def label_out_of_range(folder: Path) -> tuple[str, ...]:
    (folder / "classes.txt").write_text("dark\nmiddle\nbright\n")
    cv2.imwrite(str(folder / "masks" / "03.png"), np.full((SIDE, SIDE), 7, np.uint8))
    return str(folder / "masks" / "03.png"), "labels 7", "0 to 2"


def image_that_is_text(folder: Path) -> tuple[str, ...]:
    (folder / "images" / "03.png").write_text("not an image")
    return (str(folder / "images" / "03.png"),)


def truncated_mask(folder: Path) -> tuple[str, ...]:
    file = folder / "masks" / "03.png"
    file.write_bytes(file.read_bytes()[:60])
    return (str(file),)


def empty_data_set(folder: Path) -> tuple[str, ...]:
    for file in [*(folder / "images").iterdir(), *(folder / "masks").iterdir()]:
        file.unlink()
    return str(folder / "images"), "empty"


def no_mask_folder(folder: Path) -> tuple[str, ...]:
    (folder / "masks").rename(folder / "labels")
    return str(folder), "masks/"


@pytest.mark.parametrize(
    "spoil",
    [
        remove_mask,
        mask_of_other_size,
        coloured_mask,
        label_out_of_range,
        image_that_is_text,
        truncated_mask,
        empty_data_set,
        no_mask_folder,
    ],
)
def test_data_that_cannot_be_used(segpaint, folder: Path, tmp_path: Path, spoil: Callable[[Path], tuple[str, ...]]):
    expected = spoil(folder)
    result = segpaint("train", "SegNetBasic", "--data", folder, "--out", tmp_path / "run", *TINY)
    assert result.exit_code == 1, result.output
    for text in expected:
        assert text in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "run").exists()


def test_missing_folder(segpaint, tmp_path: Path):
    result = segpaint("train", "SegNetBasic", "--data", tmp_path / "nowhere", "--out", tmp_path / "run")
    assert result.exit_code == 1
    assert str(tmp_path / "nowhere") in result.stderr
    assert "images/" in result.stderr


@pytest.mark.filterwarnings("default:Skipped")
def test_image_truncated_after_the_check_is_skipped_and_counted(
    segpaint, folder: Path, tmp_path: Path, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(FolderDataset, "validate", lambda self, progress=None: None)
    file = folder / "images" / "03.png"
    cv2.imwrite(str(file), rng.integers(0, 255, (SIDE, SIDE, 3), np.uint8))
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    result = segpaint("train", "SegNetBasic", "--data", folder, "--out", tmp_path / "run", *TINY)
    assert result.exit_code == 0, result.output
    assert "skipped 1 unreadable image: " in result.stderr
    assert "03.png" in result.stderr
    assert (tmp_path / "run" / "checkpoints" / "best.keras").exists()


def test_full_disk_while_saving(segpaint, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def no_space(self, path, *arguments, **options):
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(keras.Model, "save", no_space)
    result = segpaint("train", "SegNetBasic", "--data", folder, "--out", tmp_path / "run", *TINY)
    assert result.exit_code == 1, result.output
    assert "No space left on device" in result.stderr
    assert str(tmp_path / "run" / "checkpoints" / "last.keras") in result.stderr
    assert "resume with: segpaint train SegNetBasic" in result.stderr
