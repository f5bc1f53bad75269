"""Tiles along one axis: they cover it, their weights sum to one, and they begin where strides meet."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_segpaint.inference.planes import class_map, to_planes
from keras_segpaint.inference.tiles import Axis, blended_axis, mirrored_part, trimmed_axis


def total(axis: Axis, extent: int) -> np.ndarray:
    weights = np.zeros(extent)
    for span in axis.spans:
        assert span.first >= span.start and span.stop <= min(extent, span.start + axis.length)
        weights[span.first : span.stop] += span.weights
    return weights


@given(
    extent=st.integers(1, 400),
    length=st.integers(1, 200),
    overlap=st.integers(0, 150),
    margin=st.integers(0, 40),
    window=st.sampled_from(["linear", "gaussian"]),
    kind=st.sampled_from([{}, {"adjustable": False}, {"adjustable": False, "mirrored": True, "alignment": 16}]),
)
def test_weights_of_blended_tiles_sum_to_one(extent, length, overlap, margin, window, kind):
    overlap = min(overlap, length - 1)
    margin = min(margin, overlap // 2)
    axis = blended_axis(extent, length, overlap, margin, window, **kind)
    np.testing.assert_allclose(total(axis, extent), 1, atol=1e-5)
    starts = [span.start for span in axis.spans]
    assert starts == sorted(set(starts))
    if kind == {}:
        assert axis.length <= length and starts[-1] + axis.length == extent
        if length - overlap >= 64:
            assert all(start % 32 == 0 for start in starts)
    assert all(axis.length - (b - a) >= overlap for a, b in zip(starts, starts[1:], strict=False))


@given(extent=st.integers(1, 400), length=st.integers(1, 200), margin=st.integers(0, 90), adjustable=st.booleans())
def test_trimmed_tiles_meet_without_overlap(extent, length, margin, adjustable):
    margin = min(margin, (length - 1) // 2)
    axis = trimmed_axis(extent, length, margin, adjustable=adjustable)
    np.testing.assert_array_equal(total(axis, extent), 1)
    assert all(span.first - span.start == margin for span in axis.spans)
    assert all(span.start + axis.length - span.stop >= margin for span in axis.spans)


def test_linear_weights_by_hand():
    first, second = blended_axis(10, 6, overlap=2, alignment=1).spans
    assert (second.start, first.weights.tolist()) == (4, [1, 1, 1, 1, 0.75, 0.25])
    np.testing.assert_allclose(second.weights, [0.25, 0.75, 1, 1, 1, 1])
    first, second = blended_axis(8, 6, overlap=4, margin=1, alignment=1).spans
    np.testing.assert_allclose(first.weights, [1, 1, 1, 0.75, 0.25, 0])


@given(top=st.integers(-30, 30), height=st.integers(1, 40), extent=st.integers(1, 9))
def test_mirroring_is_that_of_numpy(top, height, extent):
    image = np.arange(2 * extent).reshape(extent, 2)
    padded = np.pad(image, ((30, 70), (5, 5)), mode="symmetric")
    np.testing.assert_array_equal(mirrored_part(image, top, -3, height, 6), padded[30 + top :, 2:8][:height])


@pytest.mark.parametrize("shape", [(1, 1, 1), (7, 5, 3), (300, 400, 2), (2, 9000, 300)])
def test_planes_and_their_classes(shape, rng):
    logits = rng.normal(size=shape).astype("float32").round(1)
    planes = to_planes(logits, normalize=False)
    np.testing.assert_array_equal(planes, logits.transpose(2, 0, 1))
    classes = class_map(planes)
    assert classes.dtype == (np.uint8 if shape[2] <= 256 else np.uint16)
    np.testing.assert_array_equal(classes, logits.argmax(-1))
    probabilities = to_planes(logits, normalize=True)
    np.testing.assert_allclose(probabilities.sum(axis=0), 1, atol=1e-5)
    np.testing.assert_allclose(np.log(probabilities[0] / probabilities[-1]), planes[0] - planes[-1], atol=1e-4)
