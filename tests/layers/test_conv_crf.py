"""The truncated CRF layer against mean field by its definition, on small maps."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_segpaint import layers
from keras_segpaint.inference import BilateralPairwise, GaussianPairwise, dense_crf

HEIGHT, WIDTH, CLASSES = 6, 7, 3


@pytest.fixture(scope="module")
def maps():
    random = np.random.default_rng(11)
    logits = random.normal(scale=2, size=(2, HEIGHT, WIDTH, CLASSES)).astype("float32")
    image = random.random((2, HEIGHT, WIDTH, 3)).astype("float32")
    return logits, image


def softmax(x: np.ndarray) -> np.ndarray:
    x = np.exp(x - x.max(axis=-1, keepdims=True))
    return x / x.sum(axis=-1, keepdims=True)


def mean_field(logits, image, radius, iterations, deviations, gains) -> np.ndarray:
    """Refined logits of one image: sums over all pairs of pixels, of which those too far apart have the weight 0."""
    near, wide, srgb = deviations
    rows, columns = np.indices(logits.shape[:2]).reshape(2, -1)
    apart = [np.abs(axis[:, None] - axis[None]) for axis in (rows, columns)]
    window = (apart[0] <= radius) & (apart[1] <= radius)
    distance = apart[0] ** 2.0 + apart[1] ** 2.0
    colours = image.reshape(-1, 3).astype(float) * 255
    difference = ((colours[:, None] - colours[None]) ** 2).sum(axis=-1)
    kernels = [
        np.exp(-distance / (2 * near**2)) * window,
        np.exp(-distance / (2 * wide**2) - difference / (2 * srgb**2)) * window,
    ]
    kernels = [kernel / np.sqrt(np.outer(kernel.sum(axis=1), kernel.sum(axis=1))) for kernel in kernels]
    unary = logits.reshape(-1, logits.shape[-1]).astype(float)
    refined = unary
    for _ in range(iterations):
        marginals = softmax(refined)
        refined = unary + sum(kernel @ marginals @ gain.T for kernel, gain in zip(kernels, gains, strict=True))
    return refined.reshape(logits.shape)


def close(layer, maps, expected, atol=1e-4):
    logits, image = maps
    np.testing.assert_allclose(ops.convert_to_numpy(layer(logits, image)), expected, rtol=0, atol=atol)


@pytest.mark.parametrize("kernel_size", [3, 5])
def test_potts_model_is_the_truncated_mean_field(maps, kernel_size):
    layer = layers.ConvCRF(
        kernel_size, iterations=3, gaussian_sxy=1.5, bilateral_sxy=2, srgb=90, data_format="channels_last"
    )
    gains = 3 * np.eye(CLASSES), 10 * np.eye(CLASSES)
    expected = [mean_field(*pair, kernel_size // 2, 3, (1.5, 2, 90), gains) for pair in zip(*maps, strict=True)]
    close(layer, maps, np.stack(expected))


def test_matrices_and_trained_deviations(maps):
    random = np.random.default_rng(3)
    gains = random.normal(size=(2, CLASSES, CLASSES)).astype("float32")
    layer = layers.ConvCRF(3, iterations=2, compat="full", srgb=80, learn_deviations=True, data_format="channels_last")
    layer.build((2, HEIGHT, WIDTH, CLASSES), (2, HEIGHT, WIDTH, 3))
    np.testing.assert_allclose(ops.convert_to_numpy(layer.gain), np.stack([3 * np.eye(3), 10 * np.eye(3)]))
    layer.gain.assign(gains)
    layer.log_factors.assign(np.log([0.5, 0.02, 1.25]))
    expected = [mean_field(*pair, 1, 2, (1.5, 1.6, 100), gains) for pair in zip(*maps, strict=True)]
    close(layer, maps, np.stack(expected))


def test_window_over_the_whole_image_is_the_dense_crf(maps):
    """But for the lattice's error."""
    logits, _ = maps
    image = np.zeros((1, HEIGHT, WIDTH, 3), "uint8")
    image[:, :, 3:] = 90
    layer = layers.ConvCRF(15, iterations=2, data_format="channels_last")
    refined = softmax(ops.convert_to_numpy(layer(logits[:1], image / np.float32(255))))[0]
    expected = dense_crf(softmax(logits[0]), image[0], [GaussianPairwise(), BilateralPairwise()], 2)
    assert np.abs(refined - expected).mean() < 0.02
    np.testing.assert_array_equal(refined.argmax(-1), expected.argmax(-1))


def test_blur_of_constant_maps_is_none(maps):
    """Cells of equal pixels: only the window grows, here beyond what is left of the map."""
    logits = np.broadcast_to(maps[0][:1, :1, :1], (1, 5, 7, CLASSES)).copy()
    image = np.full((1, 5, 7, 3), 0.5, "float32")
    settings = dict(gaussian_sxy=1e4, bilateral_sxy=1e4, iterations=2, data_format="channels_last")
    # All kernels are flat, so what a pixel hears is the sum over its window, normalised.
    blurred = ops.convert_to_numpy(layers.ConvCRF(9, blur=2, **settings)(logits, image))
    plain = ops.convert_to_numpy(layers.ConvCRF(15, **settings)(logits, image))
    np.testing.assert_allclose(blurred, plain, rtol=1e-4)


def test_blur_takes_means_of_cells(maps):
    """One cell for the whole image: each pixel hears the mean of all."""
    logits, image = maps
    layer = layers.ConvCRF(3, iterations=1, blur=8, data_format="channels_last")
    close(layer, maps, logits + 13 * softmax(logits).mean(axis=(1, 2), keepdims=True))


def test_gradients_reach_logits_and_weights(maps):
    """A step of training lowers the loss and changes what trains; all gradients are finite."""
    logits, image = maps
    shapes = [(HEIGHT, WIDTH, CLASSES), (HEIGHT, WIDTH, 3)]
    inputs = [keras.Input(shape) for shape in shapes]
    features = keras.layers.Conv2D(CLASSES, 1, data_format="channels_last")(inputs[0])
    layer = layers.ConvCRF(3, iterations=2, compat="full", srgb=100, learn_deviations=True, data_format="channels_last")
    model = keras.Model(inputs, layer(features, inputs[1]))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.01), loss, jit_compile=False)
    before = [ops.convert_to_numpy(weight).copy() for weight in model.trainable_weights]
    labels = np.tile(np.arange(WIDTH) % CLASSES, (2, HEIGHT, 1))
    losses = model.fit([logits, image], labels, epochs=3, batch_size=2, verbose=0).history["loss"]
    assert losses[2] < losses[1] < losses[0]
    for weight, old in zip(model.trainable_weights, before, strict=True):
        new = ops.convert_to_numpy(weight)
        assert np.isfinite(new).all()
        assert np.abs(new - old).max() > 0, weight.path
    assert len(model.trainable_weights) == 4


def test_half_precision_computes_in_float32(maps):
    logits, image = maps
    full = layers.ConvCRF(3, iterations=2, data_format="channels_last")
    half = layers.ConvCRF(3, iterations=2, data_format="channels_last", dtype="mixed_bfloat16")
    expected = ops.convert_to_numpy(full(logits, image))
    refined = half(ops.convert_to_tensor(logits), ops.convert_to_tensor(image))
    assert keras.backend.standardize_dtype(refined.dtype) == "bfloat16"
    # Rounded once, at the end.
    np.testing.assert_allclose(ops.convert_to_numpy(ops.cast(refined, "float32")), expected, rtol=2**-8)


@pytest.mark.parametrize(
    "settings, message",
    [
        (dict(kernel_size=4), "`kernel_size` must be an odd integer >= 3. Received: kernel_size=4"),
        (dict(iterations=0), "`iterations` must be an integer >= 1"),
        (dict(blur=0.5), "`blur` must be an integer >= 1"),
        (dict(srgb=0), "`srgb` must be a number > 0"),
        (dict(compat="diagonal"), '`compat` must be "potts" or "full"'),
    ],
)
def test_wrong_arguments_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        layers.ConvCRF(**settings)


def test_one_class_is_refused():
    with pytest.raises(ValueError, match="two classes or more"):
        layers.ConvCRF(data_format="channels_last")(np.zeros((1, 4, 4, 1)), np.zeros((1, 4, 4, 3)))
