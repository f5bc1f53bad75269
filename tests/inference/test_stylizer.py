"""Images of any kind in the style of others: what the network is given, what is kept of the content, what is refused."""

import keras
import numpy as np
import pytest

from keras_segpaint.inference import Stylizer, stylize
from keras_segpaint.inference.stylizer import moved_colours
from keras_segpaint.models import StyleTransfer, UNet
from tests.conformance.cases import fill_weights

LUMINANCE = np.array([0.299, 0.587, 0.114])


@pytest.fixture(scope="module")
def pictures():
    rng = np.random.default_rng(0)
    return rng.random((21, 30, 3), "float32"), rng.random((16, 11, 3), "float32") ** 2, rng.random((9, 9, 3), "float32")


@pytest.fixture(scope="module")
def model(pictures):
    """Untrained, but with images that lie mostly within [0, 1]."""
    model = StyleTransfer(base_filters=8, data_format="channels_last")
    fill_weights(model)
    last = model.decoder.get_layer("decoder1_1")
    kernel, _ = last.get_weights()
    image = model.predict_on_batch([picture[None] for picture in pictures[:2]])
    last.set_weights([kernel * 0.15 / image.std((0, 1, 2)), np.array([0.4, 0.5, 0.6], "float32")])
    return model


@pytest.fixture(scope="module")
def stylizer(model, pictures):
    """One for all: each has its networks compiled anew."""
    return Stylizer(model, pictures[1], style_size=None)


def paint(model, content, styles, weights=None, **settings):
    return stylize(model, content, styles, weights, **{"style_size": None, **settings})


def test_equals_the_network(model, stylizer, pictures):
    content, style, _ = pictures
    expected = np.clip(model.predict_on_batch([content[None], style[None]])[0], 0, 1)
    found = stylizer(content)
    assert 0.1 < expected.std()
    np.testing.assert_allclose(found, expected, atol=1e-5)
    weaker = model.rebuilt(alpha=0.3).predict_on_batch([content[None], style[None]])[0]
    np.testing.assert_allclose(paint(model, content, style, alpha=0.3), np.clip(weaker, 0, 1), atol=1e-5)


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="data formats are tried with the layers on JAX")
def test_channels_first(model, stylizer, pictures):
    content, style, _ = pictures
    first = model.rebuilt(data_format="channels_first")
    np.testing.assert_allclose(paint(first, content, style), stylizer(content), atol=1e-4)


def test_styles_by_their_shares(model, pictures):
    content, *styles = pictures
    alone = [paint(model, content, style) for style in styles]
    for index in range(2):
        weights = [0, 0]
        weights[index] = 5
        np.testing.assert_allclose(paint(model, content, styles, weights), alone[index], atol=1e-5)
    both = paint(model, content, styles)
    np.testing.assert_allclose(paint(model, content, styles, [2, 2]), both, atol=1e-6)
    assert min(np.abs(both - one).max() for one in alone) > 0.01


@pytest.mark.parametrize("channels", [None, 1, 2, 3, 4])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_kinds_of_images(stylizer, channels, dtype):
    shape = (21, 30) if channels is None else (21, 30, channels)
    top = {"uint8": 255, "uint16": 65535, "float32": 1}[dtype]
    image = (np.random.default_rng(1).random(shape) * top).astype(dtype)
    before = image.copy()
    found = stylizer(image)
    np.testing.assert_array_equal(image, before)
    assert found.shape == image.shape and found.dtype == image.dtype
    if channels in (2, 4):
        np.testing.assert_array_equal(found[..., -1], image[..., -1])
    planes = image.reshape(21, 30, -1)
    colours = planes[..., :3] if (channels or 1) >= 3 else np.repeat(planes[..., :1], 3, -1)
    expected = stylizer((colours / top).astype("float32"))
    if (channels or 1) < 3:
        expected = (expected @ LUMINANCE)[..., None]
    scaled = found.reshape(21, 30, -1)[..., : expected.shape[-1]] / top
    np.testing.assert_allclose(scaled, expected, atol=0.51 / top if top > 1 else 1e-5, rtol=1e-4)


@pytest.mark.parametrize("colour", [False, "luminance", "statistics"])
def test_one_colour_and_one_pixel(model, pictures, colour):
    styles = [np.full((20, 20, 3), 200, np.uint8), np.zeros((1, 1), np.uint8)]
    paint_it = Stylizer(model, styles, style_size=8, preserve_colour=colour)
    for content in (pictures[0], np.full((1, 1, 3), 9, np.uint8)):
        found = paint_it(content)
        assert found.shape == content.shape and np.isfinite(found).all()


def test_luminance_of_the_result_and_colours_of_the_content(model, stylizer, pictures):
    content, style, _ = pictures
    plain, kept = stylizer(content), paint(model, content, style, preserve_colour="luminance")
    inside = ((kept > 0) & (kept < 1)).all(-1)
    assert inside.mean() > 0.2
    np.testing.assert_allclose((kept @ LUMINANCE)[inside], (plain @ LUMINANCE)[inside], atol=1e-4)
    differences = (kept - content)[inside]
    np.testing.assert_allclose(differences, np.repeat(differences[:, :1], 3, 1), atol=1e-5)


def test_colour_statistics_are_matched(pictures):
    content, style = 0.4 + 0.2 * pictures[0], pictures[1]
    moved = moved_colours(style, content)
    assert (moved > 0).all() and (moved < 1).all()
    found, wanted = moved.reshape(-1, 3), content.reshape(-1, 3)
    np.testing.assert_allclose(found.mean(0), wanted.mean(0), atol=1e-4)
    np.testing.assert_allclose(np.cov(found.T, ddof=0), np.cov(wanted.T, ddof=0), atol=1e-4)
    plain = moved_colours(np.full((4, 4, 3), 0.9, np.float32), content)
    np.testing.assert_allclose(plain, np.broadcast_to(content.mean((0, 1)), (4, 4, 3)), atol=1e-4)


def test_large_contents_and_the_size_of_styles(model, stylizer, pictures):
    content, style, _ = pictures
    small = Stylizer(model, style, style_size=8, max_pixels=200)
    assert small._styles[0].shape == (12, 8, 3)
    found = small(content)
    assert found.shape == content.shape
    # What was painted small and enlarged has no details.
    assert np.abs(np.diff(found, axis=0)).mean() < 0.8 * np.abs(np.diff(stylizer(content), axis=0)).mean()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"alpha": -0.1}, r"`alpha` must be in \[0, 1\]. Received: alpha=-0.1"),
        ({"style_weights": [1, 2]}, "1 styles, style_weights=\\[1, 2\\]"),
        ({"style_weights": [0]}, "not all 0"),
        ({"style_weights": [float("nan")]}, "a number >= 0 for each"),
        ({"styles": []}, "at least one style"),
        ({"styles": np.zeros((4, 4, 7), np.uint8)}, "`styles`: `image` must have the shape"),
        ({"preserve_colour": "hue"}, "`preserve_colour` must be one of"),
        ({"style_size": 0}, "`style_size` must be an integer >= 1"),
        ({"model": None}, "`model` must be a StyleTransfer. Received: UNet"),
    ],
)
def test_errors(model, arguments, message):
    settings = {"model": model, "styles": np.zeros((4, 4), np.uint8), **arguments}
    if settings["model"] is None:
        settings["model"] = UNet(2, base_filters=2)
    with pytest.raises(ValueError, match=message):
        Stylizer(**settings)
