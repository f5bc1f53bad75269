"""Heads and decoders compute what torchvision's and segmentation_models.pytorch's compute."""

import keras
import numpy as np
import pytest

from keras_segpaint import layers, models
from keras_segpaint.convert.sources.pyramid import fcn_head_layer
from keras_segpaint.convert.sources.segmentation_models_pytorch import plain_layer, plus_layer
from keras_segpaint.layers.factory import LayerFactory
from keras_segpaint.models.segmentation.deeplab_v3_plus import decoder
from keras_segpaint.models.segmentation.heads import fcn_head
from tests.reference import load_state_dict, to_model_format


@pytest.fixture
def reference(fixture_arrays):
    return fixture_arrays("decoder_heads")


def weights_of(reference, prefix):
    return {key.removeprefix(prefix): value for key, value in reference.weights.items() if key.startswith(prefix)}


def factory():
    return LayerFactory(keras.config.image_data_format(), keras.config.dtype_policy(), epsilon=1e-5)


def run(model, *arrays):
    inputs = [to_model_format(array) for array in arrays]
    return keras.ops.convert_to_numpy(model(inputs if len(inputs) > 1 else inputs[0], training=False))


def features(array):
    return keras.Input(to_model_format(array).shape[1:])


def assert_close(actual, expected):
    np.testing.assert_allclose(actual, to_model_format(expected), rtol=1e-4, atol=1e-4)


def test_fcn_head(reference):
    x = reference.arrays["features5_os16"]
    inputs = features(x)
    model = keras.Model(inputs, fcn_head(inputs, 7, factory(), dropout=0.1, name="head"))
    load_state_dict(
        model, weights_of(reference, "torchvision_fcn_head."), lambda module: fcn_head_layer(module, "head")
    )
    assert_close(run(model, x), reference.arrays["torchvision_fcn_head.y"])


def test_deeplab_v3_head(reference):
    # A ResNet-18 of three filters ends with the 24 channels of the fixture.
    network = models.DeepLabV3(
        2,
        backbone="resnet18",
        output_stride=8,
        head_conv=True,
        aspp_filters=9,
        backbone_options={"base_filters": 3},
    )
    deep = network.get_layer("aspp").input
    model = keras.Model(deep, network.get_layer("head_relu").output)
    load_state_dict(model, weights_of(reference, "smp_deeplabv3_decoder."), lambda m: plain_layer(f"decoder.{m}"))
    assert_close(run(model, reference.arrays["aspp_input"]), reference.arrays["smp_deeplabv3_decoder.y"])


def test_deeplab_v3_plus_decoder(reference):
    arrays = [reference.arrays[name] for name in ("features5_os16", "features2")]
    deep, low_level = inputs = [features(array) for array in arrays]
    pyramid = layers.AtrousSpatialPyramidPooling(10, (1, 2, 3), separable=True, depthwise_norm=False, name="aspp")
    x = decoder(
        pyramid(deep),
        low_level,
        factory(),
        filters=10,
        low_level_filters=48,
        head_conv=True,
        convs=1,
        separable=True,
        depthwise_norm=False,
        align_corners=True,
    )
    model = keras.Model(inputs, x)
    prefix = "smp_deeplabv3plus_decoder."
    load_state_dict(model, weights_of(reference, prefix), lambda m: plus_layer(f"decoder.{m}"))
    assert_close(run(model, *arrays), reference.arrays[f"{prefix}y"])


def test_pyramid_pooling(reference):
    x = reference.arrays["psp_input"]
    inputs = features(x)
    axis = -1 if keras.config.image_data_format() == "channels_last" else 1
    build = factory()
    pyramid = layers.PyramidPooling(filters=3, single_bin_norm=False, name="psp")(inputs)
    y = build.conv(10, 1, use_bias=False, name="conv")(pyramid)
    y = build.relu()(build.norm(y, "bn"))
    model = keras.Model(inputs, [pyramid, y])

    def rename(module):
        part, *rest = module.split(".")
        if part == "conv":
            return ("conv", "bn")[int(rest[0])]
        return f"psp/branch{rest[1]}/" + ("conv", "bn")[int(rest[-1])]

    state = weights_of(reference, "smp_psp_decoder.")
    # The reference has the input behind the pyramid, the paper's code and this one in front of it.
    state["conv.0.weight"] = np.roll(state["conv.0.weight"], 12, axis=1)
    load_state_dict(model, state, rename)
    pooled, result = model(to_model_format(x), training=False)
    expected = np.roll(reference.arrays["smp_psp_decoder.psp"], 12, axis=1)
    assert pooled.shape[axis] == 24
    assert_close(keras.ops.convert_to_numpy(pooled), expected)
    assert_close(keras.ops.convert_to_numpy(result), reference.arrays["smp_psp_decoder.y"])
