import numpy as np
import pytest

from keras_segpaint.data import BrainTemplate
from keras_segpaint.data.brain import BLOCKS

pytest.importorskip("nilearn", reason="nilearn is not installed")


def test_slices_and_classes():
    sizes = {split: len(BrainTemplate(split)) for split in ("train", "val", "test", "all")}
    assert sizes == {"train": 88, "val": 12, "test": 30, "all": 130}
    image, mask, name = BrainTemplate("test")[0]
    assert image.shape == (192, 160, 1) and image.dtype == np.uint8 and name == "slice 70"
    assert mask.shape == (192, 160) and np.unique(mask).tolist() == [0, 1, 2, 3]


def test_splits_are_apart():
    """No slice is within four of a slice of another split."""
    positions = {split: np.array(BrainTemplate(split).slices) for split in BLOCKS}
    for split, own in positions.items():
        for other, theirs in positions.items():
            if split != other:
                assert np.abs(own[:, None] - theirs).min() == 5


def test_the_whole_brain_is_inside_the_frame():
    dataset = BrainTemplate("all")
    masks = np.stack([example.mask for example in dataset])
    assert not masks[:, [0, -1]].any() and not masks[:, :, [0, -1]].any()
    assert ((masks > 0).mean(axis=(1, 2)) > 0.005).all()
    dataset.validate()
    share = np.bincount(masks.ravel(), minlength=4) / masks.size
    np.testing.assert_allclose(share[1:].sum(), 0.46, atol=0.06)
    assert share[1:].min() > 0.03


def test_labels_follow_the_tissue():
    """White matter is brightest in a T1 image, grey matter darker, fluid darkest; outside the brain it is
    black."""
    examples = list(BrainTemplate("train"))
    images = np.stack([example.image[..., 0] for example in examples])
    masks = np.stack([example.mask for example in examples])
    medians = [np.median(images[masks == label]) for label in range(4)]
    assert medians[0] == 0 and medians[1] < 130 < medians[2] < 185 < medians[3]


def test_finer_pixels_show_the_same_anatomy():
    coarse, fine = BrainTemplate("val")[3], BrainTemplate("val", pixels_per_mm=2)[3]
    assert fine.image.shape == (384, 320, 1) and fine.mask.shape == (384, 320)
    repeated = coarse.mask.repeat(2, axis=0).repeat(2, axis=1)
    assert (fine.mask == repeated).mean() > 0.96
    assert not fine.image[fine.mask == 0].any()
    jumps = [
        (np.diff(mask, axis=0) != 0).sum() + (np.diff(mask, axis=1) != 0).sum() for mask in (fine.mask, coarse.mask)
    ]
    assert jumps[0] < 2.05 * jumps[1], "smooth boundaries are not longer than twice those of the coarse slices"


def test_bad_arguments():
    with pytest.raises(ValueError, match="pixels_per_mm=0"):
        BrainTemplate("val", pixels_per_mm=0)
    with pytest.raises(ValueError, match="split='dev'"):
        BrainTemplate("dev")
