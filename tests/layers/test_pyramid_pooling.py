"""Pyramid pooling: bins, batches of one, export."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_segpaint import export
from keras_segpaint.layers import AdaptiveContextModule, PyramidPooling
from keras_segpaint.ops.adaptive_pooling import _average_by_matrix, adaptive_average_pool, bin_edges

SIZES = [(1, 1), (2, 3), (5, 7), (6, 12), (13, 17), (45, 60), (63, 64)]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("bins", [1, 2, 3, 6])
def test_bins_are_those_of_pytorch(size, bins, rng):
    torch = pytest.importorskip("torch")
    x = rng.normal(size=(2, 3, *size)).astype("float32")
    expected = torch.nn.functional.adaptive_avg_pool2d(torch.from_numpy(x.copy()), bins).numpy()
    tensor = ops.convert_to_tensor(x)
    np.testing.assert_allclose(
        ops.convert_to_numpy(adaptive_average_pool(tensor, bins, "channels_first")), expected, atol=1e-6
    )
    last = adaptive_average_pool(ops.convert_to_tensor(x.transpose(0, 2, 3, 1).copy()), bins, "channels_last")
    np.testing.assert_allclose(ops.convert_to_numpy(last).transpose(0, 3, 1, 2), expected, atol=1e-6)
    # The path for sizes that are unknown while a graph is traced.
    by_matrix = _average_by_matrix(_average_by_matrix(tensor, 2, size[0], bins), 3, size[1], bins)
    np.testing.assert_allclose(ops.convert_to_numpy(by_matrix), expected, atol=1e-6)


def test_neighbouring_bins_share_a_pixel_where_the_size_is_no_multiple():
    assert bin_edges(7, 3) == [(0, 3), (2, 5), (4, 7)]
    assert bin_edges(2, 3) == [(0, 1), (0, 2), (1, 2)]


def test_sizes_unknown_until_the_call(rng):
    inputs = keras.Input((None, None, 4))
    layer = PyramidPooling(filters=2, data_format="channels_last")
    model = keras.Model(inputs, layer(inputs))
    assert model.output.shape == (None, None, None, 12)
    for size in ((7, 5), (12, 13)):
        x = rng.normal(size=(2, *size, 4)).astype("float32")
        expected = ops.convert_to_numpy(layer(ops.convert_to_tensor(x)))
        np.testing.assert_allclose(np.asarray(model.predict_on_batch(x)), expected, atol=1e-5)


def test_half_precision_does_not_overflow():
    # 4096 pixels of 100 sum up to more than the 65504 that float16 holds.
    x = ops.cast(ops.full((1, 64, 64, 1), 100.0), "float16")
    assert float(adaptive_average_pool(x, 1, "channels_last")[0, 0, 0, 0]) == 100.0
    pooled = _average_by_matrix(_average_by_matrix(x, 1, 64, 1), 2, 64, 1)
    assert float(pooled[0, 0, 0, 0]) == 100.0


@pytest.mark.parametrize(
    ("arguments", "learns"),
    [
        ({"normalization": "batch"}, False),
        ({"normalization": "frozen_batch"}, True),
        ({"normalization": "group"}, True),
        ({"single_bin_norm": False}, True),
    ],
)
@pytest.mark.parametrize("kind", ["pyramid", "context"])
def test_which_normalisation_trains_a_single_bin_in_a_batch_of_one(kind, arguments, learns, rng):
    keras.utils.set_random_seed(1)
    inputs = keras.Input((9, 13, 4))
    if kind == "pyramid":
        layer = PyramidPooling(filters=64, data_format="channels_last", **arguments)
    elif "single_bin_norm" in arguments:
        pytest.skip("an argument of the pyramid")
    else:
        layer = AdaptiveContextModule(64, data_format="channels_last", **arguments)
    model = keras.Model(inputs, layer(inputs))
    kernel = (layer.branches[0] if kind == "pyramid" else layer.region_unit).get_layer("conv").kernel
    before = ops.convert_to_numpy(kernel).copy()
    model.compile(keras.optimizers.SGD(1.0), "mse", jit_compile=False)
    x = rng.normal(size=(1, 9, 13, 4)).astype("float32")
    model.fit(x, rng.normal(size=(1, *model.output.shape[1:])).astype("float32"), verbose=0)
    change = np.abs(ops.convert_to_numpy(kernel) - before).max()
    assert (change > 1e-4) if learns else (change < 1e-8)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="exports from TensorFlow")
@pytest.mark.parametrize("layer", [PyramidPooling, AdaptiveContextModule])
@pytest.mark.parametrize("align_corners", [True, False])
def test_litert(layer, align_corners, tmp_path):
    pytest.importorskip("ai_edge_litert")
    keras.utils.set_random_seed(1)
    image = keras.Input((None, None, 3))
    x = keras.layers.Conv2D(8, 3, padding="same", data_format="channels_last")(image)
    options = {"data_format": "channels_last"}
    if layer is PyramidPooling:
        x = PyramidPooling(align_corners=align_corners, **options)(x)
    else:
        x = AdaptiveContextModule(5, 3, **options)(x)
    model = keras.Model(image, x)
    model.data_format = "channels_last"
    report = export.to_litert(model, tmp_path / "layer.tflite", input_shape=(31, 44, 3))
    assert report.max_difference < 1e-5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"bins": ()}, r"bins=\(\)"),
        ({"bins": (1, 0)}, r"bins=\(1, 0\)"),
        ({"filters": 0}, "filters=0"),
        ({"normalization": "layer"}, "layer"),
    ],
)
def test_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        PyramidPooling(**arguments)
