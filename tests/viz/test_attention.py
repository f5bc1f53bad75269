"""Attention maps of layers in networks, and how they are drawn."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_segpaint import models, viz
from keras_segpaint.layers import PositionAttention, ScaleAttention
from keras_segpaint.ops.attention_map import AttentionMap
from keras_segpaint.viz.attention import Attention
from keras_segpaint.viz.attention_figure import flow_colours

PIXELS = (8, 12)


@pytest.fixture
def image(rng):
    return rng.integers(0, 256, (*PIXELS, 3)).astype("uint8")


def nested(data_format):
    """Every second pixel, then attention twice, inside of a network inside of a network."""
    first = data_format == "channels_first"
    shape = (3, None, None) if first else (None, None, 3)
    attention = PositionAttention(1, "ones", data_format, name="attention")
    inner_input = keras.Input(shape)
    inner = keras.Model(inner_input, attention(attention(inner_input)), name="inner")
    inputs = keras.Input(shape)
    x = inputs[:, :, ::2, ::2] if first else inputs[:, ::2, ::2]
    model = keras.Model(inputs, inner(x), name="outer")
    model.data_format = data_format
    return model, attention


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_layer_deep_in_a_network(image, data_format):
    model, attention = nested(data_format)
    x = image.astype("float32")[None, ::2, ::2] / 255
    x = ops.convert_to_tensor(x if data_format == "channels_last" else np.ascontiguousarray(x.transpose(0, 3, 1, 2)))
    # The pixel (5, 9) lies in the cell (2, 4) of the grid of half the size.
    for application, inputs in ((0, x), (1, attention(x)), (-1, attention(x))):
        found = viz.attention_map(model, image, position=(5, 9), application=application)
        expected = ops.convert_to_numpy(attention.attention_map(inputs, position=(2, 4)).values)[0]
        np.testing.assert_allclose(found.values, expected, atol=1e-6)
    assert (found.layer, found.kind, found.position) == ("attention", "weights", (5, 9))
    np.testing.assert_array_equal(found.image, image)
    assert "call" not in vars(attention)
    np.testing.assert_allclose(viz.attention_map(model, image / 255, attention, (5, 9)).values, found.values, atol=1e-6)


def test_scales_are_those_of_the_model(image):
    model = models.AttentionToScale(
        3,
        model="UNet",
        model_arguments={"base_filters": 2},
        attention_filters=4,
        scales=(1.0, 0.5),
        data_format="channels_last",
    )
    found = viz.attention_map(model, image)
    assert found.kind == "gates" and found.names == ("scale 1", "scale 2") and found.position is None
    expected = model.scale_weights(image[None].astype("float32") / 255)[0]
    np.testing.assert_allclose(found.values, expected, atol=1e-5)


def test_holes_of_an_inpainting_network(image):
    """The network gets the image in [-1, 1] and the mask; a layer of one's own takes part by having the method."""

    class Gate(keras.layers.Layer):
        def call(self, image, mask):
            return image * mask

        def attention_map(self, image, mask, position=None):
            return AttentionMap("gates", ops.concatenate([image[..., :1], mask], -1), ("red", "hole"))

    inputs = [keras.Input((*PIXELS, 3)), keras.Input((*PIXELS, 1))]
    model = keras.Model(inputs, Gate(name="gate")(*inputs), name="filler")
    model.data_format = "channels_last"
    mask = np.zeros(PIXELS)
    mask[2:4] = 255
    found = viz.attention_map(model, image, hole_mask=mask)
    np.testing.assert_allclose(found.values[..., 0], image[..., 0] / 127.5 - 1, atol=1e-5)
    np.testing.assert_array_equal(found.values[..., 1], mask > 0)
    with pytest.raises(ValueError, match="'filler' takes an image and a `hole_mask`"):
        viz.attention_map(model, image)
    with pytest.raises(ValueError, match="same size"):
        viz.attention_map(model, image, hole_mask=mask[1:])
    with pytest.raises(ValueError, match=r"shape \(8, 12, 3\)"):
        viz.attention_map(model, image[1:], hole_mask=mask[1:])


def test_mistakes(image):
    model, _ = nested("channels_last")
    with pytest.raises(ValueError, match="layers that attend: 'attention'. Received: layer='attentoin'"):
        viz.attention_map(model, image, "attentoin", (0, 0))
    with pytest.raises(ValueError, match=r"below \(8, 12\)"):
        viz.attention_map(model, image, position=(8, 0))
    with pytest.raises(ValueError, match="`position` must be given"):
        viz.attention_map(model, image)
    with pytest.raises(ValueError, match="one of the 2 times"):
        viz.attention_map(model, image, position=(0, 0), application=2)
    with pytest.raises(ValueError, match="no `hole_mask`"):
        viz.attention_map(model, image, position=(0, 0), hole_mask=np.zeros(PIXELS))
    inputs = keras.Input((None, None, 3))
    both = [ScaleAttention(2, 2, data_format="channels_last", name=name)(inputs) for name in "ab"]
    with pytest.raises(ValueError, match="'a', 'b'. Received: layer=None"):
        viz.attention_map(keras.Model(inputs, both), image)
    with pytest.raises(ValueError, match="attend: none"):
        viz.attention_map(keras.Model(inputs, keras.layers.ReLU()(inputs)), image)


def attention(kind, values, **fields):
    return Attention("block", kind, values.astype("float32"), (), np.zeros((*PIXELS, 3), "uint8"), **fields)


def test_weights_are_drawn_over_the_image(rng):
    values = rng.random((4, 6))
    figure = viz.plot_attention(attention("weights", values, position=(5, 9)))
    left, right, bar = figure.axes
    drawn = right.images[-1]
    np.testing.assert_allclose(drawn.get_array(), values.astype("float32"))
    # The coarse map covers the image's pixels, whose centres are whole numbers.
    assert tuple(drawn.get_extent()) == (-0.5, 11.5, 7.5, -0.5)
    assert drawn.get_clim() == (0, pytest.approx(values.max()))
    assert np.argmax(drawn.get_alpha()) == np.argmax(values)
    for axes in (left, right):
        assert axes.lines[-1].get_xydata().tolist() == [[9, 5]]
        assert axes.get_xlim() == (-0.5, 11.5) and axes.get_ylim() == (7.5, -0.5)
    assert right.get_title() == "block" and bar.get_ylabel() == "weight"


def test_gates_have_a_panel_each(rng):
    values = rng.random((4, 6, 5))
    names = [f"scale {number}" for number in range(5)]
    figure = viz.plot_attention(attention("gates", values), names)
    assert [axes.get_title() for axes in figure.axes] == ["image", *names, ""]
    for number, axes in enumerate(figure.axes[1:-1]):
        np.testing.assert_allclose(axes.images[0].get_array(), values[..., number].astype("float32"))
        assert axes.images[0].get_clim() == (0, 1)
    assert viz.plot_attention(attention("gates", values)).axes[1].get_title() == "block 1"
    with pytest.raises(ValueError, match="`names` must name each map"):
        viz.plot_attention(attention("gates", values), ["one"])
    with pytest.raises(ValueError, match="different"):
        viz.plot_attention(attention("gates", values), ["one"] * 5)


def test_channels_are_a_matrix_or_bars(rng):
    values = rng.random((3, 3))
    figure = viz.plot_attention(attention("channels", values))
    np.testing.assert_allclose(figure.axes[0].images[0].get_array(), values.astype("float32"))
    bars = viz.plot_attention(attention("channels", values[:1])).axes[0].patches
    np.testing.assert_allclose([bar.get_height() for bar in bars], values[0], rtol=1e-6)


def test_offsets_are_coloured_by_their_way():
    offsets = np.zeros((4, 6, 2))
    offsets[0, 0], offsets[0, 1], offsets[0, 2] = (0, 4), (3, 0), (0, -2)
    mask = np.zeros(PIXELS, bool)
    mask[2:4, 2:4] = True
    found = attention("offsets", offsets, hole_mask=mask)
    figure = viz.plot_attention(found)
    left, right, wheel = figure.axes
    assert left.images[0].get_array()[2, 2].tolist() == [255, 0, 160]
    drawn = right.images[0].get_array()
    # To the right is red, at the longest way pure; down is yellow-green, to the left pale cyan, nowhere white.
    np.testing.assert_allclose(drawn[0, 0], [0.9, 0, 0], atol=1e-6)
    np.testing.assert_allclose(drawn[1, 0], [1, 1, 1])
    assert drawn[0, 1, 1] > drawn[0, 1, 0] > drawn[0, 1, 2]
    np.testing.assert_allclose(drawn[0, 2], [0.475, 0.95, 0.95])
    # The wheel has the same colours: 4 columns to the right at its right edge.
    np.testing.assert_allclose(wheel.images[0].get_array()[60, -1, :3], drawn[0, 0], atol=1e-6)
    assert wheel.images[0].get_array()[0, 0, 3] == 0
    assert wheel.get_xticks().tolist() == [-4, 0, 4]
    np.testing.assert_allclose(flow_colours(offsets, 4.0), drawn)


def test_saved_without_clipping(tmp_path, rng):
    """Nothing lies at the edge of the picture."""
    from PIL import Image

    figure = viz.plot_attention(attention("weights", rng.random((4, 6)), position=(0, 0)))
    figure.savefig(tmp_path / "attention.png", dpi=60)
    pixels = np.asarray(Image.open(tmp_path / "attention.png").convert("L"))
    assert pixels.min() < 50
    for edge in (pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]):
        assert edge.min() == 255
