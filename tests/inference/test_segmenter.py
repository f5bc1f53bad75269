"""Segmentation of arrays: types, sizes, tiles, several passes, memory."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_segpaint.inference import Segmenter, mc_dropout, softmax
from keras_segpaint.inference.images import forward
from keras_segpaint.models import SegNetBasic, UNet
from tests.inference.networks import brightness_model, local_model


@pytest.fixture
def image() -> np.ndarray:
    """Dark left, bright right."""
    image = np.full((10, 14, 3), 20, np.uint8)
    image[:, 7:] = 220
    return image


@pytest.fixture
def truth() -> np.ndarray:
    return np.repeat([[0] * 7 + [1] * 7], 10, axis=0)


@pytest.fixture(scope="module")
def local() -> keras.Model:
    return local_model()


def noise(height: int, width: int) -> np.ndarray:
    return np.random.default_rng(height * width).integers(0, 256, (height, width, 3), np.uint8)


def directly(model: keras.Model, image: np.ndarray) -> np.ndarray:
    """The network's own probabilities."""
    return softmax(forward(model, image[None].astype("float32") / 255))[0]


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("kind", ["uint8", "uint16", "float", "grey", "one channel", "transparent"])
def test_every_kind_of_image(image, truth, data_format, kind):
    given = {
        "uint8": image,
        "uint16": image.astype("uint16") * 257,
        "float": image.astype("float64") / 255,
        "grey": image[..., 0],
        "one channel": image[..., :1],
        "transparent": np.dstack([image, np.full((10, 14), 7, np.uint8)]),
    }[kind]
    result = Segmenter(brightness_model(data_format=data_format))(given, probabilities=True)
    assert result.classes.dtype == np.uint8 and result.uncertainty is None
    np.testing.assert_array_equal(result.classes, truth)
    expected = 1 / (1 + np.exp(4 - 8 * (image[..., 0] / 255)))
    assert result.probabilities.dtype == np.float32
    np.testing.assert_allclose(result.probabilities[..., 1], expected, atol=1e-5)


def test_colour_for_a_grey_model(image, truth):
    np.testing.assert_array_equal(Segmenter(brightness_model(channels=1))(image).classes, truth)


def test_more_than_256_classes():
    picture = keras.Input((4, 4, 3))
    model = keras.Model(
        picture, layers.Conv2D(300, 1, bias_initializer=lambda shape, dtype: np.arange(300) * 99.0)(picture)
    )
    model.data_format = keras.config.image_data_format()
    classes = Segmenter(model)(np.zeros((4, 4, 3), np.uint8)).classes
    assert classes.dtype == np.uint16 and (classes == 299).all()


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (np.zeros((4, 4, 3), np.int64), "uint8"),
        (np.zeros((4, 4, 3), bool), "dtype bool"),
        (np.full((4, 4, 3), 200.0), "Divide by 255"),
        (np.full((4, 4, 3), np.nan), "in \\[0, 1\\]"),
        (np.zeros((4, 4, 2), np.uint8), "3 channels"),
        (np.zeros((1, 4, 4, 3), np.uint8), "shape"),
        (np.zeros((0, 4, 3), np.uint8), "shape"),
    ],
)
def test_images_that_are_none(bad, message):
    with pytest.raises(ValueError, match=message):
        Segmenter(brightness_model())(bad)


def test_a_size_for_the_network_and_the_images_own_for_the_result(image, truth):
    for model, size in ((brightness_model(), (20, 28)), (brightness_model((20, 28)), None)):
        np.testing.assert_array_equal(Segmenter(model, size=size)(image).classes, truth)
    with pytest.raises(ValueError, match="`size` must be"):
        Segmenter(brightness_model((20, 28)), size=(10, 10))


@pytest.mark.parametrize("probabilities", [False, True])
@pytest.mark.parametrize("original", [(37, 30), (11, 13), (9, 31)])
def test_logits_are_interpolated_after_a_resize(local, probabilities, original):
    import cv2

    size = (16, 24)
    image = noise(*original)
    result = Segmenter(local, size=size)(image, probabilities=probabilities)
    shrinks = size[0] <= original[0] and size[1] <= original[1]
    small = cv2.resize(
        image.astype("float32") / 255, size[::-1], interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    )
    back = original[0] <= size[0] and original[1] <= size[1]
    logits = cv2.resize(
        forward(local, small[None])[0], original[::-1], interpolation=cv2.INTER_AREA if back else cv2.INTER_LINEAR
    )
    assert (result.classes == logits.argmax(-1)).mean() > 0.995
    if probabilities:
        np.testing.assert_allclose(result.probabilities, softmax(logits), atol=1e-4)


def test_argmax_before_the_resize_is_that_of_the_nearest_pixel(local):
    image = np.repeat(np.repeat(noise(8, 12), 3, axis=0), 3, axis=1)
    found = Segmenter(local, size=(8, 12), argmax="before")(image).classes
    expected = directly(local, noise(8, 12)).argmax(-1)
    np.testing.assert_array_equal(found, np.repeat(np.repeat(expected, 3, axis=0), 3, axis=1))
    assert (found != Segmenter(local, size=(8, 12))(image).classes).any()


def test_bands_of_an_enlarged_result_join(local, monkeypatch):
    image = noise(67, 50)
    whole = Segmenter(local, size=(16, 24), flips="horizontal")(image, probabilities=True, uncertainty=True)
    monkeypatch.setattr("keras_segpaint.inference.grid._BAND_ELEMENTS", 3 * 50 * 4)
    bands = Segmenter(local, size=(16, 24), flips="horizontal")(image, probabilities=True, uncertainty=True)
    np.testing.assert_allclose(bands.probabilities, whole.probabilities, atol=1e-6)
    np.testing.assert_array_equal(bands.uncertainty, whole.uncertainty)


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("window", ["linear", "gaussian"])
def test_blended_tiles_with_a_margin_of_the_receptive_field_equal_the_whole(local, data_format, window):
    model = local if data_format == "channels_last" else local_model(data_format)
    image = noise(45, 61)
    whole = Segmenter(model)(image, probabilities=True)
    np.testing.assert_allclose(whole.probabilities, directly(model, image), atol=1e-6)
    tiles = Segmenter(model, tile=(16, 20), margin=4, overlap=9, window=window)
    found = tiles(image, probabilities=True)
    np.testing.assert_allclose(found.probabilities, whole.probabilities, atol=1e-5)
    np.testing.assert_array_equal(tiles(image).classes, whole.probabilities.argmax(-1))
    # The margin is needed: without it tiles see less than the image at their edges.
    without = Segmenter(model, tile=(16, 20), overlap=0)(image, probabilities=True)
    assert np.abs(without.probabilities - whole.probabilities).max() > 1e-2


def test_overlap_tiles_equal_the_mirrored_whole(local):
    image = noise(45, 61)
    whole = Segmenter(local, mode="overlap_tile", margin=4)(image, probabilities=True)
    mirrored = np.pad(image, ((4, 4), (4, 4), (0, 0)), mode="symmetric")
    np.testing.assert_allclose(whole.probabilities, directly(local, mirrored)[4:-4, 4:-4], atol=1e-6)
    tiles = Segmenter(local, mode="overlap_tile", margin=4, tile=(18, 23))
    np.testing.assert_allclose(tiles(image, probabilities=True).probabilities, whole.probabilities, atol=1e-5)
    np.testing.assert_array_equal(tiles(image).classes, whole.classes)


def test_tiles_of_a_network_with_strides_equal_the_whole():
    """Every tile begins at a multiple of the output stride."""
    model = local_model(stride=4)
    image = noise(203, 130)
    whole = Segmenter(model)(image, probabilities=True)
    for arguments in (dict(margin=24, overlap=50), dict(mode="overlap_tile", margin=24)):
        expected = whole
        if "mode" in arguments:
            expected = Segmenter(model, **arguments)(image, probabilities=True)
        tiles = Segmenter(model, tile=(128, 125), **arguments)
        done = []
        found = tiles(image, probabilities=True, progress=lambda *args, done=done: done.append(args))
        np.testing.assert_allclose(found.probabilities, expected.probabilities, atol=1e-5)
        assert done[-1][0] == done[-1][1] > 1


@pytest.mark.parametrize("arguments", [{}, {"mode": "overlap_tile", "margin": 5}, {"window": "gaussian"}])
@pytest.mark.parametrize("size", [(1, 1), (3, 40), (33, 7), (29, 31)])
def test_constant_logits_stay_constant(arguments, size):
    image = keras.Input((None, None, 3))
    conv = layers.Conv2D(3, 1, kernel_initializer="zeros", data_format="channels_last")
    model = keras.Model(image, conv(image))
    conv.set_weights([conv.get_weights()[0], np.array([0.0, 2.0, 1.0], "float32")])
    model.data_format = "channels_last"
    segmenter = Segmenter(model, tile=(16, 12), scales=(1.0, 0.5), flips="both", **arguments)
    result = segmenter(np.zeros((*size, 3), np.uint8), probabilities=True, uncertainty=True)
    expected = np.broadcast_to(softmax(np.array([0.0, 2.0, 1.0])), (*size, 3))
    np.testing.assert_allclose(result.probabilities, expected, atol=1e-6)
    assert (result.classes == 1).all() and np.abs(result.uncertainty).max() < 1e-9


def test_a_model_of_one_size_takes_tiles_of_it(image, truth):
    model = brightness_model((8, 6))
    np.testing.assert_array_equal(Segmenter(model, tile=(8, 6))(image).classes, truth)
    small = Segmenter(model, tile=(8, 6))(image[:3, 5:9]).classes
    np.testing.assert_array_equal(small, truth[:3, 5:9])
    tiled = Segmenter(model, tile=(8, 6), mode="overlap_tile", margin=1)(image).classes
    np.testing.assert_array_equal(tiled, truth)
    with pytest.raises(ValueError, match="the size that the model was built for"):
        Segmenter(model, tile=(8, 8))
    with pytest.raises(ValueError, match="`scales` must be"):
        Segmenter(model, scales=(0.5, 1.0))


@pytest.mark.parametrize("flips", [False, "horizontal"])
def test_smaller_logits_of_an_encoder_are_enlarged(flips):
    import cv2

    picture = keras.Input((None, None, 3))
    pooled = layers.AveragePooling2D(4, padding="same", data_format="channels_last")(picture)
    model = keras.Model(picture, layers.Conv2D(3, 1, data_format="channels_last")(pooled))
    model.data_format = "channels_last"
    image = noise(24, 32)
    found = Segmenter(model, flips=flips)(image, probabilities=True).probabilities
    logits = forward(model, image[None].astype("float32") / 255)[0]
    if flips:
        expected = cv2.resize(softmax(logits), (32, 24), interpolation=cv2.INTER_LINEAR)
    else:
        expected = softmax(cv2.resize(logits, (32, 24), interpolation=cv2.INTER_LINEAR))
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.fixture(scope="module")
def unpadded() -> keras.Model:
    keras.utils.set_random_seed(0)
    return UNet(2, padding="valid", base_filters=2)


def test_an_unpadded_unet_predicts_every_pixel(unpadded):
    image = noise(4, 20)
    found = Segmenter(unpadded)(image, probabilities=True)
    # With the border mirrored by hand: exactly the network's.
    padded = np.pad(image, ((92, 92), (92, 92), (0, 0)), mode="symmetric")
    np.testing.assert_allclose(found.probabilities, directly(unpadded, padded), atol=1e-5)
    np.testing.assert_array_equal(found.classes, found.probabilities.argmax(-1))


@pytest.mark.parametrize("mode", ["overlap_tile", "blend"])
def test_overlap_tiles_of_an_unpadded_unet_equal_the_whole(unpadded, mode):
    image = noise(50, 70)
    whole = Segmenter(unpadded)(image, probabilities=True)
    tiles = Segmenter(unpadded, tile=(220, 204), mode=mode, batch_size=2)
    if mode == "blend":  # too small to overlap and begin at multiples of 16
        tiles = Segmenter(unpadded, tile=(236, 236), mode=mode, batch_size=2, overlap=4)
    found = tiles(image, probabilities=True)
    np.testing.assert_allclose(found.probabilities, whole.probabilities, atol=1e-5)


def test_the_estimated_margin_covers_the_receptive_field(local):
    image = noise(70, 90)
    given = Segmenter(local, mode="overlap_tile", margin=4, tile=(64, 64))
    estimated = Segmenter(local, mode="overlap_tile", tile=(64, 64))
    assert estimated._outer_margin == 4
    np.testing.assert_allclose(
        estimated(image, probabilities=True).probabilities, given(image, probabilities=True).probabilities, atol=1e-6
    )


def test_flips_and_scales_are_means_of_what_they_stand_for(local):
    import cv2

    image = noise(20, 26)
    views = {
        "horizontal": [np.s_[:, ::-1]],
        "vertical": [np.s_[::-1]],
        "both": [np.s_[:, ::-1], np.s_[::-1], np.s_[::-1, ::-1]],
    }
    for flips, turned in views.items():
        single = [directly(local, image)] + [directly(local, image[view])[view] for view in turned]
        found = Segmenter(local, flips=flips)(image, probabilities=True, uncertainty=True)
        np.testing.assert_allclose(found.probabilities, np.mean(single, axis=0), atol=1e-6)
        np.testing.assert_allclose(found.uncertainty, np.var(single, axis=0).mean(-1), atol=1e-6)
    larger = cv2.resize(image.astype("float32") / 255, (39, 30), interpolation=cv2.INTER_LINEAR)
    back = cv2.resize(softmax(forward(local, larger[None]))[0], (26, 20), interpolation=cv2.INTER_AREA)
    found = Segmenter(local, scales=(1.0, 1.5))(image, probabilities=True)
    np.testing.assert_allclose(found.probabilities, (directly(local, image) + back) / 2, atol=1e-5)
    with pytest.raises(ValueError, match="`uncertainty` is the variance"):
        Segmenter(local)(image, uncertainty=True)


def test_samples_of_dropout_are_those_of_mc_dropout_and_repeat():
    keras.utils.set_random_seed(0)
    model = SegNetBasic(3, base_filters=2, bayesian=True)
    image = noise(16, 16)
    segmenter = Segmenter(model, samples=3, seed=5)
    first, second = (segmenter(image, probabilities=True, uncertainty=True) for _ in range(2))
    mean, variance = mc_dropout(model, image[None], samples=3, seed=5)
    np.testing.assert_allclose(first.probabilities, mean[0], atol=1e-6)
    np.testing.assert_allclose(first.uncertainty, variance[0].mean(-1), atol=1e-6)
    np.testing.assert_array_equal(first.probabilities, second.probabilities)
    assert first.uncertainty.max() > 1e-4
    other = Segmenter(model, samples=3, seed=6)(image, probabilities=True)
    assert np.abs(other.probabilities - first.probabilities).max() > 1e-3


@pytest.mark.parametrize("argmax", ["after", "before"])
@pytest.mark.parametrize("size", [None, (5, 7)])
def test_a_crf_sees_probabilities_and_the_image_and_has_the_last_word(image, truth, size, argmax):
    seen = []

    def swapped(probabilities, picture):
        seen.append((probabilities.shape, picture.shape, picture.dtype, float(probabilities.sum())))
        return probabilities[..., ::-1]

    result = Segmenter(brightness_model(), crf=swapped, size=size, argmax=argmax)(image[..., 0], probabilities=True)
    at = size if size and argmax == "before" else (10, 14)
    assert seen[0][:3] == ((*at, 2), (*at, 3), np.uint8)
    assert abs(seen[0][3] - at[0] * at[1]) < 1e-3
    # Beside the edge a pixel of the small grid holds both sides.
    np.testing.assert_array_equal(np.delete(result.classes, 7, axis=1), np.delete(1 - truth, 7, axis=1))
    assert result.probabilities[0, 0, 1] > 0.9
    with pytest.raises(ValueError, match="`crf` must give"):
        Segmenter(brightness_model(), crf=lambda probabilities, picture: picture)(image[:, :9])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"mode": "sliding"}, "`mode` must be one of"),
        ({"flips": True}, "`flips` must be one of"),
        ({"scales": ()}, "`scales` must be"),
        ({"scales": (0.0,)}, "`scales` must be"),
        ({"samples": -1}, "`samples` must be"),
        ({"batch_size": 0}, "`batch_size` must be"),
        ({"tile": (0, 4)}, "`tile` must be"),
        ({"overlap": 1.0}, "`overlap` must be"),
        ({"overlap": 4, "mode": "overlap_tile"}, "give `margin`"),
        ({"max_memory": 0}, "`max_memory` must be"),
        ({"samples": 2}, "must have a dropout layer"),
    ],
)
def test_arguments_are_checked(local, arguments, message):
    with pytest.raises(ValueError, match=message):
        Segmenter(local, **arguments)


def test_tiles_and_overlap_must_fit_each_other(local):
    image = noise(40, 40)
    for arguments, message in (
        ({"tile": (8, 8), "overlap": 8}, "`overlap` must be at least"),
        ({"tile": (16, 16), "overlap": 4, "margin": 3}, "twice the margin \\(6 pixels\\)"),
        ({"tile": (8, 8), "mode": "overlap_tile", "margin": 4}, "larger than twice the margin"),
    ):
        with pytest.raises(ValueError, match=message):
            Segmenter(local, **arguments)(image)


def test_a_bound_chooses_tiles_and_says_what_does_not_fit(local):
    image = noise(400, 500)
    whole = Segmenter(local)(image).classes
    done = []
    bounded = Segmenter(local, max_memory=16, margin=4)
    np.testing.assert_array_equal(bounded(image, progress=lambda *args: done.append(args)).classes, whole)
    assert done[-1][1] > 1
    done.clear()
    Segmenter(local, max_memory=400)(image, progress=lambda *args: done.append(args))
    assert done == [(1, 1)]
    with pytest.raises(ValueError, match="max_memory=2 MiB. It takes 4 MiB, of which 3 are maps of the whole image"):
        Segmenter(local, max_memory=2)(image, probabilities=True)
    with pytest.raises(ValueError, match="in tiles of 256 x 256"):
        Segmenter(local, max_memory=2, tile=(256, 256))(image)
