"""Figures of predictions, and histograms, draw the numbers that they are given."""

import numpy as np
import pytest

from keras_segpaint import viz
from keras_segpaint.data import ClassCounts, Example, SegmentationDataset


def texts(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_overlay_with_its_legend(rng):
    image = rng.integers(0, 256, (4, 5, 3)).astype("uint8")
    classes = np.zeros((4, 5), int)
    classes[:3, 0], classes[3, 0] = 2, 255
    palette = np.array([[10, 20, 30], [1, 1, 1], [250, 0, 0]])
    figure = viz.plot_overlay(image, classes, ["ground", "absent", "cell"], palette, alpha=0.3)
    assert texts(figure) == ["ground 80.0 %", "cell 15.0 %", "no class 5.0 %"]
    colours = [np.round(255 * np.array(patch.get_facecolor()[:3])) for patch in figure.legends[0].get_patches()]
    np.testing.assert_array_equal(colours, [[10, 20, 30], [250, 0, 0], [128] * 3])
    left, right = figure.axes
    np.testing.assert_array_equal(left.images[0].get_array(), image)
    np.testing.assert_array_equal(right.images[0].get_array(), viz.overlay(image, classes, palette, 0.3))
    with pytest.raises(ValueError, match="1 names, 3 colours"):
        viz.plot_overlay(image, classes, ["ground"], palette)


def test_errors_with_their_shares(rng):
    image = rng.random((2, 5))
    truth = np.array([[0, 1, 1, 1, 255], [0, 0, 0, 0, 255]])
    prediction = np.array([[0, 1, 1, 0, 0], [0, 0, 0, 1, 1]])
    figure = viz.plot_error_map(image, truth, prediction)
    assert texts(figure) == ["right 75.0 %", "wrong 25.0 %", "not judged 20.0 %"]
    np.testing.assert_array_equal(figure.axes[1].images[0].get_array(), viz.error_map(truth, prediction))
    assert texts(viz.plot_error_map(image, truth, prediction, None)) == ["right 60.0 %", "wrong 40.0 %"]
    assert texts(viz.plot_error_map(image, np.full((2, 5), 255), prediction)) == ["not judged 100.0 %"]
    with pytest.raises(ValueError, match="`image` and `truth`"):
        viz.plot_error_map(image[1:], truth, prediction)


def test_uncertainty_has_a_colour_bar(rng):
    values = rng.random((6, 4)) / 100
    figure = viz.plot_uncertainty(rng.random((6, 4, 3)), values, "variance")
    image, drawn, bar = figure.axes
    np.testing.assert_array_equal(drawn.images[0].get_array(), values)
    assert drawn.images[0].get_clim() == (0, values.max())
    assert bar.get_ylim() == pytest.approx((0, values.max()))
    assert (drawn.get_title(), bar.get_ylabel()) == ("variance", "variance")
    with pytest.raises(ValueError, match="`image` and `uncertainty`"):
        viz.plot_uncertainty(np.zeros((2, 2)), values)


class Halves(SegmentationDataset):
    def __len__(self):
        return 3

    def _load(self, index):
        mask = np.zeros((4, 5), np.uint8)
        mask[:index] = 1
        mask[3, :3] = 255
        return Example(mask[..., None], mask, f"{index}")


def test_histogram_of_a_data_set():
    dataset = Halves("halves", ["ground", "cell", "absent"])
    seen = []
    figure = viz.plot_class_histogram(dataset, progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (3, 3)
    left, right = figure.axes
    # 60 pixels, of which 9 are ignored and 15 have class 1.
    np.testing.assert_allclose([bar.get_width() for bar in left.patches], [100 * 36 / 51, 100 * 15 / 51, 0])
    assert [text.get_text() for text in left.texts] == ["70.6 %", "29.4 %", "0 %"]
    assert [bar.get_width() for bar in right.patches] == [3, 2, 0]
    assert [label.get_text() for label in left.get_yticklabels()] == ["ground", "cell", "absent"]
    assert left.get_title() == "% of labelled pixels, 15.0 % of all ignored"
    assert right.get_title() == "in how many of 3 images"
    assert left.yaxis_inverted()


def test_histogram_of_counts_tells_rare_from_absent():
    mask = np.zeros((100, 100), int)
    mask[0, 0] = 1
    counts = ClassCounts.of_masks([mask], 3, ignore_class=255)
    figure = viz.plot_class_histogram(counts, ["a", "b", "c"])
    assert [text.get_text() for text in figure.axes[0].texts] == ["100.0 %", "0.01 %", "0 %"]
    with pytest.raises(ValueError, match="the 3 classes"):
        viz.plot_class_histogram(counts)
    with pytest.raises(ValueError, match="the 3 classes"):
        viz.plot_class_histogram(Halves("halves", ["a", "b", "c"]), ["a"])


def test_histogram_without_labels_is_empty():
    counts = ClassCounts.of_masks([np.full((2, 2), 255)], 2, ignore_class=255)
    figure = viz.plot_class_histogram(counts, ["a", "b"])
    assert [bar.get_width() for bar in figure.axes[0].patches] == [0, 0]
    assert figure.axes[0].get_title() == "% of labelled pixels, 100.0 % of all ignored"
