"""Contextual attention: against the reference implementation, and against patches cut out one by one."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_segpaint.layers import ContextualAttention

LAST = {"data_format": "channels_last"}
CASES = ("default", "nofuse", "rect_fuse", "k5_fuse5", "k1_nofuse", "nomask", "f_not_b")


def case_of(reference, name):
    """The constructor's arguments, foreground, background and mask of a case, channels last."""
    given = reference.info["cases"][name]
    arguments = dict(
        kernel_size=given["ksize"],
        stride=given["stride"],
        rate=given["rate"],
        fuse=given["fuse"],
        fuse_kernel=given["fuse_k"],
        scale=given["softmax_scale"],
    )
    arrays = [reference.arrays.get(f"{name}.{key}") for key in ("f", "b", "mask")]
    return arguments, [array if array is None else array.transpose(0, 2, 3, 1) for array in arrays]


def run(layer, *arrays):
    """The layer's outputs as arrays; on JAX compiled at once, which takes less time than doing it step by step."""
    given = [array for array in arrays if array is not None]
    if keras.backend.backend() == "jax":
        inputs = [keras.Input(array.shape[1:], batch_size=len(array)) for array in given]
        outputs = keras.Model(inputs, layer(*inputs)).predict_on_batch(given)
    else:
        outputs = layer(*given)
    return keras.tree.map_structure(ops.convert_to_numpy, outputs)


@pytest.mark.parametrize("name", CASES)
def test_reference_outputs(fixture_arrays, name):
    reference = fixture_arrays("deepfillv2_contextual_attention")
    assert set(CASES) == set(reference.info["cases"])
    arguments, inputs = case_of(reference, name)
    output, offsets = run(ContextualAttention(**arguments, return_offsets=True, **LAST), *inputs)
    expected = reference.arrays[f"{name}.output"].transpose(0, 2, 3, 1)
    np.testing.assert_allclose(output, expected, rtol=1e-5, atol=1e-5)
    if name != "f_not_b":  # there the reference takes the foreground's width for the background's
        expected = reference.arrays[f"{name}.offsets"].transpose(0, 2, 3, 1)
        np.testing.assert_array_equal(offsets, expected)


@pytest.mark.parametrize(("name", "rows"), [("default", 3), ("k5_fuse5", 2), ("f_not_b", 1)])
def test_blocks_of_rows_change_nothing(fixture_arrays, name, rows):
    arguments, inputs = case_of(fixture_arrays("deepfillv2_contextual_attention"), name)
    whole = run(ContextualAttention(**arguments, return_offsets=True, **LAST), *inputs)
    blocked = run(ContextualAttention(**arguments, return_offsets=True, block_rows=rows, **LAST), *inputs)
    np.testing.assert_allclose(blocked[0], whole[0], rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(blocked[1], whole[1])


def every(x, size):
    """The pixels at the top left of blocks."""
    return x[:: -(-x.shape[0] // size[0]), :: -(-x.shape[1] // size[1])]


def between_corners(x, size):
    """The pixels next to points that are spread evenly from the first pixel to the last."""
    for axis, extent in enumerate(size):
        x = x.take(np.floor(np.linspace(0, x.shape[axis] - 1, extent) + 0.5).astype(int), axis)
    return x


def by_patches(f, b, hole, kernel_size, stride, rate, scale, masking, smaller=every):
    """Attention without fusing of one sample, patch by patch."""
    height, width, channels = f.shape
    radius, before = kernel_size // 2, rate // 2
    rows, columns = -(-b.shape[0] // rate), -(-b.shape[1] // rate)
    queries, keys = smaller(f, (-(-height // rate), -(-width // rate))), smaller(b, (rows, columns))
    if smaller is between_corners:
        hole = smaller(hole, b.shape[:2])

    def patches(x):
        x = np.pad(x, ((radius, radius), (radius, radius), (0, 0)))
        return {
            (i, j): x[i : i + kernel_size, j : j + kernel_size]
            for i in range(x.shape[0] - 2 * radius)
            for j in range(x.shape[1] - 2 * radius)
        }

    own = {at: patch for at, patch in patches(keys).items() if at[0] % stride == 0 and at[1] % stride == 0}
    touched = patches(smaller(hole, (rows, columns)))
    valid = np.array([touched[at].max() == 0 for at in own], float)
    padded = np.pad(b, ((before, 3 * rate), (before, 3 * rate), (0, 0)))
    raw = [padded[rate * i : rate * (i + 2), rate * j : rate * (j + 2)] for i, j in own]
    canvas = np.zeros((height + 4 * rate, width + 4 * rate, channels))
    for (i, j), query in patches(queries).items():
        scores = np.array([(query * key).sum() / max(np.linalg.norm(key), 1e-4) for key in own.values()]) * scale
        weights = np.exp(scores * valid) if masking == "zero" else np.exp(scores) * valid
        weights = weights / max(weights.sum(), 1e-30) * valid
        canvas[rate * i : rate * (i + 2), rate * j : rate * (j + 2)] += np.tensordot(weights, raw, 1)
    return canvas[before : before + height, before : before + width] / 4


@pytest.mark.parametrize(
    ("size", "kernel_size", "stride", "rate", "masking"),
    [
        ((10, 12), 3, 1, 2, "exclude"),
        ((9, 13), 3, 2, 2, "zero"),
        ((6, 7), 1, 2, 1, "exclude"),
        ((11, 8), 3, 1, 3, "zero"),
    ],
)
def test_any_stride_and_rate_with_a_mask_for_each_sample(size, kernel_size, stride, rate, masking, rng):
    f, b = (rng.normal(size=(2, *size, 4)).astype("float32") * 0.3 for _ in range(2))
    rows, columns = (-(-extent // rate) for extent in size)
    hole = np.zeros((2, 2 * rows, 2 * columns, 1), "float32")
    hole[0, :4, 2:6], hole[1, 4:] = 1, 1
    layer = ContextualAttention(kernel_size, stride, rate, fuse=False, scale=5.0, masking=masking, block_rows=3, **LAST)
    expected = [by_patches(*sample, kernel_size, stride, rate, 5.0, masking) for sample in zip(f, b, hole, strict=True)]
    np.testing.assert_allclose(run(layer, f, b, hole), expected, rtol=1e-4, atol=1e-5)


def test_maps_may_be_made_smaller_from_corner_to_corner(rng):
    f, b = (rng.normal(size=(2, *size, 4)).astype("float32") * 0.3 for size in ((10, 12), (12, 14)))
    hole = np.zeros((2, 48, 56, 1), "float32")
    hole[0, :16, 8:24], hole[1, 19:] = 1, 1
    layer = ContextualAttention(fuse=False, scale=5.0, downsampling="corners", block_rows=3, **LAST)
    samples = zip(f, b, hole, strict=True)
    expected = [by_patches(*sample, 3, 1, 2, 5.0, "zero", between_corners) for sample in samples]
    np.testing.assert_allclose(run(layer, f, b, hole), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("masking", ["zero", "exclude"])
def test_without_any_known_patch_the_result_is_zero(masking, rng):
    x = rng.normal(size=(1, 8, 8, 3)).astype("float32")
    output = ContextualAttention(masking=masking, **LAST)(x, x, np.ones((1, 8, 8, 1), "float32"))
    assert not ops.convert_to_numpy(output).any()


def test_features_of_zeros_have_a_gradient():
    x = keras.Input((8, 8, 3))
    features = keras.layers.Conv2D(3, 1, activation="relu", bias_initializer=keras.initializers.Constant(-9), **LAST)(x)
    model = keras.Model(x, ContextualAttention(**LAST)(features, features))
    model.compile("sgd", "mse", run_eagerly=keras.backend.backend() == "tensorflow")
    model.fit(np.zeros((1, 8, 8, 3), "float32"), np.ones((1, 8, 8, 3), "float32"), verbose=0)
    assert all(np.isfinite(ops.convert_to_numpy(weight)).all() for weight in model.weights)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"kernel_size": 4}, "`kernel_size` must be an odd integer >= 1. Received: kernel_size=4"),
        ({"fuse_kernel": 0}, "`fuse_kernel` must be an odd integer"),
        ({"rate": 0}, "`rate` must be an integer >= 1. Received: rate=0"),
        ({"stride": 2}, "`stride` above 1 goes with `fuse=False` only. Received: stride=2"),
        ({"masking": "inf"}, '`masking` must be "zero" or "exclude"'),
        ({"patch_norm": "l2"}, '`patch_norm` must be "clip" or "add"'),
        ({"downsampling": "centres"}, '`downsampling` must be "top_left" or "corners"'),
    ],
)
def test_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        ContextualAttention(**arguments)


def test_a_map_that_is_too_small_to_fuse():
    x = ops.zeros((1, 4, 8, 2))
    with pytest.raises(ValueError, match="2x4 positions.*too small for `fuse_kernel=7`"):
        ContextualAttention(fuse_kernel=7, **LAST)(x, x)
