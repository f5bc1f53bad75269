"""The models compute what the reference implementations compute, from the same weights."""

import keras
import numpy as np
import pytest

from keras_segpaint import convert
from tests.reference import to_model_format


def outputs_of(model, layer_names, x):
    taps = [model.get_layer(name).output for name in layer_names]
    results = keras.Model(model.input, taps)(to_model_format(x), training=False)
    return [keras.ops.convert_to_numpy(result) for result in results]


def assert_close(actual, expected, tolerance=1e-4):
    np.testing.assert_allclose(actual, to_model_format(expected), rtol=tolerance, atol=tolerance)


@pytest.fixture
def published(shared, fixture_arrays):
    """A fixture's arrays, and the model that its file of weights gives."""

    def open_fixture(name, source):
        return fixture_arrays(name), convert.build(shared / "fixtures" / f"{name}.weights.safetensors", source)

    return open_fixture


@pytest.mark.parametrize(("variant", "fixture"), [("pytorch", "enet"), ("pytorch_2018", "enet_2018")])
def test_enet(published, variant, fixture):
    reference, model = published(fixture, "davidtvs/enet")
    assert model.get_config()["variant"] == variant
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


def test_segnet(published):
    reference, model = published("segnet", "say4n/segnet")
    x = reference.arrays["x"]
    assert_close(keras.ops.convert_to_numpy(model(to_model_format(x), training=False)), reference.arrays["logits"])
    for stage in range(5):
        pool = model.get_layer(f"pool{stage + 1}").output
        values, positions = keras.Model(model.input, pool)(to_model_format(x), training=False)
        assert_close(keras.ops.convert_to_numpy(values), reference.arrays[f"pool{stage}"])
        np.testing.assert_array_equal(
            keras.ops.convert_to_numpy(positions), to_model_format(reference.arrays[f"indices{stage}"])
        )


@pytest.mark.parametrize("upsampling", ["transposed", "bilinear"])
def test_unet(published, upsampling):
    reference, model = published(f"unet_{upsampling}", "milesial/unet")
    assert model.get_config()["upsampling"] == upsampling
    x = reference.arrays["x"]
    assert_close(keras.ops.convert_to_numpy(model(to_model_format(x), training=False)), reference.arrays["logits"])
    taps = {"down4": "down4_relu2", "up1": "up3_relu2", "up3": "up1_relu2"}
    for key, actual in zip(taps, outputs_of(model, taps.values(), x), strict=True):
        assert_close(actual, reference.arrays[key])
