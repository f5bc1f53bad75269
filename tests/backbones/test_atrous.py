"""A network made dense gives the original's features at the original's places."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_segpaint.backbones import MobileNetV2, ResNet, atrous
from tests.conformance.cases import fill_weights, images


def check(model, size, output_stride, strides, outputs=1):
    """The dense features, sampled, are the original's; returns them."""
    fill_weights(model)
    dense = atrous(model, output_stride)
    assert dense.input.shape == (None, None, None, model.input.shape[-1])
    x = images((1, *size, 3))
    expected = np.asarray(keras.ops.convert_to_numpy(model(x, training=False)))
    actual = np.asarray(keras.ops.convert_to_numpy(dense(x, training=False)))
    step = strides // output_stride
    sampled = actual[:, ::step, ::step]
    assert sampled.shape == expected.shape
    np.testing.assert_allclose(sampled, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())
    for layer in model.layers:
        for old, new in zip(layer.get_weights(), dense.get_layer(layer.name).get_weights(), strict=True):
            np.testing.assert_array_equal(old, new)
    return actual


@pytest.mark.parametrize(("size", "output_stride"), [(64, 8), (64, 16), (96, 4)])
def test_mobilenet_v2(size, output_stride):
    model = keras.applications.MobileNetV2((size, size, 3), alpha=0.35, include_top=False, weights=None)
    features = check(model, (size, size), output_stride, 32)
    assert features.shape[1:3] == (size // output_stride, size // output_stride)


@pytest.mark.parametrize(("size", "output_stride"), [(64, 8), (45, 16)])
def test_resnet50(size, output_stride):
    model = keras.applications.ResNet50(include_top=False, weights=None, input_shape=(size, size, 3))
    features = check(model, (size, size), output_stride, 32)
    assert features.shape[1:3] == (-(-size // output_stride), -(-size // output_stride))


@pytest.mark.parametrize("kind", [layers.MaxPooling2D, layers.AveragePooling2D])
@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize("window", [2, 3])
@pytest.mark.parametrize("size", [(32, 32), (37, 30)])
def test_every_kind_of_layer(kind, padding, window, size):
    if keras.backend.backend() == "torch" and kind is layers.AveragePooling2D and padding == "same" and window == 3:
        pytest.skip("Keras averages the padding of even sizes in with PyTorch")
    inputs = keras.Input((*size, 3))
    x = layers.Conv2D(4, 3, strides=2, padding="same")(inputs)
    x = kind(window, strides=2, padding=padding)(x)
    x = layers.ZeroPadding2D(((1, 0), (2, 1)))(x)
    x = layers.SeparableConv2D(5, window, padding=padding)(x)
    x = layers.Cropping2D(((0, 1), (1, 0)))(x)
    x = layers.DepthwiseConv2D(3, padding="same", dilation_rate=2)(x)
    x = kind(3, strides=2, padding="same" if kind is layers.MaxPooling2D else "valid")(x)
    y = layers.Conv2D(6, 2, padding="same", activation="relu")(x)
    x = layers.Concatenate()([kind(2, strides=1, padding="same")(x), y])
    model = keras.Model(inputs, layers.PReLU(shared_axes=[1, 2])(x))
    check(model, size, 2, 8)
    check(model, size, 4, 8)


def test_other_sizes_and_channels_first():
    keras.config.set_image_data_format("channels_first")
    model = keras.applications.MobileNetV2((3, 64, 64), alpha=0.35, include_top=False, weights=None)
    dense = atrous(model, 8)
    assert dense.input.shape == (None, 3, None, None)
    # PyTorch and JAX convolve channels first on any machine.
    if keras.backend.backend() != "tensorflow":
        assert tuple(dense(np.zeros((1, 3, 40, 72), "float32")).shape) == (1, 1280, 5, 9)


def test_own_backbone_equals_its_output_stride():
    settings = dict(input_shape=(48, 64, 3), data_format="channels_last")
    original = ResNet("resnet18", base_filters=4, **settings)
    fill_weights(original)
    ours = ResNet("resnet18", base_filters=4, output_stride=8, dilate_first=False, **settings)
    for layer in ours.layers:
        layer.set_weights(original.get_layer(layer.name).get_weights())
    x = images((1, 48, 64, 3))
    # torchvision's dilated first block dilates its second convolution by the rate of the stage before, too.
    dense = atrous(original, 8)(x)["level3"]
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(dense), keras.ops.convert_to_numpy(ours(x)["level3"]), rtol=1e-4, atol=1e-5
    )


def test_own_mobile_backbone_equals_its_output_stride():
    settings = dict(alpha=0.1, top=False, input_shape=(48, 64, 3), data_format="channels_last")
    original = MobileNetV2(**settings)
    fill_weights(original)
    ours = MobileNetV2(output_stride=8, **settings)
    ours.set_weights(original.get_weights())
    x = images((1, 48, 64, 3))
    expected = ours(x)
    for level, features in atrous(original, 8)(x).items():
        np.testing.assert_allclose(
            keras.ops.convert_to_numpy(features),
            keras.ops.convert_to_numpy(expected[level]),
            rtol=1e-4,
            atol=1e-5,
        )


def small(*middle):
    inputs = keras.Input((32, 32, 3))
    x = layers.Conv2D(4, 3, strides=4, padding="same")(inputs)
    for layer in middle:
        x = layer(x)
    return keras.Model(inputs, x)


@pytest.mark.parametrize(
    ("middle", "name"),
    [
        ([layers.Flatten(name="flat"), layers.Dense(3)], "flat"),
        ([layers.MaxPooling2D(2), layers.Conv2DTranspose(4, 2, strides=2, name="up")], "up"),
        ([layers.Conv2D(4, 3, strides=(2, 1), name="uneven")], "uneven"),
        ([layers.PReLU(name="everywhere")], "everywhere"),
        ([layers.MaxPooling2D(2), layers.RandomRotation(0.1, name="inside")], "inside"),
    ],
)
def test_a_layer_that_cannot_be_dense_is_named(middle, name):
    with pytest.raises(ValueError, match=f"cannot make layer '{name}'"):
        atrous(small(*middle), 4)


@keras.saving.register_keras_serializable(package="test")
class Block(layers.Layer):
    """Two layers as one, with a gate for the whole map, in a block within the block."""

    def __init__(self, filters, strides=2, gate=None, **kwargs):
        super().__init__(**kwargs)
        self.filters, self.strides, self.gate = filters, strides, gate
        self.conv = layers.Conv2D(filters, 3, strides=strides, padding="same", name=f"{self.name}_conv")
        self.inner = None if gate is None else Gate(gate, name=f"{self.name}_gate")

    def build(self, input_shape):
        self.conv.build(input_shape)
        if self.inner is not None:
            self.inner.build((*input_shape[:3], self.filters))

    def call(self, inputs):
        x = self.conv(inputs)
        return keras.ops.relu(x if self.inner is None else self.inner(x))

    def get_config(self):
        return super().get_config() | {"filters": self.filters, "strides": self.strides, "gate": self.gate}


class Gate(layers.Layer):
    """Looks at the whole map at once, and does nothing with it, so that a denser one changes nothing."""

    def __init__(self, bias, **kwargs):
        super().__init__(**kwargs)
        self.bias = bias
        self.dense = layers.Dense(1, name=f"{self.name}_dense")

    def build(self, input_shape):
        self.dense.build(input_shape)

    def call(self, inputs):
        seen = keras.ops.mean(inputs, axis=(1, 2), keepdims=True)
        return inputs * (self.bias + 0.0 * self.dense(seen))

    def get_config(self):
        return super().get_config() | {"bias": self.bias}


@pytest.mark.parametrize("size", [32, None])
def test_layers_made_of_others_are_taken_apart(size):
    inputs = keras.Input((size, size, 3))
    x = inputs
    for index, gate in enumerate((None, None, 0.5, 0.25), start=1):
        x = Block(4, gate=gate, name=f"block{index}")(x)
    # -inf outside, so that a pool has nothing but the map.
    x = keras.ops.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), constant_values=-np.inf)
    model = keras.Model(inputs, layers.MaxPooling2D(3, strides=1)(x))
    fill_weights(model)
    dense = atrous(model, 4)
    x = images((1, 32, 32, 3))
    expected, actual = (keras.ops.convert_to_numpy(network(x)) for network in (model, dense))
    assert actual.shape == (1, 8, 8, 4) and expected.shape == (1, 2, 2, 4)
    np.testing.assert_allclose(actual[:, ::4, ::4], expected, rtol=1e-4, atol=1e-6)
    assert dense.get_layer("block3_conv").dilation_rate == (1, 1)
    assert dense.get_layer("block4_conv").dilation_rate == (2, 2)


def test_shared_layer():
    shared = layers.Conv2D(4, 3, padding="same", name="shared")
    with pytest.raises(ValueError, match="'shared'.*more than once"):
        atrous(small(layers.MaxPooling2D(2), shared, shared), 4)


def test_arguments():
    with pytest.raises(ValueError, match="`output_stride`.*output_stride=0"):
        atrous(small(), 0)
    with pytest.raises(ValueError, match="`model` must be a functional model"):
        atrous(keras.Sequential([keras.Input((8, 8, 3)), layers.Conv2D(3, 3)]))
    with pytest.raises(ValueError, match="must have convolutions"):
        atrous(keras.Sequential([keras.Input((8, 8, 3)), layers.ReLU()])._functional)
