"""Resizing against PyTorch and against Keras, with known and unknown sizes."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_segpaint.layers import MatchSize2D, Resize
from keras_segpaint.ops import resizing
from keras_segpaint.ops.gradients import input_gradient

torch = pytest.importorskip("torch")

SIZES = [((6, 9), (12, 18)), ((7, 5), (3, 11)), ((1, 1), (4, 3)), ((5, 8), (1, 1)), ((16, 16), (7, 5))]


def torch_resize(x, size, **kwargs):
    tensor = torch.from_numpy(x.transpose(0, 3, 1, 2).copy())
    return torch.nn.functional.interpolate(tensor, size=size, **kwargs).numpy().transpose(0, 2, 3, 1)


@pytest.mark.parametrize(("source", "target"), SIZES)
@pytest.mark.parametrize("align_corners", [False, True])
def test_bilinear_is_that_of_pytorch(source, target, align_corners, rng):
    x = rng.normal(size=(2, *source, 3)).astype("float32")
    expected = torch_resize(x, target, mode="bilinear", align_corners=align_corners)
    layer = Resize(size=target, align_corners=align_corners, data_format="channels_last")
    np.testing.assert_allclose(ops.convert_to_numpy(layer(x)), expected, atol=1e-5)
    # The path for sizes that are unknown while a graph is traced.
    by_matrix = resizing.bilinear(ops.convert_to_tensor(x), target, align_corners, "channels_last")
    np.testing.assert_allclose(ops.convert_to_numpy(by_matrix), expected, atol=1e-5)
    first = resizing.bilinear(ops.convert_to_tensor(np.moveaxis(x, -1, 1)), target, align_corners, "channels_first")
    np.testing.assert_allclose(np.moveaxis(ops.convert_to_numpy(first), 1, -1), expected, atol=1e-5)


@pytest.mark.parametrize(("source", "target"), SIZES)
def test_nearest_takes_the_pixel_below_the_centre(source, target, rng):
    x = rng.normal(size=(2, *source, 3)).astype("float32")
    expected = torch_resize(x, target, mode="nearest-exact")
    layer = Resize(size=target, interpolation="nearest", data_format="channels_last")
    np.testing.assert_array_equal(ops.convert_to_numpy(layer(x)), expected)
    by_index = resizing.nearest(ops.convert_to_tensor(x), target, "channels_last")
    np.testing.assert_array_equal(ops.convert_to_numpy(by_index), expected)


@pytest.mark.parametrize("target", [size for pair in SIZES for size in pair])
def test_top_left_is_the_nearest_of_pytorch_for_any_dtype(target, rng):
    x = rng.integers(0, 9, (2, 16, 9, 3))
    expected = torch_resize(x.astype("float32"), target, mode="nearest")
    layer = Resize(size=target, interpolation="top_left", data_format="channels_last")
    result = layer(x.astype("int32"))
    assert (
        keras.backend.standardize_dtype(result.dtype) == layer(keras.Input((16, 9, 3), dtype="int32")).dtype == "int32"
    )
    np.testing.assert_array_equal(ops.convert_to_numpy(result), expected)


# Rows of a column of ten that TensorFlow 1 takes for four.
POINTS = {
    ("nearest", False): [0, 2, 5, 7],
    ("nearest", True): [0, 3, 6, 9],
    ("bilinear", False): [0, 2.5, 5, 7.5],
    ("bilinear", True): [0, 3, 6, 9],
}


@pytest.mark.parametrize(("interpolation", "align_corners"), POINTS)
def test_pixels_are_points_in_tensorflow_1(interpolation, align_corners):
    settings = dict(interpolation=interpolation, align_corners=align_corners, half_pixel_centers=False)
    column = np.arange(10, dtype="float32").reshape(1, 10, 1, 1) * np.ones((1, 1, 3, 1), "float32")
    expected = np.broadcast_to(np.float32(POINTS[interpolation, align_corners])[None, :, None, None], (1, 4, 5, 1))
    layer = Resize(size=(4, 5), data_format="channels_last", **settings)
    np.testing.assert_allclose(ops.convert_to_numpy(layer(column)), expected, atol=1e-5)
    layer = Resize(size=(4, 5), data_format="channels_first", **settings)
    first = ops.convert_to_numpy(layer(np.moveaxis(column, -1, 1)))
    np.testing.assert_allclose(np.moveaxis(first, 1, -1), expected, atol=1e-5)
    # Beyond the last pixel's centre there is that pixel.
    larger = ops.convert_to_numpy(Resize(size=(20, 3), data_format="channels_last", **settings)(column))[0, :, 0, 0]
    assert larger[0] == 0 and larger[-1] == 9


# Sizes of which 32 bits put a pixel elsewhere than exact numbers would: (83, 2), (98, 2) and (41, 82).
@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="compares with TensorFlow's own function")
@pytest.mark.parametrize(("source", "target"), [*SIZES, ((2, 41), (83, 82)), ((2, 82), (98, 41)), ((64, 90), (32, 45))])
@pytest.mark.parametrize("align_corners", [False, True])
def test_tensorflow_1_itself(source, target, align_corners, rng):
    import tensorflow as tf

    x = rng.normal(size=(1, *source, 2)).astype("float32")
    for interpolation, own in (
        ("nearest", tf.compat.v1.image.resize_nearest_neighbor),
        ("bilinear", tf.compat.v1.image.resize_bilinear),
    ):
        expected = own(x, target, align_corners=align_corners).numpy()
        settings = dict(interpolation=interpolation, align_corners=align_corners, half_pixel_centers=False)
        layer = Resize(size=target, data_format="channels_last", **settings)
        atol = 0 if interpolation == "nearest" else 5e-5
        np.testing.assert_allclose(ops.convert_to_numpy(layer(x)), expected, atol=atol)
        # The same where the size is unknown while the graph is traced.
        image, like = keras.Input((None, None, 2)), keras.Input((None, None, 1))
        model = keras.Model([image, like], Resize(data_format="channels_last", **settings)(image, like=like))
        given = [x, np.zeros((1, *target, 1), "float32")]
        np.testing.assert_allclose(model.predict(given, verbose=0), expected, atol=atol)


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_the_gradient_of_repeated_pixels_is_their_sum(data_format, rng):
    layer = Resize(scale=(2, 3), interpolation="nearest", data_format=data_format)
    x = rng.normal(size=(1, 4, 5, 4)).astype("float32")
    weights = rng.normal(size=(1, 8, 15, 4) if data_format == "channels_last" else (1, 4, 10, 12)).astype("float32")
    gradient = input_gradient(lambda x: layer(x) * ops.convert_to_tensor(weights), x)
    if data_format == "channels_last":
        expected = weights.reshape(1, 4, 2, 5, 3, 4).sum((2, 4))
    else:
        expected = weights.reshape(1, 4, 5, 2, 4, 3).sum((3, 5))
    np.testing.assert_allclose(ops.convert_to_numpy(gradient), expected, atol=1e-5)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="of TensorFlow's operation")
def test_enlarging_trains_under_xla():
    # Keras compiles with XLA by itself where there is a GPU.
    enlarge = Resize(scale=2, interpolation="nearest", data_format="channels_last")
    conv = keras.layers.Conv2D(2, 1, data_format="channels_last")
    model = keras.Sequential([keras.Input((4, 4, 1)), conv, enlarge])
    model.compile("sgd", "mse", jit_compile=True)
    before = np.asarray(conv.kernel)
    model.fit(np.ones((2, 4, 4, 1), "float32"), np.ones((2, 8, 8, 2), "float32"), verbose=0)
    assert not np.allclose(before, np.asarray(conv.kernel))


@pytest.mark.parametrize("interpolation", ["bilinear", "nearest"])
def test_sizes_unknown_until_the_call(interpolation, rng):
    image = keras.Input((None, None, 2))
    small = keras.layers.AveragePooling2D(2)(image)
    layer = Resize(interpolation=interpolation, data_format="channels_last")
    model = keras.Model(image, layer(small, like=image))
    for size in ((8, 12), (10, 6)):
        x = rng.normal(size=(1, *size, 2)).astype("float32")
        pooled = x.reshape(1, size[0] // 2, 2, size[1] // 2, 2, 2).mean((2, 4))
        mode = dict(mode="bilinear", align_corners=False) if interpolation == "bilinear" else dict(mode="nearest-exact")
        np.testing.assert_allclose(np.asarray(model.predict_on_batch(x)), torch_resize(pooled, size, **mode), atol=1e-5)


def test_same_size_is_untouched():
    x = ops.ones((1, 4, 4, 1))
    assert Resize(size=4, data_format="channels_last")(x) is not None
    np.testing.assert_array_equal(ops.convert_to_numpy(Resize(size=4, data_format="channels_last")(x)), 1.0)


@pytest.mark.parametrize(("scale", "expected"), [(0.75, (6, 4)), (0.1, (1, 1)), ((1.5, 0.5), (13, 3))])
def test_scale_may_be_a_fraction(scale, expected, rng):
    x = rng.normal(size=(1, 9, 6, 2)).astype("float32")
    layer = Resize(scale=scale, data_format="channels_last")
    assert layer.compute_output_spec(keras.KerasTensor(x.shape)).shape == (1, *expected, 2)
    reference = Resize(size=expected, data_format="channels_last")(x)
    np.testing.assert_allclose(ops.convert_to_numpy(layer(x)), ops.convert_to_numpy(reference), atol=1e-6)


def test_bad_arguments():
    with pytest.raises(ValueError, match="`size` or `scale`, not both"):
        Resize(size=4, scale=2)
    with pytest.raises(ValueError, match="exactly one of"):
        Resize()(np.zeros((1, 2, 2, 1), "float32"))
    with pytest.raises(ValueError, match=r"`interpolation` must be one of \('bilinear', 'nearest', 'top_left'\)"):
        Resize(scale=2, interpolation="bicubic")
    with pytest.raises(ValueError, match=r"`align_corners` and `half_pixel_centers` go with .* align_corners=True"):
        Resize(scale=2, interpolation="top_left", align_corners=True)
    with pytest.raises(ValueError, match="`scale` must be a positive number"):
        Resize(scale=0)


@pytest.mark.parametrize("alignment", ["start", "center"])
def test_match_size_cuts_and_pads(alignment):
    x = np.arange(1, 16, dtype="float32").reshape(1, 3, 5, 1)
    like = np.zeros((1, 6, 2, 7), "float32")
    result = ops.convert_to_numpy(MatchSize2D(alignment, data_format="channels_last")(x, like=like))[0, :, :, 0]
    start, top = (0, 0) if alignment == "start" else (1, 1)
    expected = np.zeros((6, 2))
    expected[top : top + 3] = x[0, :, start : start + 2, 0]
    np.testing.assert_array_equal(result, expected)
