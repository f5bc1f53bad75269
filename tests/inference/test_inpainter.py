"""The inpainter: known pixels keep their bits, sizes and types of all kinds, holes in large photographs."""

import time
import tracemalloc

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import layers, ops

from keras_segpaint import data, models
from keras_segpaint.inference import Inpainter
from keras_segpaint.inference.fillers import Filler
from keras_segpaint.inference.windows import hole_windows

LAST = dict(data_format="channels_last")


@keras.saving.register_keras_serializable(package="tests")
class KnownMean(layers.Layer):
    """The mean of the known pixels in a square around each pixel."""

    def __init__(self, side: int, **kwargs):
        super().__init__(**kwargs)
        self.side = side

    def call(self, image, mask):
        def blur(x):
            # Two pools of one axis each: JAX takes minutes for a square of this size.
            for window in ((self.side, 1), (1, self.side)):
                x = ops.average_pool(x, window, strides=1, padding="same", **LAST)
            return x

        return blur(image * (1 - mask)) / (blur(1 - mask) + 1e-6)

    def get_config(self):
        return {**super().get_config(), "side": self.side}


def mean_model(side=31, size=(None, None)):
    image, mask = keras.Input((*size, 3)), keras.Input((*size, 1))
    model = keras.Model([image, mask], KnownMean(side)(image, mask))
    model.size_multiple = 1
    return model


def constant_model(value=0.5, multiple=8):
    """Gives half of each known pixel, `value` in each hole, and fails for sizes that are no multiples."""
    image, mask = keras.Input((None, None, 3)), keras.Input((None, None, 1))
    # A hole reaches the model as 0.
    filled = layers.Rescaling(0.5)(image) + layers.Rescaling(value)(mask)
    coarse = layers.UpSampling2D(multiple, **LAST)(layers.AveragePooling2D(multiple, **LAST)(filled))
    model = keras.Model([image, mask], filled + 0 * coarse)
    model.size_multiple = multiple
    return model


def left_neighbour_model():
    image, mask = keras.Input((None, None, 3)), keras.Input((None, None, 1))
    shifted = layers.ZeroPadding2D(((0, 0), (1, 0)), **LAST)(image)
    model = keras.Model([image, mask], layers.Cropping2D(((0, 0), (0, 1)), **LAST)(shifted))
    model.size_multiple = 1
    return model


@pytest.fixture(scope="module")
def constant():
    return Inpainter(constant_model())


@pytest.fixture(scope="module")
def mean():
    return Inpainter(mean_model())


def hole_in(shape, rows=(0.3, 0.7), columns=(0.4, 0.8)):
    mask = np.zeros(shape[:2], np.uint8)
    bounds = [int(part * extent) for extent, limits in zip(shape, (rows, columns), strict=False) for part in limits]
    mask[bounds[0] : bounds[1], bounds[2] : bounds[3]] = 1
    return mask


IMAGES = {
    "uint8 RGB": ((37, 50, 3), np.uint8),
    "uint8 grey": ((21, 30), np.uint8),
    "uint8 grey, one channel": ((21, 30, 1), np.uint8),
    "uint8 RGBA": ((20, 33, 4), np.uint8),
    "uint8 grey and opacity": ((20, 33, 2), np.uint8),
    "uint16 RGB": ((19, 24, 3), np.uint16),
    "uint16 grey": ((19, 24), np.uint16),
    "float32 RGB": ((16, 24, 3), np.float32),
    "float64 grey": ((16, 24), np.float64),
    "float16 RGB": ((16, 24, 3), np.float16),
}


def random_image(shape, dtype, rng):
    if np.issubdtype(dtype, np.floating):
        return rng.random(shape).astype(dtype)
    return rng.integers(0, np.iinfo(dtype).max, shape, endpoint=True).astype(dtype)


@pytest.mark.parametrize("kind", IMAGES)
def test_every_kind_of_image(constant, rng, kind):
    shape, dtype = IMAGES[kind]
    image = random_image(shape, dtype, rng)
    before = image.copy()
    mask = hole_in(shape)
    filled = constant(image, mask)
    assert filled.shape == shape and filled.dtype == dtype
    np.testing.assert_array_equal(image, before)
    np.testing.assert_array_equal(filled[mask == 0], image[mask == 0])
    top = 1 if np.issubdtype(dtype, np.floating) else np.iinfo(dtype).max
    colours = filled if filled.ndim == 2 else filled[..., : 3 if shape[-1] >= 3 else 1]
    # The model's 0.5 in [-1, 1] is three quarters of the range.
    np.testing.assert_allclose(colours[mask > 0], 0.75 * top, atol=0.51 if top > 1 else 1e-3)
    if len(shape) == 3 and shape[-1] in (2, 4):
        np.testing.assert_array_equal(filled[..., -1], image[..., -1])


@pytest.mark.parametrize("kind", ["Boolean", "255", "black", "grey edges", "float", "one channel"])
def test_every_kind_of_mask(constant, rng, kind):
    image = rng.integers(0, 256, (24, 31, 3)).astype(np.uint8)
    hole = hole_in(image.shape)
    edge = np.zeros_like(hole)
    edge[6, 12:24] = 1
    mask, hole_value = {
        "Boolean": (hole > 0, 1),
        "255": (hole * 255, 255),
        "black": (255 - hole * 255, 0),
        "grey edges": (hole * 255 + edge * 100, 1),
        "float": (hole.astype(np.float32), 1),
        "one channel": (hole[..., None], 1),
    }[kind]
    filled = constant(image, mask, hole_value)
    np.testing.assert_array_equal((filled != image).any(-1) | (hole == 0), np.ones_like(hole, bool))
    np.testing.assert_array_equal(filled[hole == 0], image[hole == 0])
    assert set(np.unique(filled[hole > 0])) == {191}


def test_fill_is_in_the_right_place(mean):
    """The mean of the surroundings of a hole in a ramp is the ramp, wherever the windows lie."""
    rows, columns = np.mgrid[0:700, 0:900]
    image = np.stack([rows / 700, columns / 900, (rows + columns) / 1600], axis=-1).astype(np.float32)
    mask = np.zeros((700, 900), np.uint8)
    for row, column in ((30, 40), (350, 450), (660, 870), (20, 870), (500, 60)):
        mask[row - 5 : row + 6, column - 5 : column + 6] = 1
    for inpainter in (mean, Inpainter(mean.filler.model, context=20, smallest=48)):
        filled = inpainter(image, mask)
        np.testing.assert_array_equal(filled[mask == 0], image[mask == 0])
        assert np.abs(filled - image).max() < 0.012


def test_parts_that_are_too_large_are_made_smaller(mean):
    rows, columns = np.mgrid[0:300, 0:400]
    image = np.stack([rows / 300, columns / 400, np.full(rows.shape, 0.3)], axis=-1).astype(np.float32)
    mask = np.zeros((300, 400), np.uint8)
    mask[100:120, 20:380] = 1
    inpainter = Inpainter(mean.filler.model, max_pixels=10_000)
    filled = inpainter(image, mask)
    np.testing.assert_array_equal(filled[mask == 0], image[mask == 0])
    assert np.abs(filled - image).max() < 0.05
    assert np.abs(filled - image)[mask > 0].max() > 0


def test_models_of_one_size():
    inpainter = Inpainter(mean_model(15, size=(32, 48)))
    rng = np.random.default_rng(0)
    for shape in ((32, 48, 3), (20, 30, 3), (90, 40, 3), (64, 200, 3)):
        image = np.full(shape, 100, np.uint8)
        mask = hole_in(shape, (0.4, 0.5), (0.45, 0.55))
        image[mask > 0] = rng.integers(0, 256, (int(mask.sum()), 3))
        filled = inpainter(image, mask)
        np.testing.assert_allclose(filled, 100, atol=1)


def test_sizes_that_are_no_multiple_and_tiny_images(constant):
    for shape in ((1, 1, 3), (1, 9, 3), (2, 3, 3), (7, 1, 3), (13, 17, 3)):
        image = np.full(shape, 9, np.uint8)
        mask = np.zeros(shape[:2], np.uint8)
        np.testing.assert_array_equal(constant(image, mask), image)
        mask[0, 0] = 1
        with pytest.warns(UserWarning, match="100% of the image") if mask.all() else _nothing():
            filled = constant(image, mask)
        assert filled[0, 0].tolist() == [191] * 3
        np.testing.assert_array_equal(filled[mask == 0], image[mask == 0])


def _nothing():
    import contextlib

    return contextlib.nullcontext()


def test_images_without_holes_are_returned_untouched(constant, rng):
    image = rng.integers(0, 256, (9, 12, 3)).astype(np.uint8)
    for mask in (None, np.zeros((9, 12), bool)):
        filled = constant(image, mask)
        np.testing.assert_array_equal(filled, image)
        assert filled is not image


def test_full_mask_warns_and_fills(constant):
    image = np.zeros((9, 12, 3), np.uint8)
    with pytest.warns(UserWarning, match="100% of the image is a hole. If the mask is the other way round"):
        filled = constant(image, np.ones((9, 12)))
    assert (filled == 191).all()
    almost = np.ones((20, 20))
    almost[0, :21] = 0
    with pytest.warns(UserWarning, match="95%") if almost.mean() > 0.95 else _nothing():
        constant(np.zeros((20, 20, 3), np.uint8), almost)


@pytest.mark.parametrize("method", ["telea", "ns", "biharmonic"])
def test_full_mask_has_nothing_to_start_from(method):
    if method == "biharmonic":
        pytest.importorskip("skimage")
    with pytest.warns(UserWarning, match="100%"), pytest.raises(ValueError, match="nothing to fill it from"):
        Inpainter(method)(np.zeros((9, 12, 3), np.uint8), np.ones((9, 12)))


def test_nan_in_the_hole_and_outside(constant, rng):
    image = rng.random((16, 24, 3)).astype(np.float32)
    mask = hole_in(image.shape)
    image[mask > 0] = np.nan
    image[mask.astype(bool) & (np.arange(24) == 12)] = [np.inf, 1e30, -5]
    filled = constant(image, mask)
    np.testing.assert_allclose(filled[mask > 0], 0.75, atol=1e-6)
    np.testing.assert_array_equal(filled[mask == 0], image[mask == 0])
    image[1, 2] = np.nan
    with pytest.raises(ValueError, match=r"1 known pixels that are NaN or out of range, the first in row 1, column 2"):
        constant(image, mask)
    with pytest.raises(ValueError, match="must be in"):
        constant(np.full((9, 9, 3), 200.0), np.eye(9))


@pytest.mark.parametrize(
    ("image", "mask", "message"),
    [
        (np.zeros((9, 12, 3), np.uint8), np.zeros((12, 9)), "a mask of 9 x 12 pixels, an image of 12 x 9"),
        (np.zeros((9, 12, 5), np.uint8), np.zeros((9, 12)), r"shape \(9, 12, 5\)"),
        (np.zeros((0, 12, 3), np.uint8), None, r"shape \(0, 12, 3\)"),
        (np.zeros((9, 12, 3), np.int64), np.zeros((9, 12)), "dtype int64"),
        (np.zeros((9, 12, 3), np.uint8), np.zeros((9, 12, 3)), r"a mask of shape \(9, 12, 3\)"),
        (np.zeros((9, 12, 3), np.uint8), np.full((9, 12), 7.5), r"values in \[7.5, 7.5\]"),
        ([np.zeros((9, 12, 3), np.uint8)] * 2, [None], "1 masks for 2 images"),
    ],
)
def test_images_and_masks_that_cannot_be(constant, image, mask, message):
    with pytest.raises(ValueError, match=message):
        constant(image, mask)


def test_wrong_polarity_is_an_error_or_a_warning(constant):
    image = np.zeros((40, 40, 3), np.uint8)
    mask = np.zeros((40, 40), np.uint8)
    mask[3, 3] = 255
    with pytest.warns(UserWarning, match="give the other `hole_value`"):
        constant(image, mask, hole_value=0)
    with pytest.raises(ValueError, match="`hole_value` must be 1 or 255"):
        constant(image, mask, hole_value=128)


def test_batches(constant, rng):
    images = rng.integers(0, 256, (5, 20, 24, 3)).astype(np.uint8)
    masks = np.stack([np.roll(hole_in((20, 24)), shift, 0) for shift in range(5)])
    masks[3] = 0
    one_by_one = np.stack([constant(image, mask) for image, mask in zip(images, masks, strict=True)])
    np.testing.assert_array_equal(constant(images, masks), one_by_one)
    np.testing.assert_array_equal(constant(images, masks[..., None]), one_by_one)
    same_mask = constant(images, masks[0])
    np.testing.assert_array_equal(same_mask[2], constant(images[2], masks[0]))
    mixed = constant([images[0], images[1, :9, :13], images[2, ..., 0]], [masks[0], None, masks[2]])
    np.testing.assert_array_equal(mixed[0], one_by_one[0])
    np.testing.assert_array_equal(mixed[1], images[1, :9, :13])
    assert mixed[2].shape == (20, 24)
    assert constant([], []) == []


def test_dilation_and_feathering(constant):
    model = constant.filler.model
    image = np.full((40, 40, 3), 51, np.uint8)
    mask = np.zeros((40, 40), np.uint8)
    mask[18:22, 18:22] = 1
    distance = np.hypot(*(np.maximum(np.abs(axis - 19.5) - 1.5, 0) for axis in np.mgrid[0:40, 0:40]))
    grown = Inpainter(model, dilation=6)(image, mask)[..., 0]
    np.testing.assert_array_equal(grown == 191, distance <= 6)
    np.testing.assert_array_equal(grown[distance > 6], 51)
    soft = Inpainter(model, dilation=6, feather=6)(image, mask)[..., 0]
    assert (soft[mask > 0] == 191).all()
    np.testing.assert_array_equal(soft[distance > 6], 51)
    along = soft[20, 21:30].astype(int)
    assert (np.diff(along[:8]) < 0).all() and 51 < along[6] < 80
    with pytest.raises(ValueError, match="`feather` in"):
        Inpainter(model, feather=2)


def test_classical_methods(rng):
    pytest.importorskip("skimage")
    ramp = np.tile(np.linspace(40, 200, 48), (40, 1))
    mask = np.zeros((40, 48), np.uint8)
    mask[15:22, 20:28] = 1
    for method, tolerance in (("telea", 25), ("ns", 25), ("biharmonic", 2)):
        for image in (np.rint(np.dstack([ramp] * 3)).astype(np.uint8), (ramp * 257).astype(np.uint16), ramp / 255):
            damaged = image.copy()
            damaged[mask > 0] = 0
            filled = Inpainter(method)(damaged, mask)
            np.testing.assert_array_equal(filled[mask == 0], image[mask == 0])
            scale = {np.dtype(np.uint8): 1, np.dtype(np.uint16): 257}.get(image.dtype, 1 / 255)
            assert np.abs(filled.astype(float) - image)[mask > 0].max() / scale < tolerance
    with pytest.raises(ValueError, match="`method` must be one of telea, ns, biharmonic"):
        Inpainter("patchmatch")


def test_large_photograph_with_a_small_hole(mean):
    image = np.full((3000, 4000, 3), 90, np.uint8)
    mask = np.zeros((3000, 4000), np.uint8)
    mask[1500:1540, 2000:2060] = 1
    image[mask > 0] = 0
    mean(image[:700, :700], np.eye(700))
    tracemalloc.start()
    began = time.perf_counter()
    filled = mean(image, mask)
    seconds, peak = time.perf_counter() - began, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert seconds < 10
    # The copy that is returned takes 36 MB.
    assert peak < 150e6
    np.testing.assert_array_equal(filled[mask == 0], 90)
    assert (np.abs(filled[1500:1503, 2000:2060].astype(int) - 90) <= 1).all()


def test_windows_hold_every_hole_once():
    rng = np.random.default_rng(1)
    for _ in range(20):
        height, width = rng.integers(1, 400, 2)
        mask = np.zeros((height, width), np.uint8)
        for _ in range(rng.integers(1, 12)):
            row, column = rng.integers(height), rng.integers(width)
            mask[row : row + rng.integers(1, 40), column : column + rng.integers(1, 40)] = 1
        windows = hole_windows(mask, context=int(rng.integers(1, 40)), smallest=64, max_pixels=20_000, multiple=8)
        count = np.zeros_like(mask)
        for window in windows:
            count[window.rows, window.columns] += window.own
            assert window.size[0] >= min(64, height) and window.size[1] >= min(64, width)
        np.testing.assert_array_equal(count, mask)


class Sentinel(Filler):
    """Fills with 0.5, in half of [-1, 1], and checks what it is given."""

    def __init__(self, multiple, fixed):
        self.multiple, self.fixed_size = multiple, fixed

    def fill(self, images, masks, labels=None):
        assert labels is None
        assert images.dtype == masks.dtype == np.float32
        assert images.shape[:3] == masks.shape[:3] and images.shape[3] == 3 and masks.shape[3] == 1
        for side, fixed in zip(images.shape[1:3], self.fixed_size, strict=True):
            assert side == fixed if fixed else side % self.multiple == 0
        assert ((masks == 0) | (masks == 1)).all() and masks.any(axis=(1, 2, 3)).all()
        assert (images * masks == 0).all() and np.abs(images).max(initial=0) <= 1
        return np.full_like(images, 0.5) - images


@pytest.mark.filterwarnings("ignore:.*of the image is a hole")
@settings(deadline=None, max_examples=120, derandomize=True)
@given(
    seed=st.integers(0, 2**32),
    height=st.integers(1, 90),
    width=st.integers(1, 90),
    channels=st.sampled_from([None, 1, 2, 3, 4]),
    dtype=st.sampled_from(["uint8", "uint16", "float32", "float64"]),
    dilation=st.integers(0, 6),
    context=st.integers(1, 40),
    smallest=st.sampled_from([1, 16, 64, 512]),
    max_pixels=st.sampled_from([1, 100, 1000, 10**6]),
    multiple=st.sampled_from([1, 4, 8, 32]),
    fixed=st.sampled_from([(None, None), (32, 64)]),
)
def test_known_pixels_keep_their_bits(
    seed, height, width, channels, dtype, dilation, context, smallest, max_pixels, multiple, fixed
):
    rng = np.random.default_rng(seed)
    shape = (height, width) if channels is None else (height, width, channels)
    image = random_image(shape, np.dtype(dtype), rng)
    mask = rng.random((height, width)) < rng.choice([0.001, 0.02, 0.5])
    mask[: rng.integers(height + 1), : rng.integers(width + 1)] |= rng.random() < 0.3
    feather = int(rng.integers(dilation + 1))
    inpainter = Inpainter(
        "telea",
        dilation=dilation,
        feather=feather,
        context=context,
        smallest=smallest,
        max_pixels=max_pixels,
        batch_size=2,
    )
    inpainter.filler = Sentinel(multiple, fixed)
    if dtype.startswith("float"):
        image[mask] = np.nan
    filled = inpainter(image, mask)
    away = np.ones_like(mask)
    for row, column in np.argwhere(mask):
        rows, columns = np.ogrid[:height, :width]
        away &= (rows - row) ** 2 + (columns - column) ** 2 > dilation**2
    assert filled.shape == image.shape and filled.dtype == image.dtype
    assert filled[away].tobytes() == image[away].tobytes()
    colours = filled[mask] if channels is None else filled[mask][:, : 3 if channels in (3, 4) else 1]
    top = 1 if dtype.startswith("float") else np.iinfo(dtype).max
    assert np.isfinite(colours).all()
    if colours.size and max_pixels == 10**6 and fixed == (None, None):
        assert np.abs(colours / top - 0.75).max() < 0.01


def test_channels_first(rng):
    image, mask = keras.Input((3, None, None)), keras.Input((1, None, None))
    model = keras.Model([image, mask], layers.Rescaling(0.5)(image) + layers.Rescaling(0.5)(mask))
    model.data_format = "channels_first"
    photo = rng.integers(0, 256, (20, 26, 3)).astype(np.uint8)
    hole = hole_in(photo.shape)
    filled = Inpainter(model)(photo, hole)
    np.testing.assert_array_equal(filled, np.where(hole[..., None] > 0, 191, photo))


def test_real_photographs(shared, rng):
    """A classical method comes near to the photograph, and nearer the smaller the hole is."""
    folder = shared / "data" / "grocery_photos"
    if not folder.is_dir():
        pytest.skip(f"no real images: {folder} is not there")
    photographs = data.PhotographFolder(folder)
    assert len(photographs) == 405
    means = []
    for side in (6, 30):
        errors = []
        for index in range(0, 400, 50):
            photo = photographs[index].image[:300, :300]
            mask = np.zeros(photo.shape[:2], np.uint8)
            mask[150 : 150 + side, 150 : 150 + side] = 1
            filled = Inpainter("telea")(photo, mask)
            np.testing.assert_array_equal(filled[mask == 0], photo[mask == 0])
            errors.append(((filled.astype(float) - photo)[mask > 0] ** 2).mean())
        means.append(np.median(errors))
    assert means[0] < means[1] < 4000


def test_scattered_holes_stay_at_full_resolution(mean):
    mask = np.zeros((1200, 1600), np.uint8)
    mask[::100, ::100] = 1
    windows = hole_windows(mask, context=64, smallest=128, max_pixels=400_000)
    assert 1 < len(windows)
    assert max(window.size[0] * window.size[1] for window in windows) <= 400_000


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Inpainter("telea", context=0), "`context`"),
        (lambda: Inpainter("telea", batch_size=0), "`batch_size`"),
        (lambda: Inpainter("telea", dilation=-1), "`dilation`"),
        (lambda: Inpainter(keras.Sequential([keras.Input((4, 4, 3)), layers.Flatten()])), "two inputs"),
        (lambda: Inpainter(mean_of_half_size())(np.zeros((8, 8, 3), np.uint8), np.eye(8)), "size of its input"),
        (lambda: Inpainter(diverged())(np.zeros((8, 8, 3), np.uint8), np.eye(8)), "gave NaN"),
    ],
)
def test_wrong_arguments(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def mean_of_half_size():
    image, mask = keras.Input((None, None, 3)), keras.Input((None, None, 1))
    return keras.Model([image, mask], layers.AveragePooling2D(2, **LAST)(KnownMean(3)(image, mask)))


def diverged():
    image, mask = keras.Input((None, None, 3)), keras.Input((None, None, 1))
    return keras.Model([image, mask], layers.Rescaling(float("nan"))(KnownMean(3)(image, mask)))


@pytest.mark.parametrize("size", [(1, 2), (37, 50)])
def test_deepfill_takes_any_image(size):
    model = models.DeepFillV2(cnum=4, both_stages=True)
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (*size, 3)).astype("uint8")
    mask = np.zeros(size, bool)
    mask[:, : size[1] // 2] = True
    filled = Inpainter(model)(image, mask)
    assert filled.shape == image.shape
    assert filled.dtype == np.uint8
    np.testing.assert_array_equal(filled[~mask], image[~mask])
    assert (filled[mask] != image[mask]).any()


def test_flips_give_the_mean_of_all_fills(rng):
    model = left_neighbour_model()
    image = rng.random((7, 9, 3), dtype="float32")
    mask = np.zeros((7, 9), np.uint8)
    mask[3, 4] = 1
    left, right = image[3, 3], image[3, 5]
    for flips, wanted in (
        (False, left),
        ("horizontal", (left + right) / 2),
        ("vertical", left),
        ("both", (left + right) / 2),
    ):
        filled = Inpainter(model, flips=flips)(image, mask)
        np.testing.assert_allclose(filled[3, 4], wanted, atol=1e-6)
        assert (filled[mask == 0] == image[mask == 0]).all()
    with pytest.raises(ValueError, match="`flips` must be one of"):
        Inpainter(model, flips="left")
    with pytest.raises(ValueError, match="a classical method has one result"):
        Inpainter("telea", flips="both")
