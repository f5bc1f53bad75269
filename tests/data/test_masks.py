"""Masks of holes: the published statistics, one seed one result, every polarity of file."""

import cv2
import numpy as np
import pytest
from PIL import Image

from keras_segpaint import data

GENERATORS = {
    "strokes": data.FreeFormMask(),
    "rectangle": data.RectangleMask(margin=0.1),
    "union": data.MaskUnion([data.RectangleMask(), data.FreeFormMask()]),
    "ratio": data.HoleRatioMask(data.FreeFormMask()),
}


@pytest.fixture(params=[*GENERATORS, "irregular"])
def generator(request, tmp_path):
    if request.param != "irregular":
        return GENERATORS[request.param]
    for index, mask in enumerate(data.FreeFormMask().draw((60, 80), count=3)):
        cv2.imwrite(str(tmp_path / f"{index}.png"), mask * 255)
    return data.IrregularMask(tmp_path, hole_value=255)


def test_masks_of_one_seed(generator):
    masks = generator.draw((48, 72), count=4, seed=3)
    assert masks.shape == (4, 48, 72) and masks.dtype == np.uint8
    assert set(np.unique(masks)) == {0, 1}
    np.testing.assert_array_equal(masks[:2], generator.draw((48, 72), count=2, seed=3))
    assert any((masks[0] != mask).any() for mask in masks[1:])
    assert (masks != generator.draw((48, 72), count=4, seed=4)).any()


def test_config_gives_an_equal_generator(generator):
    again = type(generator).from_config(generator.get_config())
    assert repr(again) == repr(generator)
    np.testing.assert_array_equal(again.draw((20, 30), count=2), generator.draw((20, 30), count=2))


def test_strokes_cover_what_the_original_covers():
    """1000 masks of the original at 256: 15.3 % on average, 3.8 %, 14.6 % and 28.7 % at the 5th, 50th, 95th percentile."""
    shares = data.FreeFormMask().draw((256, 256), count=1000).mean(axis=(1, 2))
    assert shares.mean() == pytest.approx(0.153, abs=0.005)
    assert np.percentile(shares, [5, 50, 95]) == pytest.approx([0.038, 0.146, 0.287], abs=0.015)


def test_strokes_grow_with_the_image():
    shares = {side: data.FreeFormMask().draw((side, side), count=300).mean() for side in (64, 256, 512)}
    assert shares[64] == pytest.approx(shares[256], rel=0.03)
    assert shares[512] == pytest.approx(shares[256], rel=0.02)


def test_strokes_reach_everywhere_in_wide_and_high_images():
    for size in ((60, 240), (240, 60)):
        covered = data.FreeFormMask().draw(size, count=300).mean(axis=0)
        assert covered.min() > 0.02
        halves = covered[: size[0] // 2].mean() / covered[size[0] // 2 :].mean()
        assert halves == pytest.approx(1.0, abs=0.2)


def test_union_covers_what_the_original_covers():
    shares = GENERATORS["union"].draw((256, 256), count=300).mean(axis=(1, 2))
    assert shares.mean() == pytest.approx(0.312, abs=0.02)


def test_rectangle_sizes_and_margin():
    masks = data.RectangleMask(margin=0.1).draw((100, 200), count=200)
    for mask in masks:
        rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
        assert mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].all()
        assert 37 <= len(rows) <= 50 and 75 <= len(columns) <= 100
        assert rows[0] >= 10 and rows[-1] < 90 and columns[0] >= 20 and columns[-1] < 180
    assert len({int(mask.sum()) for mask in masks}) > 50


def test_every_bucket_is_met_and_none_is_left():
    shares = data.HoleRatioMask(data.FreeFormMask()).draw((64, 64), count=300).mean(axis=(1, 2))
    counts = [np.sum((shares > low) & (shares <= high)) for low, high in data.HOLE_RATIOS]
    assert sum(counts) == 300
    assert min(counts) > 25


def test_bucket_that_a_generator_cannot_meet():
    narrow = data.HoleRatioMask(data.RectangleMask(), [(0.01, 0.05)])
    with pytest.raises(ValueError, match=r"RectangleMask.* in \(0.01, 0.05\] in 200 draws"):
        narrow.draw((64, 64), count=1)


def test_tiny_sizes(generator):
    for size in ((1, 1), (1, 7), (3, 2)):
        if isinstance(generator, data.HoleRatioMask):
            continue
        assert generator.draw(size, count=2).shape == (2, *size)


def test_irregular_masks_keep_polarity_and_threshold(tmp_path):
    picture = np.full((40, 40), 255, np.uint8)
    picture[10:30, 10:30] = 0
    picture[10:30, 9] = 110
    Image.fromarray(picture).save(tmp_path / "dark.png")
    still = dict(dilation=(0, 0), rotation=0, flip=False, crop=(1, 1))
    dark = data.IrregularMask(tmp_path, hole_value=0, threshold=0.6, **still).draw((40, 40), count=1)[0]
    assert dark.sum() == 400 and dark[10:30, 10:30].all()
    soft = data.IrregularMask(tmp_path, hole_value=0, threshold=0.5, **still).draw((40, 40), count=1)[0]
    assert soft.sum() == 420 and soft[10:30, 9].all()
    bright = data.IrregularMask(tmp_path, hole_value=255, threshold=0.5, **still).draw((40, 40), count=1)[0]
    np.testing.assert_array_equal(bright, 1 - soft)
    grown = data.IrregularMask(tmp_path, hole_value=0, **{**still, "dilation": (0.25, 0.25)})
    assert grown.draw((40, 40), count=1)[0].sum() > 800
    half = data.IrregularMask(tmp_path, hole_value=0, **still).draw((20, 20), count=1)[0]
    assert half.sum() == 100 and half[5:15, 5:15].all()


def test_irregular_masks_are_not_stretched(tmp_path):
    picture = np.zeros((60, 60), np.uint8)
    cv2.circle(picture, (30, 30), 10, 255, -1)
    Image.fromarray(picture).save(tmp_path / "disc.png")
    still = dict(dilation=(0, 0), rotation=0, flip=False, crop=(1, 1))
    for size in ((30, 60), (120, 60)):
        for mask in data.IrregularMask(tmp_path, hole_value=255, **still).draw(size, count=8):
            rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
            whole = rows[0] > 0 and rows[-1] < size[0] - 1 and columns[0] > 0 and columns[-1] < size[1] - 1
            assert not whole or abs(len(rows) - len(columns)) <= 1


def test_rotation_and_crop_vary(tmp_path):
    picture = np.zeros((64, 64), np.uint8)
    picture[:, :8] = 255
    Image.fromarray(picture).save(tmp_path / "bar.png")
    masks = data.IrregularMask(tmp_path, hole_value=255, dilation=(0, 0)).draw((64, 64), count=20)
    assert len({mask.tobytes() for mask in masks}) == 20
    upright = data.IrregularMask(tmp_path, hole_value=255, dilation=(0, 0), rotation=0, crop=(1, 1))
    edges = {(bool(mask[32, 0]), bool(mask[32, 63])) for mask in upright.draw((64, 64), count=20)}
    assert edges == {(True, False), (False, True)}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.array([[True, False]]), [[1, 0]]),
        (np.array([[1, 0]], np.uint8), [[1, 0]]),
        (np.array([[1, 0]], np.int64), [[1, 0]]),
        (np.array([[255, 0]], np.uint8), [[1, 0]]),
        (np.array([[128, 127]], np.uint8), [[1, 0]]),
        (np.array([[65535, 300]], np.uint16), [[1, 0]]),
        (np.array([[0.5, 0.49]]), [[1, 0]]),
        (np.array([[[1.0], [0.0]]], np.float32), [[1, 0]]),
    ],
)
def test_every_kind_of_mask(values, expected):
    assert data.hole_mask(values).tolist() == expected
    assert data.hole_mask(values, hole_value=255).tolist() == expected
    if values.dtype == bool or values.max() in (1, 255, 65535):
        assert (1 - data.hole_mask(values, hole_value=0)).tolist() == expected


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.zeros((2, 3, 3)), r"shape \(2, 3, 3\)"),
        (np.zeros((0, 3)), r"shape \(0, 3\)"),
        (np.array([[0.0, 2.0]]), r"float64 with values in \[0, 2\]"),
        (np.array([[np.nan, 1.0]]), "without NaN"),
        (np.array([[-1, 1]]), r"int64 with values in \[-1, 1\]"),
    ],
)
def test_masks_that_are_none(values, message):
    with pytest.raises(ValueError, match=message):
        data.hole_mask(values)


def test_mask_files_of_every_mode(tmp_path):
    hole = np.zeros((6, 8), np.uint8)
    hole[2:4, 3:6] = 1
    pictures = {
        "1": Image.fromarray(hole.astype(bool)),
        "L": Image.fromarray(hole * 255),
        "RGB": Image.fromarray(np.repeat(hole[..., None] * 255, 3, -1)),
        "I;16": Image.fromarray(hole.astype(np.uint16) * 65535),
        "RGBA white": Image.fromarray(np.dstack([np.full((6, 8, 3), 255, np.uint8), hole * 255])),
        "RGBA opaque": Image.fromarray(np.dstack([np.repeat(hole[..., None] * 255, 3, -1), np.full_like(hole, 255)])),
    }
    palette = Image.fromarray(hole)
    palette.putpalette([0, 0, 0, 255, 255, 255])
    pictures["P"] = palette
    for name, picture in pictures.items():
        path = tmp_path / f"{name.replace(';', '')}.png"
        picture.save(path)
        np.testing.assert_array_equal(data.read_hole_mask(path, hole_value=255), hole, err_msg=name)
        np.testing.assert_array_equal(data.read_hole_mask(path, hole_value=0), 1 - hole, err_msg=name)


def test_unreadable_mask_is_named(tmp_path):
    path = tmp_path / "broken.png"
    path.write_bytes(b"no image")
    with pytest.raises(data.DataError, match=r"broken\.png: cannot be read as a mask"):
        data.read_hole_mask(path, hole_value=255)
    with pytest.raises(data.DataError, match="does not exist"):
        data.read_hole_mask(tmp_path / "none.png", hole_value=255)
    with pytest.raises(FileNotFoundError):
        data.IrregularMask(tmp_path / "nothing", hole_value=255)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: data.FreeFormMask(width=(0.5, 0.1)), r"`width` must be \(lowest, highest\)"),
        (lambda: data.FreeFormMask(strokes=(0, 3)), "`strokes`"),
        (lambda: data.FreeFormMask(angle_range=-1), "`angle_range`"),
        (lambda: data.RectangleMask(height=(0.5, 0.9), margin=0.2), "`margin`"),
        (lambda: data.MaskUnion([]), "`generators`"),
        (lambda: data.HoleRatioMask(data.FreeFormMask(), [(0.2, 0.2)]), "`ratios`"),
        (lambda: data.hole_mask(np.zeros((1, 1)), hole_value=2), "`hole_value` must be 1 or 255"),
        (lambda: data.hole_mask(np.zeros((1, 1)), threshold=0), "`threshold`"),
        (lambda: data.FreeFormMask().draw((0, 3), count=1), "`size`"),
        (lambda: data.FreeFormMask().draw((3, 3), count=-1), "`count`"),
    ],
)
def test_wrong_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()
