"""`attention=` of the encoder-decoder networks: where it stands, what it weighs, how it is kept."""

import keras
import numpy as np
import pytest

from keras_segpaint import layers, models
from keras_segpaint.layers.factory import LayerFactory
from keras_segpaint.layers.named_attention import ATTENTION, attend
from tests.conformance.cases import NARROW, images

# Each network, narrow; and of each attention layer the channels and which layer its output goes to.
PLACES = {
    "DeepLabV3Plus": (
        lambda **kw: models.DeepLabV3Plus(3, rates=(1, 2), aspp_filters=6, decoder_filters=6, **NARROW, **kw),
        {"attention": (6, "upsample")},
    ),
    "ENet": (lambda **kw: models.ENet(3, **kw), {"attention": (128, "bottleneck4_0_skip")}),
    "FCN32s": (lambda **kw: models.FCN32s(3, base_filters=1, **kw), {"attention": (64, "score_fc7")}),
    "FCN8s": (lambda **kw: models.FCN8s(3, base_filters=1, **kw), {"attention": (64, "score_fc7")}),
    "FCNResNet": (lambda **kw: models.FCNResNet(3, **NARROW, **kw), {"attention": (32, "head_conv")}),
    "GFRNet": (lambda **kw: models.GFRNet(3, base_filters=1, **kw), {"attention": (16, "stage1_prediction")}),
    "LinkNet": (
        lambda **kw: models.LinkNet(3, backbone_options={"base_filters": 4}, **kw),
        {
            "decoder4_attention": (16, "decoder4_add"),
            "decoder3_attention": (8, "decoder3_add"),
            "decoder2_attention": (4, "decoder2_add"),
            "decoder1_attention": (4, "decoder1_add"),
        },
    ),
    "PSPNet": (lambda **kw: models.PSPNet(3, filters=6, **NARROW, **kw), {"attention": (32, "pyramid")}),
    "RefineNet": (
        lambda **kw: models.RefineNet(3, backbone="resnet18", base_filters=4, filters=4, **kw),
        {"attention": (32, "level5_dropout")},
    ),
    "SegNet": (lambda **kw: models.SegNet(3, base_filters=2, **kw), {"attention": (16, "unpool5")}),
    "SegNetBasic": (lambda **kw: models.SegNetBasic(3, base_filters=2, **kw), {"attention": (2, "unpool4")}),
    "UNet": (
        lambda **kw: models.UNet(3, base_filters=2, **kw),
        {f"up{level}_attention": (2 * 2**level, f"up{level}_concat") for level in range(4)},
    ),
}


def followers(model, layer):
    """Names of the layers that a layer's output goes to."""
    return {node.operation.name for node in layer._outbound_nodes}


@pytest.mark.parametrize("name", sorted(PLACES))
def test_place_and_parameters(name):
    build, places = PLACES[name]
    plain = build(data_format="channels_last")
    model = build(attention="se", data_format="channels_last")
    found = {layer.name: layer for layer in model.layers if isinstance(layer, layers.SqueezeExcitation)}
    assert set(found) == set(places)
    added = 0
    for place, (channels, follower) in places.items():
        assert follower in followers(model, found[place])
        inner = max(channels // 16, 1)
        added += 2 * channels * inner + channels + inner
    assert model.count_params() == plain.count_params() + added
    again = type(model).from_config(model.get_config())
    assert again.get_config() == model.get_config() and again.get_config()["attention"] == "se"


@pytest.mark.parametrize("name", sorted(ATTENTION))
def test_every_name_gives_a_layer_that_keeps_the_shape(name):
    x = keras.Input((9, None, 8))
    y = attend(x, name, LayerFactory("channels_last", keras.DTypePolicy("float32")), "place")
    assert isinstance(y._keras_history.operation, ATTENTION[name]) and y.shape == x.shape


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_a_layer_is_a_pattern(data_format, tmp_path):
    if data_format == "channels_first" and keras.backend.backend() == "tensorflow":
        pytest.skip("TensorFlow's convolutions of a CPU are of the other data format")
    pattern = layers.ConvBlockAttention(ratio=2, data_format="channels_last")
    model = models.UNet(3, base_filters=2, attention=pattern, data_format=data_format, dtype="mixed_bfloat16")
    gates = [layer for layer in model.layers if isinstance(layer, layers.ConvBlockAttention)]
    assert len(gates) == 4 and pattern not in gates
    for gate in gates:
        assert (gate.ratio, gate.data_format, gate.compute_dtype) == (2, data_format, "bfloat16")
    x = images((1, 9, 13, 3))
    x = x if data_format == "channels_last" else np.moveaxis(x, -1, 1).copy()
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    assert loaded.get_config() == model.get_config()
    np.testing.assert_allclose(
        np.asarray(loaded.predict_on_batch(x)), np.asarray(model.predict_on_batch(x)), rtol=1e-4, atol=1e-4
    )


def test_all_of_a_network_trains():
    model = models.UNet(3, base_filters=4, attention="cbam", input_shape=(16, 24, 3), data_format="channels_last")
    model.compile(
        keras.optimizers.Adam(1e-2), keras.losses.SparseCategoricalCrossentropy(from_logits=True), run_eagerly=True
    )
    before = {weight.path: keras.ops.convert_to_numpy(weight).copy() for weight in model.trainable_weights}
    model.fit(images((2, 16, 24, 3)), np.arange(2 * 16 * 24).reshape(2, 16, 24) % 3, verbose=0)
    gates = [weight for weight in model.trainable_weights if "attention" in weight.path]
    assert len(gates) == 4 * 7
    # The hidden layers are of one or two rectified units, which may start dead.
    surely = [weight for weight in gates if "hidden" not in weight.path and not weight.path.endswith("score/kernel")]
    assert len(surely) == 4 * 4
    for weight in surely:
        assert np.abs(keras.ops.convert_to_numpy(weight) - before[weight.path]).max() > 0, weight.path


@pytest.mark.parametrize("attention", ["bam", 3, layers.SelectiveKernel])
def test_errors(attention):
    with pytest.raises(ValueError, match="`attention` must be one of"):
        models.SegNet(3, attention=attention)


def test_a_layer_that_changes_the_shape():
    with pytest.raises(ValueError, match="`attention` must keep the shape"):
        models.UNet(3, base_filters=2, input_shape=(16, 16, 3), attention=layers.SelectiveKernel(strides=2))
