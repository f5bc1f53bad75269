"""Weight files of keras.applications: the backbones compute what the networks there do."""

import keras
import pytest

from keras_segpaint.backbones import (
    MobileNetV2,
    MobileNetV3Large,
    ResNet,
    base,
    image_source,
)
from keras_segpaint.backbones.pretrained import load_backbone_weights
from keras_segpaint.layers.factory import LayerFactory
from tests.backbones.states import LAST, close, output
from tests.conformance.cases import fill_weights, images


def application(build, path, **settings):
    """A network of keras.applications of random weights, saved in the old format that its files are in."""
    network = build(include_top=False, weights=None, **settings)
    fill_weights(network)
    network.save(path)
    return network


def test_resnet_v1_equals_keras(tmp_path):
    path = tmp_path / "resnet.h5"
    network = application(keras.applications.ResNet50, path, input_shape=(None, None, 3))
    model = ResNet("resnet50_v1", weights=str(path), **LAST)
    x = images((1, 45, 64, 3))
    expected = output(network, keras.applications.resnet.preprocess_input(255 * x))
    close(output(model, x, "level5"), expected, 1e-3)
    with pytest.raises(ValueError, match='backbone="resnet50_v1"'):
        load_backbone_weights(ResNet("resnet50", base_filters=4), "resnet50", str(path))


@pytest.mark.parametrize(
    ("backbone", "build"), [("vgg16", keras.applications.VGG16), ("vgg19", keras.applications.VGG19)]
)
def test_vgg_equals_keras(backbone, build, tmp_path):
    path = tmp_path / "vgg.h5"
    network = application(build, path, input_shape=(None, None, 3))
    inputs = keras.Input((None, None, 3))
    features = base.build_features(backbone, inputs, LayerFactory("channels_last", keras.config.dtype_policy()))
    whole = keras.Model(inputs, features["conv5"])
    model = keras.Model(inputs, whole.get_layer("conv3_3_relu").output)
    x = images((1, 48, 64, 3))
    load_backbone_weights(whole, backbone, str(path))
    expected = keras.Model(network.input, network.get_layer("block3_conv3").output)(
        keras.applications.vgg16.preprocess_input(255 * x), training=False
    )
    middle = (slice(None), slice(4, -4), slice(4, -4))
    close(output(model, x)[middle], keras.ops.convert_to_numpy(expected)[middle], 1e-3)


@pytest.mark.parametrize(
    ("build", "ours", "alpha", "levels"),
    [
        (
            keras.applications.MobileNetV2,
            MobileNetV2,
            0.35,
            {"level2": "block_2_add", "level3": "block_5_add", "level5": "out_relu"},
        ),
        (
            keras.applications.MobileNetV3Large,
            MobileNetV3Large,
            0.75,
            {"level2": "expanded_conv_2_add", "level5": None},
        ),
    ],
)
def test_mobile_networks_equal_keras(tmp_path, monkeypatch, build, ours, alpha, levels):
    path = tmp_path / "mobile.h5"
    # Odd at every stride: there Keras pads both sides alike.
    network = application(build, path, input_shape=(65, 65, 3), alpha=alpha)
    name = ours.architecture
    x = images((1, 65, 65, 3))
    taps = [network.output if tap is None else network.get_layer(tap).output for tap in levels.values()]
    scaled = 255 * x if name == "mobilenet_v3_large" else 2 * x - 1
    expected = dict(zip(levels, keras.Model(network.input, taps)(scaled, training=False), strict=True))
    # With another normalisation in front only the border differs.
    model = ours(alpha=alpha, weights=str(path), **LAST)
    middle = (slice(None), slice(5, -5), slice(5, -5))
    close(output(model, x, "level2")[middle], keras.ops.convert_to_numpy(expected["level2"])[middle], 1e-3)
    family = base.FAMILIES[name]
    signed = base.Family(family.module, family.function, *image_source.SIGNED, family.momentum, family.epsilon)
    monkeypatch.setitem(base.FAMILIES, name, signed)
    model = ours(alpha=alpha, weights=str(path), **LAST)
    for level, value in expected.items():
        close(output(model, x, level), keras.ops.convert_to_numpy(value), 1e-3)


def test_mobile_width_without_published_weights(tmp_path):
    path = tmp_path / "mobile.h5"
    application(keras.applications.MobileNetV2, path, input_shape=(32, 32, 3), alpha=0.35)
    with pytest.raises(ValueError, match="alpha of"):
        MobileNetV2(alpha=0.1, weights=str(path))
    with pytest.raises(ValueError, match="does not hold the weights of mobilenet_v2"):
        MobileNetV2(alpha=0.5, weights=str(path))
