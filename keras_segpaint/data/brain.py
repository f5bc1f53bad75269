"""The MNI ICBM152 brain template that nilearn carries, cut into axial slices."""

import functools
import warnings

import numpy as np

from keras_segpaint.data.dataset import Example, SegmentationDataset
from keras_segpaint.extras import require

__all__ = ["BrainTemplate"]

CLASS_NAMES = ("background", "other brain tissue", "grey matter", "white matter")
PALETTE = np.array([(0, 0, 0), (76, 153, 214), (230, 120, 60), (250, 240, 205)], np.uint8)

# Slices of 1 mm counted from the bottom of the volume. Slices outside 6..147 hold next to no brain.
# Neighbours look alike, so four slices between blocks belong to none. The test block is the middle of the
# brain.
BLOCKS = {
    "train": (range(6, 50), range(104, 148)),
    "val": (range(54, 66),),
    "test": (range(70, 100),),
}

# The brain fills x 26..170 and y 27..207 of the 197 x 233 volume: 192 x 160 pixels hold it.
ROWS, COLUMNS = slice(20, 212), slice(18, 178)


class BrainTemplate(SegmentationDataset):
    """Axial slices of the ICBM152 2009a brain with four tissue classes, one grey channel, 192 x 160 mm.

    The image is the T1 template; what lies outside its brain mask is black. The labels come from the
    probability maps of grey and white matter that belong to it: inside the brain the label is the most
    probable of grey matter, white matter and neither (fluid, vessels, meninges), outside it is background.
    Nothing is downloaded: nilearn ships the files.

    The tissue boundaries of the 1 mm voxels are stairs one pixel high, which a network that works at a fraction of its
    input's resolution cannot follow. With `pixels_per_mm=2` the template and the probability maps are interpolated
    before the labels are taken from them, so the boundaries are smooth.

    Args:
        split: `"train"` (88 slices), `"val"` (12), `"test"` (30) or `"all"`. The splits are separate blocks
            of slices with a gap between them. Defaults to `"train"`.
        pixels_per_mm: Integer >= 1; a slice has 192 by 160 times as many pixels. Defaults to `1`.

    Raises:
        ValueError: If an argument is something else.
        ImportError: If nilearn is not installed.

    References:
        - Fonov et al. 2011, Unbiased average age-appropriate atlases for pediatric studies.

    Example:
        >>> test = BrainTemplate("test")
        >>> len(test), test[0].image.shape, test.class_names[2]
        (30, (192, 160, 1), 'grey matter')
    """

    def __init__(self, split: str = "train", pixels_per_mm: int = 1):
        if split not in (*BLOCKS, "all"):
            raise ValueError(f'`split` must be "train", "val", "test" or "all". Received: split={split!r}')
        if pixels_per_mm < 1:
            raise ValueError(f"`pixels_per_mm` must be an integer >= 1. Received: pixels_per_mm={pixels_per_mm}")
        super().__init__(f"brain ({split})", CLASS_NAMES, PALETTE)
        chosen = BLOCKS if split == "all" else {split: BLOCKS[split]}
        self.slices = tuple(sorted(z for blocks in chosen.values() for block in blocks for z in block))
        self.pixels_per_mm = pixels_per_mm
        self._volumes = load_volumes()

    def __len__(self) -> int:
        return len(self.slices)

    def example_name(self, index: int) -> str:
        return f"slice {self.slices[index]}"

    def _load(self, index: int) -> Example:
        z = self.slices[index]
        template, grey, white = (enlarge(volume[z], self.pixels_per_mm) for volume in self._volumes)
        brain = enlarge((self._volumes[0][z] > 0).astype(np.float32), self.pixels_per_mm) > 0.5
        image = np.where(brain, np.rint(template * 255), 0).astype(np.uint8)
        return Example(image[..., None], tissue_labels(brain, grey, white), self.example_name(index))


@functools.cache
def load_volumes() -> tuple[np.ndarray, ...]:
    """The T1 template and the maps of grey and white matter, cut to the brain, float32 `(z, y, x)` in [0, 1]."""
    with warnings.catch_warnings():
        # nilearn announces changes of its own interface that do not concern three files read by name.
        warnings.simplefilter("ignore")
        datasets = require("nilearn.datasets", "demo", "The brain template")
        loaders = (
            datasets.load_mni152_template,
            datasets.load_mni152_gm_template,
            datasets.load_mni152_wm_template,
        )
        volumes = [np.asarray(load(resolution=1).dataobj, np.float32)[COLUMNS, ROWS] for load in loaders]
    return tuple(np.ascontiguousarray(volume.T[:, ::-1]) for volume in volumes)


def enlarge(values: np.ndarray, factor: int) -> np.ndarray:
    """A slice with `factor` times as many pixels a side, interpolated linearly."""
    import cv2

    if factor == 1:
        return values
    return cv2.resize(values, None, fx=factor, fy=factor, interpolation=cv2.INTER_LINEAR)


def tissue_labels(brain: np.ndarray, grey: np.ndarray, white: np.ndarray) -> np.ndarray:
    """The most probable tissue inside the brain: 1 neither, 2 grey matter, 3 white matter; 0 outside."""
    other = 1.0 - grey - white
    labels = brain.astype(np.uint8)
    labels[brain & (grey > other) & (grey >= white)] = 2
    labels[brain & (white > other) & (white > grey)] = 3
    return labels
