"""Windows around holes against slices written out, and their gradients."""

import numpy as np
import pytest
from keras import ops

from keras_segpaint.ops.gradients import input_gradient
from keras_segpaint.ops.hole_crops import crop_at, hole_corners

SIZE = (12, 17)
# Rows and columns of each hole, and where windows of 5x6 and of 12x17 begin.
HOLES = {
    "inside": ((3, 8), (6, 11), (3, 5)),
    "even": ((2, 8), (4, 8), (3, 3)),
    "first pixel": ((0, 1), (0, 1), (0, 0)),
    "last pixel": ((11, 12), (16, 17), (7, 11)),
    "everywhere": ((0, 12), (0, 17), (4, 5)),
    "none": ((0, 0), (0, 0), (4, 5)),
}


@pytest.fixture(scope="module")
def masks():
    result = np.zeros((len(HOLES) + 1, *SIZE, 1), "float32")
    for mask, (rows, columns, _) in zip(result, HOLES.values(), strict=False):
        mask[slice(*rows), slice(*columns)] = 1
    # Two spots: the box around both counts.
    result[-1, 1, 15] = result[-1, 9, 5] = 0.5
    return result


def put(maps, data_format):
    return maps if data_format == "channels_last" else np.moveaxis(maps, -1, 1)


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_windows_are_slices(masks, rng, data_format):
    images = rng.normal(size=(*masks.shape[:3], 3)).astype("float32")
    expected = [corner for _, _, corner in HOLES.values()] + [(3, 7)]
    corners = hole_corners(put(masks, data_format), (5, 6), data_format)
    assert list(zip(*(ops.convert_to_numpy(corner).tolist() for corner in corners), strict=True)) == expected
    windows = ops.convert_to_numpy(crop_at(put(images, data_format), corners, (5, 6), data_format))
    slices = np.stack([image[y : y + 5, x : x + 6] for image, (y, x) in zip(images, expected, strict=True)])
    np.testing.assert_array_equal(windows, put(slices, data_format))


def test_a_window_of_the_images_size_is_the_image(masks):
    corners = hole_corners(masks, SIZE, "channels_last")
    np.testing.assert_array_equal(ops.convert_to_numpy(crop_at(masks, corners, SIZE, "channels_last")), masks)


def test_gradients_go_to_the_pixels_of_the_window(masks, rng):
    weights = rng.normal(size=(len(masks), 5, 6, 1)).astype("float32")
    factors = ops.convert_to_tensor(weights)
    corners = hole_corners(masks, (5, 6), "channels_last")
    gradient = input_gradient(lambda x: crop_at(x, corners, (5, 6), "channels_last") * factors, masks)
    expected = np.zeros_like(masks)
    for target, values, y, x in zip(expected, weights, *map(ops.convert_to_numpy, corners), strict=True):
        target[y : y + 5, x : x + 6] = values
    np.testing.assert_allclose(ops.convert_to_numpy(gradient), expected, rtol=1e-6)
