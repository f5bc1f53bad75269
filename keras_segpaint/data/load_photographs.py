"""Photographs by a short text, divided into those to train on and those to validate on."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from keras_segpaint.data.dataset import Example, SegmentationDataset
from keras_segpaint.data.layouts import split_folders
from keras_segpaint.data.photographs import Photographs, open_photographs
from keras_segpaint.data.tfds import tfds_splits

__all__ = ["load_photographs"]

HELD_OUT = 0.1
MOST_HELD_OUT = 500

_SPLITS = ("train", "val", "all")


class JoinedPhotographs(Photographs):
    """The photographs of several sets, one set after the other."""

    def __init__(self, parts: Sequence[SegmentationDataset]):
        super().__init__(", ".join(dict.fromkeys(part.name for part in parts)))
        self._places = [(part, index) for part in parts for index in range(len(part))]

    def __len__(self) -> int:
        return len(self._places)

    def example_name(self, index: int) -> str:
        part, place = self._places[index]
        return part.example_name(place)

    def _load(self, index: int) -> Example:
        part, place = self._places[index]
        return part[place]


def load_photographs(spec: str, split: str = "all", *, seed: int = 0) -> SegmentationDataset:
    """Opens photographs for inpainting.

    A folder with subfolders `train/` and `val/`, and a TFDS data set with these splits, are divided by them. Of any other
    source a tenth, drawn by the seed, at least one photograph and at most 500, is `"val"`, the rest `"train"`.

    Args:
        spec: A folder, a pattern such as `"photos/*.jpg"`, `"skimage"`, `"tfds:NAME"`, or several of these with commas
            between them. Of a folder with `images/` and `masks/` the images.
        split: `"train"`, `"val"` or `"all"`. Defaults to `"all"`.
        seed: Integer >= 0, of the division. Defaults to `0`.

    Raises:
        ValueError: If there is no such split, or a single photograph cannot be divided.
        FileNotFoundError: If a folder or pattern stands for no image.
        DataError: If there is no such TFDS data set.

    Example:
        >>> [len(load_photographs("skimage", split)) for split in ("train", "val", "all")]
        [5, 1, 6]
    """
    if split not in _SPLITS:
        raise ValueError(f"`split` must be one of {', '.join(_SPLITS)}. Received: split={split!r}")
    sources = [spec] if Path(spec).exists() else [part.strip() for part in spec.split(",") if part.strip()]
    if not sources:
        raise ValueError(f"`spec` must name photographs. Received: spec={spec!r}")
    parts = [_part(source, split, seed) for source in sources]
    return parts[0] if len(parts) == 1 else JoinedPhotographs(parts)


def _part(source: str, split: str, seed: int) -> SegmentationDataset:
    if source.startswith("tfds:"):
        return _of_tfds(source, split, seed)
    if Path(source).is_dir():
        folders = split_folders(Path(source))
        if "train" in folders and "val" in folders:
            wanted = folders.values() if split == "all" else [folders[split]]
            parts = [open_photographs(folder) for folder in wanted]
            return parts[0] if len(parts) == 1 else JoinedPhotographs(parts)
        return _held_out(open_photographs(folders.get("all", source)), split, seed)
    return _held_out(open_photographs(source), split, seed)


def _of_tfds(source: str, split: str, seed: int) -> SegmentationDataset:
    splits = tfds_splits(source.removeprefix("tfds:"))
    if split == "all":
        return open_photographs(source, "all")
    if "train" in splits and ("val" in splits or "validation" in splits):
        return open_photographs(source, split)
    return _held_out(open_photographs(source, "train" if "train" in splits else "all"), split, seed)


def _held_out(photographs: SegmentationDataset, split: str, seed: int) -> SegmentationDataset:
    """The part of an undivided set that a split stands for."""
    if split == "all":
        return photographs
    count = len(photographs)
    if count < 2:
        raise ValueError(
            f"{photographs.name} has one photograph, which cannot be both trained and validated on. Add photographs, or "
            "name others to validate on."
        )
    order = np.random.default_rng(seed).permutation(count)
    held = min(max(round(count * HELD_OUT), 1), MOST_HELD_OUT)
    return photographs.subset(sorted(order[:held] if split == "val" else order[held:]))
