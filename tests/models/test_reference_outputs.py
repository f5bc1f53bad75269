"""The models compute what the reference implementations compute, from the same weights."""

import re

import keras
import numpy as np
import pytest

from keras_segpaint import models
from tests.reference import load_torch_weights, to_model_format


def outputs_of(model, layer_names, x):
    taps = [model.get_layer(name).output for name in layer_names]
    results = keras.Model(model.input, taps)(to_model_format(x), training=False)
    return [keras.ops.convert_to_numpy(result) for result in results]


def assert_close(actual, expected, tolerance=1e-4):
    np.testing.assert_allclose(actual, to_model_format(expected), rtol=tolerance, atol=tolerance)


def enet_layer(module: str, up_last: str) -> str:
    """The layer of ENet that a module of the PyTorch ports is."""
    if module == "transposed_conv":
        return "classifier"
    block, _, part = module.partition(".")
    if block == "initial_block":
        return {
            "main_branch": "initial_conv",
            "batch_norm": "initial_bn",
            "out_activation": "initial_act",
            "out_prelu": "initial_act",
        }[part]
    stage, index = re.fullmatch(r"[a-z]+(\d)_(\d)", block).groups()
    # Stage 3 is counted from 0 in the ports, and from 1 in the paper.
    name = f"bottleneck{stage}_{int(index) + (stage == '3')}"
    if part in ("out_activation", "out_prelu"):
        return f"{name}_act"
    branch, _, position = part.partition(".")
    if branch == "main_conv1":
        return f"{name}_skip" + ("", "_bn")[int(position)]
    if branch == "ext_tconv1":
        return f"{name}_conv"
    if branch == "ext_tconv1_bnorm":
        return f"{name}_conv_bn"
    if branch == "ext_conv1":
        return f"{name}_reduce" + ("", "_bn", "_act")[int(position)]
    if branch == (up_last if block.startswith("upsample") else "ext_conv3"):
        return f"{name}_expand" + ("", "_bn", "_act")[int(position)]
    if block.startswith("asymmetric") and int(position) < 3:
        return f"{name}_conv_5x1" + ("", "_bn", "_act")[int(position)]
    return f"{name}_conv" + ("", "_bn", "_act")[int(position) % 3]


@pytest.mark.parametrize(("variant", "fixture"), [("pytorch", "enet"), ("pytorch_2018", "enet_2018")])
def test_enet(fixture_arrays, variant, fixture):
    reference = fixture_arrays(fixture)
    model = models.ENet(12, variant=variant)
    # The newer port calls the last convolution of an upsampling bottleneck `ext_conv2`, the older one `ext_conv3`.
    up_last = "ext_conv3" if variant == "pytorch_2018" else "ext_conv2"
    load_torch_weights(model, reference.weights, lambda module: enet_layer(module, up_last))
    x = reference.arrays["x"]
    logits = keras.ops.convert_to_numpy(model(to_model_format(x), training=False))
    assert_close(logits, reference.arrays["logits"])
    if fixture == "enet":
        taps = {
            "stage1": "bottleneck1_4_act",
            "stage2": "bottleneck2_8_act",
            "stage3": "bottleneck3_8_act",
            "upsample4_0": "bottleneck4_0_act",
        }
        for key, actual in zip(taps, outputs_of(model, taps.values(), x), strict=True):
            assert_close(actual, reference.arrays[key])
        for name, key in (
            ("bottleneck1_0_pool", "max_indices_downsample1_0"),
            ("bottleneck2_0_pool", "max_indices_downsample2_0"),
        ):
            positions = keras.Model(model.input, model.get_layer(name).output[1])(to_model_format(x))
            np.testing.assert_array_equal(keras.ops.convert_to_numpy(positions), to_model_format(reference.arrays[key]))


def segnet_layer(module: str) -> str:
    """The layer of SegNet that a module of the PyTorch port is."""
    kind, stage, index, position = re.fullmatch(r"(encoder_conv|decoder_convtr)_(\d)(\d)\.(\d)", module).groups()
    depth = (2, 2, 3, 3, 3)[int(stage)]
    if kind == "encoder_conv":
        name = f"conv{int(stage) + 1}_{int(index) + 1}"
    elif (stage, index) == ("0", "0"):
        return "classifier"
    else:
        # The port counts the decoder's convolutions downwards.
        name = f"decoder{int(stage) + 1}_{depth - int(index)}"
    return name + ("", "_bn")[int(position)]


def test_segnet(fixture_arrays):
    reference = fixture_arrays("segnet")
    model = models.SegNet(12, base_filters=4, pool_padding="valid")
    load_torch_weights(model, reference.weights, segnet_layer, flipped=lambda module: "convtr" in module)
    x = reference.arrays["x"]
    assert_close(keras.ops.convert_to_numpy(model(to_model_format(x), training=False)), reference.arrays["logits"])
    for stage in range(5):
        pool = model.get_layer(f"pool{stage + 1}").output
        values, positions = keras.Model(model.input, pool)(to_model_format(x), training=False)
        assert_close(keras.ops.convert_to_numpy(values), reference.arrays[f"pool{stage}"])
        np.testing.assert_array_equal(
            keras.ops.convert_to_numpy(positions), to_model_format(reference.arrays[f"indices{stage}"])
        )


def unet_layer(module: str) -> str:
    """The layer of U-Net that a module of the PyTorch port is."""
    if module == "outc.conv":
        return "classifier"
    block, rest = module.split(".", 1)
    level = {"inc": "down0"}.get(block)
    if level is None:
        level = f"down{block[-1]}" if block.startswith("down") else f"up{4 - int(block[-1])}"
    if rest == "up":
        return f"{level}_transpose"
    position = int(rest.rsplit(".", 1)[1])
    return f"{level}_" + {0: "conv1", 1: "bn1", 3: "conv2", 4: "bn2"}[position]


@pytest.mark.parametrize("upsampling", ["transposed", "bilinear"])
def test_unet(fixture_arrays, upsampling):
    reference = fixture_arrays(f"unet_{upsampling}")
    model = models.UNet(5, base_filters=4, upsampling=upsampling, pool_padding="valid")
    load_torch_weights(model, reference.weights, unet_layer)
    x = reference.arrays["x"]
    assert_close(keras.ops.convert_to_numpy(model(to_model_format(x), training=False)), reference.arrays["logits"])
    taps = {"down4": "down4_relu2", "up1": "up3_relu2", "up3": "up1_relu2"}
    for key, actual in zip(taps, outputs_of(model, taps.values(), x), strict=True):
        assert_close(actual, reference.arrays[key])
