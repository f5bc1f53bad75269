"""Networks of KerasHub made dense; skipped where it is not installed."""

import keras
import numpy as np
import pytest

from keras_segpaint.backbones import atrous
from tests.conformance.cases import fill_weights, images

pytest.importorskip("keras_hub", reason="KerasHub is not installed, and too large to be among the development tools")
from keras_hub import models

SIZE = (64, 64, 3)
ANY = (None, None, 3)


def resnet(block_type, pre_activation=False, shape=SIZE):
    deep = "vd" in block_type
    return models.ResNetBackbone(
        input_conv_filters=[4, 4, 64] if deep else [64],
        input_conv_kernel_sizes=[3, 3, 3] if deep else [7],
        stackwise_num_filters=[64, 16, 16, 16],
        stackwise_num_blocks=[1, 1, 1, 1],
        stackwise_num_strides=[1, 2, 2, 2],
        block_type=block_type,
        use_pre_activation=pre_activation,
        image_shape=shape,
    )


def mobilenet(shape=SIZE, squeeze=None):
    return models.MobileNetBackbone(
        stackwise_expansion=[[8, 8], [16, 16]],
        stackwise_num_blocks=[2, 2],
        stackwise_num_filters=[[8, 8], [8, 8]],
        stackwise_kernel_size=[[3, 3], [5, 5]],
        stackwise_num_strides=[[2, 1], [2, 1]],
        stackwise_se_ratio=[[None, None], [squeeze, squeeze]],
        stackwise_activation=[["relu", "relu"], ["hard_swish", "hard_swish"]],
        stackwise_padding=[[1, 1], [2, 2]],
        output_num_filters=16,
        depthwise_filters=8,
        depthwise_stride=2,
        depthwise_residual=False,
        last_layer_filter=16,
        image_shape=shape,
    )


NETWORKS = {
    "ResNet": lambda: resnet("basic_block"),
    "ResNet-any-size": lambda: resnet("bottleneck_block", shape=ANY),
    "ResNetV2": lambda: resnet("bottleneck_block", True),
    "ResNetV2-any-size": lambda: resnet("bottleneck_block", True, ANY),
    "ResNet-vd": lambda: resnet("bottleneck_block_vd"),
    "VGG": lambda: models.VGGBackbone([1, 1, 1, 1, 1], [4, 4, 8, 8, 8], image_shape=SIZE),
    "DenseNet": lambda: models.DenseNetBackbone(
        stackwise_num_repeats=[2, 2, 2, 2], compression_ratio=0.5, growth_rate=8, image_shape=SIZE
    ),
    "Xception": lambda: models.XceptionBackbone(
        [[8, 8], [16, 16], [24, 24], [32, 32], [40, 40]], [False, True, True, True, False], image_shape=SIZE
    ),
    "MobileNet": mobilenet,
    "MobileNet-any-size": lambda: mobilenet(ANY),
}


def features(model):
    return keras.ops.convert_to_numpy(model(images((1, *SIZE)), training=False))


@pytest.mark.parametrize("output_stride", [4, 8])
@pytest.mark.parametrize("name", NETWORKS)
def test_the_originals_features_are_among_the_dense_ones(name, output_stride):
    model = NETWORKS[name]()
    fill_weights(model)
    expected, actual = features(model), features(atrous(model, output_stride))
    # Unpadded convolutions take a pixel or two.
    assert actual.shape[1] == actual.shape[2] == pytest.approx(SIZE[0] / output_stride, abs=1)
    step = round(actual.shape[1] / expected.shape[1])
    assert step > 1
    sampled = actual[:, ::step, ::step]
    assert sampled.shape == expected.shape
    assert np.abs(expected).max() > 1e-3
    np.testing.assert_allclose(sampled, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())


def test_squeeze_and_excitation_sees_the_denser_map():
    """The features are close, not equal."""
    model = mobilenet(squeeze=0.25)
    fill_weights(model)
    expected, actual = features(model), features(atrous(model, 4))
    step = actual.shape[1] // expected.shape[1]
    difference = np.linalg.norm(actual[:, ::step, ::step] - expected) / np.linalg.norm(expected)
    assert 1e-6 < difference < 0.2
