"""Label maps beside images with holes: batches, checks of what users give, and editing."""

import numpy as np
import pytest
from PIL import Image

from keras_segpaint import data

SIZE = (24, 32)


class Stripes(data.SegmentationDataset):
    """Images whose colours say which class each pixel is, with a column that is ignored."""

    def __init__(self, wrong=False, ignore_class=9):
        super().__init__("stripes", ["a", "b", "c"], ignore_class=ignore_class)
        self.wrong = wrong

    def __len__(self):
        return 4

    def _load(self, index):
        mask = np.arange(40)[None] // 14 + np.zeros((30, 1), int)
        mask[:, 5:9] = self.ignore_class
        if self.wrong and index == 1:
            mask[0, 0] = 7
        image = np.where(mask == self.ignore_class, 4, mask)[..., None] * np.array([60, 30, 15])
        return data.Example(image.astype(np.uint8), mask.astype(np.uint8), f"stripe {index}")


def make(dataset=None, **arguments):
    defaults = dict(batch_size=2, size=SIZE, data_format="channels_last", workers=0)
    return data.GuidedInpaintingDataset(dataset or Stripes(), **(defaults | arguments))


@pytest.mark.parametrize("fixed", [True, False])
def test_labels_move_with_their_image(fixed):
    (images, masks, labels), target, weights = make(fixed=fixed)[1]
    assert labels.shape == (2, *SIZE, 1) and labels.dtype == np.int32
    np.testing.assert_array_equal(images, target)
    np.testing.assert_array_equal(masks, weights)
    assert set(np.unique(labels)) <= {0, 1, 2, 255} and 255 in labels
    # Away from borders, where resizing mixes colours.
    expected = np.where(labels == 255, 4, labels)[..., 0]
    told = (images[..., 0] + 1) / 2 * 255 / 60
    assert (np.abs(told - expected) < 0.5).mean() > 0.8


def test_labels_as_targets_in_both_formats():
    (images, masks), target, weights = make(labels="target", fixed=True)[0]
    (first, first_masks, labels), _, _ = make(fixed=True, data_format="channels_first")[0]
    assert set(target) == {"image", "labels"}
    np.testing.assert_array_equal(first.transpose(0, 2, 3, 1), images)
    np.testing.assert_array_equal(labels.transpose(0, 2, 3, 1), target["labels"])
    np.testing.assert_array_equal(first_masks.transpose(0, 2, 3, 1), weights)
    np.testing.assert_array_equal(masks, weights)


def test_images_and_holes_are_those_without_labels():
    (images, masks, _), _, _ = make(seed=3)[0]
    plain = data.InpaintingDataset(Stripes(), batch_size=2, size=SIZE, data_format="channels_last", workers=0, seed=3)
    (others, other_masks), _, _ = plain[0]
    np.testing.assert_array_equal(images, others)
    np.testing.assert_array_equal(masks, other_masks)


def test_an_example_with_labels_that_are_no_classes_is_replaced_and_named():
    batches = make(Stripes(wrong=True), fixed=True)
    with pytest.warns(UserWarning, match="stripe 1: the mask holds the labels 7"):
        (_, _, labels), _, _ = batches[0]
    assert 7 not in labels and batches.skipped == ["stripes[1]"]


def test_wrong_arguments():
    with pytest.raises(ValueError, match="`dataset` must be a segmentation data set"):
        data.GuidedInpaintingDataset("photos", batch_size=1)
    with pytest.raises(ValueError, match="`labels` must be"):
        make(labels="both")


@pytest.mark.parametrize(
    ("labels", "arguments", "message"),
    [
        (np.array([[0, 3], [9, 1]]), {}, "classes 0 to 2, or 255.*the labels 3, 9"),
        (np.array([[0, -1]]), {}, "the labels -1"),
        (np.zeros((4, 5, 3), np.uint8), {}, "colours.*`LabelMap`"),
        (np.zeros(4, np.uint8), {}, "one label for each pixel"),
        (np.array([[0.5]]), {}, "integers"),
        (np.zeros((4, 5), np.uint8), {"size": (5, 5)}, "labels of 5 x 4 pixels, an image of 5 x 5"),
    ],
)
def test_guides_are_checked(labels, arguments, message):
    with pytest.raises(ValueError, match=message):
        data.guide_labels(labels, 3, **arguments)


def test_guides_from_files(tmp_path):
    palette = Image.fromarray(np.array([[0, 1, 200]], np.uint8), "P")
    palette.putpalette(list(range(256)) * 3)
    palette.save(tmp_path / "labels.png")
    assert data.read_guide_labels(tmp_path / "labels.png", 2, ignore_class=200).tolist() == [[0, 1, 255]]
    with pytest.raises(data.DataError, match="labels.png: .*the labels 200"):
        data.read_guide_labels(tmp_path / "labels.png", 2)
    Image.new("RGB", (4, 4)).save(tmp_path / "colours.png")
    with pytest.raises(data.DataError, match="colours.png: .*colours"):
        data.read_guide_labels(tmp_path / "colours.png", 2)


@pytest.fixture
def editor():
    labels = np.zeros((9, 12), np.uint8)
    labels[:, 6:] = 1
    return data.LabelEditor(labels, ["road", "car", "sky"])


def test_painting(editor):
    assert editor.brush([(4, 3)], 2, 2).changed.sum() == 13
    editor.undo().brush([(4, 1), (4, 9)], 0.5, "sky")
    assert np.argwhere(editor.labels == 2).tolist() == [[4, column] for column in range(1, 10)]
    editor.undo().polygon([(0, 0), (0, 4), (4, 0)], 2)
    assert (editor.labels == 2).sum() == 15 and editor.labels[0, 4] == editor.labels[4, 0] == 2
    editor.undo().rectangle((-3, 10), (1, 99), 2)
    assert (editor.labels[:2, 10:] == 2).all() and (editor.labels == 2).sum() == 4
    where = np.zeros((9, 12), bool)
    where[0, 0] = True
    assert editor.fill(where, 255).labels[0, 0] == 255


def test_erasing_swapping_undoing(editor):
    before = editor.labels
    editor.swap("road", "sky")
    assert (editor.labels[:, :6] == 2).all() and (editor.labels[:, 6:] == 1).all()
    editor.erase([(0, 0)], 0.5)
    assert editor.labels[0, 0] == 0 and editor.labels[0, 1] == 2
    assert editor.erase([(0, 0)], 0.5, to="ignore").labels[0, 0] == 255
    assert editor.undo(2).labels[0, 0] == 2
    editor.reset()
    np.testing.assert_array_equal(editor.labels, before)
    assert editor.undo().changed.sum() == 54
    np.testing.assert_array_equal(editor.undo(99).labels, before)
    editor.labels[0, 0] = 5
    assert editor.labels[0, 0] == 0


def test_an_editor_refuses_what_is_no_class(editor):
    with pytest.raises(ValueError, match=r"label=7.*0 \(road\), 1 \(car\), 2 \(sky\)"):
        editor.brush([(0, 0)], 1, 7)
    with pytest.raises(ValueError, match="label='tree'"):
        editor.swap("road", "tree")
    with pytest.raises(ValueError, match="`radius`"):
        editor.brush([(0, 0)], 0, 1)
    with pytest.raises(ValueError, match="at least 3 pairs"):
        editor.polygon([(0, 0), (1, 1)], 1)
    with pytest.raises(ValueError, match='"original" or "ignore"'):
        editor.erase([(0, 0)], 1, to="nothing")
    with pytest.raises(ValueError, match="shape"):
        editor.fill(np.ones((2, 2)), 1)
    with pytest.raises(ValueError, match="the labels 4"):
        data.LabelEditor(np.full((2, 2), 4), 3)
    with pytest.raises(ValueError, match="colours"):
        data.LabelEditor(np.zeros((2, 2, 3), np.uint8), 3)
    assert editor.changed.sum() == 0
