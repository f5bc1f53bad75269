"""Photographs by a short text, and their division."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from keras_segpaint.data import load_photographs


def write(folder: Path, names: list[str]) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 6), (len(name), 2, 3)).save(path)
    return folder


def names(spec, split="all", **kwargs) -> list[str]:
    photographs = load_photographs(str(spec), split, **kwargs)
    return [Path(photographs.example_name(index)).name for index in range(len(photographs))]


def test_a_tenth_is_held_out_by_the_seed(tmp_path):
    folder = write(tmp_path / "photos", [f"{index:02d}.png" for index in range(30)])
    train, val = names(folder, "train"), names(folder, "val")
    assert len(val) == 3 and sorted([*train, *val]) == names(folder)
    assert names(folder, "val") == val
    assert any(names(folder, "val", seed=seed) != val for seed in range(1, 4))
    assert names(tmp_path / "photos" / "0*.png", "val").__len__() == 1


def test_folders_that_are_divided(tmp_path):
    folder = write(tmp_path / "divided", ["train/a.png", "train/b.png", "validation/c.png", "test/d.png"])
    assert (names(folder, "train"), names(folder, "val")) == (["a.png", "b.png"], ["c.png"])
    assert sorted(names(folder)) == ["a.png", "b.png", "c.png", "d.png"]


@pytest.mark.parametrize("inside", ["", "train/"])
def test_masks_of_a_segmentation_set_are_no_photographs(tmp_path, inside):
    folder = write(tmp_path / "labelled", [f"{inside}images/{n}.png" for n in "ab"])
    write(folder, [f"{inside}masks/{n}m.png" for n in "ab"] + ([f"val/images/{n}.png" for n in "c"] if inside else []))
    assert names(folder, "train")[0] in ("a.png", "b.png")
    assert sorted(names(folder))[:2] == ["a.png", "b.png"]
    assert not any("m.png" in name for name in names(folder))


def test_several_sources(tmp_path):
    first, second = write(tmp_path / "a,b", ["1.png", "2.png"]), write(tmp_path / "c", ["3.png", "4.png", "5.png"])
    assert names(first) == ["1.png", "2.png"]
    together = f"{second},skimage"
    assert len(names(together)) == 9 and len(names(together, "val")) == 2 and len(names(together, "train")) == 7
    photographs = load_photographs(together)
    np.testing.assert_array_equal(photographs[0].image[0, 0], (5, 2, 3))
    assert photographs[3].image.shape == (512, 512, 3)
    assert "skimage" in photographs.name and str(second) in photographs.name


def test_mistakes(tmp_path):
    folder = write(tmp_path / "one", ["a.png"])
    with pytest.raises(ValueError, match="one photograph"):
        load_photographs(str(folder), "train")
    with pytest.raises(ValueError, match="`split` must be one of"):
        load_photographs(str(folder), "dev")
    with pytest.raises(ValueError, match="must name photographs"):
        load_photographs(" , ")
    with pytest.raises(FileNotFoundError):
        load_photographs(str(tmp_path / "none"))
