"""Checkpoints of which no weights are at hand: every key of the published code is used and every weight filled."""

import keras
import numpy as np
import pytest
from safetensors.numpy import save_file

from keras_segpaint import convert, models
from keras_segpaint.convert.mapping import match

NORM = ("weight", "bias", "running_mean", "running_var")
DEPTHS = {"resnet50": (3, 4, 6, 3), "resnet101": (3, 4, 23, 3)}


class Keys(dict):
    """Shapes by the keys of a state dictionary, written as the published code's modules are."""

    def conv(self, name, outputs, inputs, size, bias=False):
        self[f"{name}.weight"] = (outputs, inputs, size, size)
        if bias:
            self[f"{name}.bias"] = (outputs,)

    def norm(self, name, channels):
        self.update({f"{name}.{kind}": (channels,) for kind in NORM})

    def unit(self, conv, norm, outputs, inputs, size, bias=False):
        self.conv(conv, outputs, inputs, size, bias)
        self.norm(norm, outputs)

    def resnet(self, name, prefix="", stem=64):
        before = stem
        for stage, (blocks, inner) in enumerate(zip(DEPTHS[name], (64, 128, 256, 512), strict=True), start=1):
            for block in range(blocks):
                path, outer = f"{prefix}layer{stage}.{block}", 4 * inner
                for index, shape in enumerate([(inner, before, 1), (inner, inner, 3), (outer, inner, 1)], start=1):
                    self.unit(f"{path}.conv{index}", f"{path}.bn{index}", *shape)
                if block == 0:
                    self.unit(f"{path}.downsample.0", f"{path}.downsample.1", outer, before, 1)
                before = outer

    def attention(self, name, channels):
        self[f"{name}.gamma"] = (1,)
        for part, outputs in (("query", channels // 8), ("key", channels // 8), ("value", channels)):
            self.conv(f"{name}.{part}_conv", outputs, channels, 1, bias=True)


def refine_net():
    keys = Keys()
    keys.unit("conv1", "bn1", 64, 3, 7)
    keys.resnet("resnet50")
    for level, (inputs, filters) in enumerate(zip((2048, 1024, 512, 256), (512, 256, 256, 256), strict=True), start=1):
        keys.conv(f"p_ims1d2_outl{level}_dimred", filters, inputs, 3)
        for index in range(1, 5):
            keys.conv(f"mflow_conv_g{level}_pool.0.{index}_outvar_dimred", filters, filters, 3)
        for side, units in (("adapt_stage", 2), ("mflow_conv_g", 3)):
            for unit in range(1, units + 1):
                keys.conv(f"{side}{level}_b.0.{unit}_conv", filters, filters, 3, bias=True)
                keys.conv(f"{side}{level}_b.0.{unit}_conv_relu_varout_dimred", filters, filters, 3)
        if level > 1:
            keys.conv(f"adapt_stage{level}_b2_joint_varout_dimred", 256, 256, 3)
        if level < 4:
            keys.conv(f"mflow_conv_g{level}_b3_joint_varout_dimred", 256, filters, 3)
    keys.conv("clf_conv", 21, 256, 3, bias=True)
    return keys


def da_net():
    keys = Keys()
    keys.unit("pretrained.conv1", "pretrained.bn1", 64, 3, 7)
    keys.resnet("resnet50", "pretrained.")
    for reduce, mix in (("5a", "51"), ("5c", "52")):
        keys.unit(f"head.conv{reduce}.0", f"head.conv{reduce}.1", 512, 2048, 3)
        keys.unit(f"head.conv{mix}.0", f"head.conv{mix}.1", 512, 512, 3)
    keys.attention("head.sa", 512)
    keys["head.sc.gamma"] = (1,)
    for head in (6, 7, 8):
        keys.conv(f"head.conv{head}.1", 19, 512, 1, bias=True)
    return keys


def cc_net():
    keys = Keys()
    for index, (outputs, inputs) in enumerate(((64, 3), (64, 64), (128, 64)), start=1):
        keys.unit(f"conv{index}", f"bn{index}", outputs, inputs, 3)
    keys.resnet("resnet101", stem=128)
    keys.unit("head.conva.0", "head.conva.1", 512, 2048, 3)
    keys.attention("head.cca", 512)
    keys.unit("head.convb.0", "head.convb.1", 512, 512, 3)
    keys.unit("head.bottleneck.0", "head.bottleneck.1", 512, 2560, 3)
    keys.conv("head.bottleneck.3", 19, 512, 1, bias=True)
    return keys


def deeplab_v2(backbone="resnet101"):
    keys, before = Keys(), 64
    keys.unit("base.layer1.conv1.conv", "base.layer1.conv1.bn", 64, 3, 7)
    for stage, (blocks, inner) in enumerate(zip(DEPTHS[backbone], (64, 128, 256, 512), strict=True), start=2):
        for block in range(1, blocks + 1):
            parts = {"reduce": (inner, before, 1), "conv3x3": (inner, inner, 3), "increase": (4 * inner, inner, 1)}
            if block == 1:
                parts["shortcut"] = (4 * inner, before, 1)
            for part, shape in parts.items():
                path = f"base.layer{stage}.block{block}.{part}"
                keys.unit(f"{path}.conv", f"{path}.bn", *shape)
            before = 4 * inner
    for rate in range(4):
        keys.conv(f"base.aspp.c{rate}", 21, 2048, 3, bias=True)
    return keys


# Trainable parameters: those published, or counted in the published code.
CHECKPOINTS = {
    "drsleep/refinenet": (refine_net, "RefineNet", 99_060_309),
    "junfu1115/danet": (da_net, "DANet", 47_462_651),
    "kazuto1011/deeplab_v2": (deeplab_v2, "DeepLabV2", 44_048_532),
    "speedinghzl/ccnet": (cc_net, "CCNet", 66_558_036),
}


@pytest.mark.parametrize("source", CHECKPOINTS)
def test_every_key_is_used_and_every_weight_filled(source):
    keys, name, parameters = CHECKPOINTS[source]
    state = {key: np.broadcast_to(np.float32(0), shape) for key, shape in keys().items()}
    layout = convert.get(source).layout(state)
    assert layout.model == name
    model = getattr(models, name)(**layout.arguments)
    found = match(model, layout.adapt(state), layout.rename(model))
    assert not found.unused and not found.unknown and not found.misshapen and not found.missing
    assert sum(int(np.prod(weight.shape)) for weight in model.trainable_weights) == parameters


def test_the_first_convolution_sees_blue_first_and_the_published_mean(tmp_path):
    rng = np.random.default_rng(0)
    state = {key: np.zeros(shape, "float32") for key, shape in deeplab_v2("resnet50").items()}
    kernel = state["base.layer1.conv1.conv.weight"] = rng.normal(size=(64, 3, 7, 7)).astype("float32")
    mean = state["base.layer1.conv1.bn.running_mean"] = rng.normal(size=64).astype("float32")
    state["base.layer1.conv1.bn.weight"] += 1
    state["base.layer1.conv1.bn.running_var"] += 1 - 1e-5
    save_file(state, tmp_path / "deeplab.safetensors")
    model = convert.build(tmp_path / "deeplab.safetensors", "kazuto1011/deeplab_v2", data_format="channels_last")
    image = rng.random((1, 9, 9, 3), dtype="float32")
    stem = keras.Model(model.input, model.get_layer("stem_bn").output)(image, training=False)
    grey_levels = image[0, 1:8, 1:8, ::-1] * 255 - np.float32([104.008, 116.669, 122.675])
    expected = np.einsum("oikl,kli->o", kernel, grey_levels) - mean
    # The window of the third row and column has nothing of the border.
    np.testing.assert_allclose(keras.ops.convert_to_numpy(stem)[0, 2, 2], expected, rtol=1e-4, atol=0.05)
