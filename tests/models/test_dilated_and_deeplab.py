"""DilatedNet and DeepLab v1 and v2: where they look, how scales are fused, and the heads for training."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_segpaint import models
from keras_segpaint.layers import Resize
from tests.conformance.cases import fill_weights, images

LAST = dict(data_format="channels_last")


def dilation_rates(model):
    layers = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D)]
    return {layer.name: layer.dilation_rate[0] for layer in layers if layer.dilation_rate[0] > 1}


def test_dilated_net_front_end():
    model = models.DilatedNet(3, context=None, base_filters=2, **LAST)
    assert dilation_rates(model) == {"conv5_1": 2, "conv5_2": 2, "conv5_3": 2, "fc6": 4}
    pools = [layer.name for layer in model.layers if isinstance(layer, keras.layers.MaxPooling2D)]
    assert pools == ["pool1", "pool2", "pool3"]


@pytest.mark.parametrize("size", [(40, 24), (33, 50), (1, 5)])
def test_dilated_net_by_reflection_has_one_score_for_each_eight_pixels(size):
    model = models.DilatedNet(3, padding="reflect", base_filters=1, **LAST)
    scores = keras.Model(model.input, model.get_layer("score").output)(images((1, *size, 3)))
    assert tuple(scores.shape)[1:3] == tuple(-(-extent // 8) for extent in size)


def test_dilated_net_paddings_agree_far_from_the_border():
    x = images((1, 448, 448, 3))
    same, reflect = (models.DilatedNet(2, context=None, padding=p, base_filters=1, **LAST) for p in ("same", "reflect"))
    fill_weights(same)
    reflect.set_weights(same.get_weights())
    a, b = (
        ops.convert_to_numpy(keras.Model(model.input, model.get_layer("score").output)(x, training=False))
        for model in (same, reflect)
    )
    assert a.shape == b.shape
    middle = slice(26, 30)  # the field of view reaches 186 pixels, 24 scores, to each side
    np.testing.assert_allclose(a[:, middle, middle], b[:, middle, middle], rtol=1e-4, atol=1e-5)
    assert np.abs(a - b).max() > 1e-3


def test_deeplab_v1_fields_of_view():
    expected = {"large": ((3, 3), 12), "base": ((4, 4), 4), "4x4": ((4, 4), 8), "7x7": ((7, 7), 4)}
    for field, (kernel_size, rate) in expected.items():
        model = models.DeepLabV1(2, field_of_view=field, base_filters=1, **LAST)
        assert model.get_layer("fc6").kernel_size == kernel_size
        assert dilation_rates(model) == {"conv5_1": 2, "conv5_2": 2, "conv5_3": 2, "fc6": rate}
        score = keras.Model(model.input, model.get_layer("fc8").output)
        assert tuple(score(images((1, 41, 33, 3))).shape) == (1, 6, 5, 2)


def test_deeplab_v1_adds_its_branches():
    x = images((1, 33, 41, 3))
    model = models.DeepLabV1(2, multi_scale=True, base_filters=2, **LAST)
    fill_weights(model)
    names = ["upsample", *(f"{branch}_upsample" for branch in ("image", "pool1", "pool2", "pool3", "pool4"))]
    parts = keras.Model(model.input, [model.get_layer(name).output for name in names])(x, training=False)
    total = sum(ops.convert_to_numpy(part) for part in parts)
    np.testing.assert_allclose(ops.convert_to_numpy(model(x, training=False)), total, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("backbone", ["resnet18", "vgg16"])
def test_deeplab_v2_takes_the_largest_score_of_all_scales(backbone):
    x = images((1, 49, 65, 3))
    arguments = dict(backbone=backbone, base_filters=2, **LAST)
    many, single = models.DeepLabV2(3, **arguments), models.DeepLabV2(3, scales=(1.0,), **arguments)
    assert [w.shape for w in many.weights] == [w.shape for w in single.weights]
    fill_weights(many)
    single.set_weights(many.get_weights())
    score = keras.Model(single.input, single.get_layer("upsample").input[0])

    def at(height, width):
        smaller = Resize(size=(height, width), **LAST)(x)
        return Resize(size=(7, 9), align_corners=True, **LAST)(score(smaller, training=False))

    fused = np.max([ops.convert_to_numpy(at(*size)) for size in ((49, 65), (36, 48), (24, 32))], axis=0)
    expected = ops.convert_to_numpy(Resize(size=(49, 65), align_corners=True, **LAST)(fused))
    np.testing.assert_allclose(ops.convert_to_numpy(many(x, training=False)), expected, rtol=1e-4, atol=1e-4)


def test_deeplab_v2_trains_every_scale_and_the_fusion():
    keras.utils.set_random_seed(0)
    model = models.DeepLabV2(3, backbone="resnet18", base_filters=4, supervised=True, **LAST)
    assert model.supervision == {"scale_100": 1.0, "scale_75": 1.0, "scale_50": 1.0}
    x = images((2, 33, 33, 3))
    sizes = {name: tuple(head.shape) for name, head in model(x).items()}
    assert sizes == {
        "logits": (2, 33, 33, 3),
        "scale_100": (2, 5, 5, 3),
        "scale_75": (2, 3, 3, 3),
        "scale_50": (2, 2, 2, 3),
    }
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True), run_eagerly=True)
    history = model.fit(x, np.zeros((2, 33, 33), "int32"), epochs=1, verbose=0)
    # Four losses, each near the logarithm of the three classes.
    assert 2 < history.history["loss"][0] < 8
    predictor = model.predictor()
    np.testing.assert_allclose(
        ops.convert_to_numpy(predictor(x, training=False)),
        ops.convert_to_numpy(model(x, training=False)["logits"]),
        rtol=1e-4,
        atol=1e-5,
    )


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: models.DilatedNet(2, context="huge"), "context='huge'"),
        (lambda: models.DilatedNet(2, context_layers=9), "context_layers=9"),
        (lambda: models.DilatedNet(2, context="large", context_layers=10), "context_layers=10"),
        (lambda: models.DilatedNet(2, padding="valid"), "padding='valid'"),
        (lambda: models.DilatedNet(2, backbone="resnet18"), "backbone='resnet18'"),
        (lambda: models.DeepLabV1(2, field_of_view="small"), "field_of_view='small'"),
        (lambda: models.DeepLabV1(2, backbone="resnet18"), "backbone='resnet18'"),
        (lambda: models.DeepLabV2(2, backbone="enet"), "backbone='enet'"),
        (lambda: models.DeepLabV2(2, rates=()), r"rates=\(\)"),
        (lambda: models.DeepLabV2(2, scales=(1.0, 1.0)), r"scales=\(1.0, 1.0\)"),
        (lambda: models.DeepLabV2(2, scales=(1.0,), supervised=True), "supervised=True"),
    ],
)
def test_errors(build, message):
    with pytest.raises(ValueError, match=message):
        build()
