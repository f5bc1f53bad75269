"""FCN: upsampling, the scaled pools, and the padding of the released networks."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_segpaint import models
from tests.conformance.cases import images


def trainable_names(model):
    return {weight.path.split("/")[-2] for weight in model.trainable_weights}


@pytest.mark.parametrize(("model", "factors"), [("FCN32s", [32]), ("FCN16s", [2, 16]), ("FCN8s", [2, 2, 8])])
def test_upsampling_is_fixed_or_learned(model, factors):
    fixed = getattr(models, model)(3, base_filters=2)
    learned = getattr(models, model)(3, base_filters=2, upsampling="learned")
    upsampling = [layer for layer in learned.layers if isinstance(layer, keras.layers.Conv2DTranspose)]
    assert [layer.strides for layer in upsampling] == [(factor, factor) for factor in factors]
    names = {layer.name for layer in upsampling}
    assert names <= trainable_names(learned)
    assert not names & trainable_names(fixed)
    learned.set_weights(fixed.get_weights())
    kernel = ops.convert_to_numpy(upsampling[-1].kernel)
    assert kernel[..., 0, 1].max() == 0
    assert kernel[..., 0, 0].sum() == pytest.approx(factors[-1] ** 2, rel=1e-5)


def test_scores_start_at_zero_and_so_does_a_new_skip_connection():
    x = images((1, 40, 70, 3))
    coarse, fine = models.FCN16s(3, base_filters=2), models.FCN8s(3, base_filters=2)
    assert not ops.convert_to_numpy(coarse(x)).any()
    for name in ("score_fc7", "score_pool4"):
        layer = coarse.get_layer(name)
        layer.kernel.assign(np.random.default_rng(0).normal(size=layer.kernel.shape))
    for layer in coarse.layers:
        if layer.weights and layer.name != "upsample":
            fine.get_layer(layer.name).set_weights(layer.get_weights())
    assert not ops.convert_to_numpy(fine.get_layer("score_pool3").kernel).any()
    # Upsampling 16 times at once or twice and then 8 times: the triangles differ, the means do not.
    a, b = (ops.convert_to_numpy(model(x, training=False)).mean() for model in (coarse, fine))
    assert a == pytest.approx(b, rel=0.15)


def test_at_once_scales_the_pools():
    plain, scaled = (models.FCN8s(3, base_filters=2, at_once=value) for value in (False, True))
    assert [w.shape for w in plain.weights] == [w.shape for w in scaled.weights]
    factors = {name: scaled.get_layer(f"{name}_rescale").scale for name in ("pool4", "pool3")}
    assert factors == {"pool4": 0.01, "pool3": 0.0001}
    assert scaled.get_config()["at_once"] is True


@pytest.mark.parametrize("model", ["FCN32s", "FCN16s", "FCN8s"])
def test_padding_of_the_released_networks_lies_where_theirs_does(model):
    # A single class whose score is the mean of the image: what comes out lies where the bright square lay.
    network = getattr(models, model)(1, input_shape=(None, None, 3), padding="pad100", base_filters=1, dropout=0.0)
    for size in ((150, 231), (1, 1)):
        assert tuple(network(images((1, *size, 3))).shape)[1:3] == size
    for layer in network.layers:
        if isinstance(layer, keras.layers.Conv2D):
            kernel = np.zeros(layer.kernel.shape)
            middle = tuple(extent // 2 for extent in kernel.shape[:2])
            kernel[middle] = 1 / kernel.shape[2]
            layer.kernel.assign(kernel)
    x = np.zeros((1, 224, 224, 3), "float32")
    x[:, 96:160, 64:128] = 1e3
    heat = ops.convert_to_numpy(network(x, training=False))[0]
    heat = heat[..., 0] if heat.shape[-1] == 1 else heat[0]
    heat = heat - np.median(heat)
    heat[heat < 0.2 * heat.max()] = 0
    rows, columns = (np.average(np.arange(224), weights=heat.sum(axis)) for axis in (1, 0))
    assert abs(rows - 127.5) < 17
    assert abs(columns - 95.5) < 17


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: models.FCN8s(2, backbone="alexnet"), "backbone='alexnet'"),
        (lambda: models.FCN32s(2, backbone="alexnet", padding="pad100"), "pad100"),
        (lambda: models.FCN32s(2, padding="valid"), "padding='valid'"),
        (lambda: models.FCN32s(2, upsampling="cubic"), "upsampling='cubic'"),
        (lambda: models.FCN32s(2, at_once=True), "at_once=True"),
    ],
)
def test_errors(build, message):
    with pytest.raises(ValueError, match=message):
        build()
