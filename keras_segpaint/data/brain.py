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
    """Axial slices of the ICBM152 2009a brain with four tissue classes, one grey channel, 192 x 160 pixels of
    1 mm.

    The image is the T1 template; what lies outside its brain mask is black. The labels come from the
    probability maps of grey and white matter that belong to it: inside the brain the label is the most
    probable of grey matter, white matter and neither (fluid, vessels, meninges), outside it is background.
    Nothing is downloaded: nilearn ships the files.

    Args:
        split: `"train"` (88 slices), `"val"` (12), `"test"` (30) or `"all"`. The splits are separate blocks
            of slices with a gap between them. Defaults to `"train"`.

    Raises:
        ValueError: If `split` is something else.
        ImportError: If nilearn is not installed.

    References:
        - Fonov et al. 2011, Unbiased average age-appropriate atlases for pediatric studies.

    Example:
        >>> test = BrainTemplate("test")
        >>> len(test), test[0].image.shape, test.class_names[2]
        (30, (192, 160, 1), 'grey matter')
    """

    def __init__(self, split: str = "train"):
        if split not in (*BLOCKS, "all"):
            raise ValueError(f'`split` must be "train", "val", "test" or "all". Received: split={split!r}')
        super().__init__(f"brain ({split})", CLASS_NAMES, PALETTE)
        chosen = BLOCKS if split == "all" else {split: BLOCKS[split]}
        self.slices = tuple(sorted(z for blocks in chosen.values() for block in blocks for z in block))
        self._volume, self._labels = load_volumes()

    def __len__(self) -> int:
        return len(self.slices)

    def _load(self, index: int) -> Example:
        z = self.slices[index]
        return Example(axial(self._volume, z)[..., None], axial(self._labels, z), f"slice {z}")

    def _load_mask(self, index: int) -> np.ndarray:
        return axial(self._labels, self.slices[index])


@functools.cache
def load_volumes() -> tuple[np.ndarray, np.ndarray]:
    """The T1 template and the labels, cut to the brain, both uint8 `(x, y, z)`."""
    with warnings.catch_warnings():
        # nilearn announces changes of its own interface that do not concern three files read by name.
        warnings.simplefilter("ignore")
        datasets = require("nilearn.datasets", "demo", "The brain template")
        template, grey, white = (
            np.asarray(load(resolution=1).dataobj, np.float32)[COLUMNS, ROWS]
            for load in (
                datasets.load_mni152_template,
                datasets.load_mni152_gm_template,
                datasets.load_mni152_wm_template,
            )
        )
    other = 1.0 - grey - white
    labels = (template > 0).astype(np.uint8)
    labels[(labels > 0) & (grey > other) & (grey >= white)] = 2
    labels[(labels > 0) & (white > other) & (white > grey)] = 3
    return np.rint(template * 255).astype(np.uint8), labels


def axial(volume: np.ndarray, z: int) -> np.ndarray:
    """One slice, the front of the head up."""
    return np.ascontiguousarray(volume[:, :, z].T[::-1])
