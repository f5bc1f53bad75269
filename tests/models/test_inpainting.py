"""The inpainting networks compute what the reference implementations compute, from the same weights."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_segpaint import convert, losses, metrics, models

LAST = {"data_format": "channels_last"}


def last(array):
    return array.transpose(0, 2, 3, 1)


def outputs_of(model, names, arrays):
    """Results of layers, then the coarse and the final image."""
    taps = [model.get_layer(name).output for name in names]
    taps = keras.Model(model.inputs, [*taps, model.output["coarse"], model.output["image"]])
    return [np.asarray(output) for output in taps.predict_on_batch(arrays)]


@pytest.fixture
def published(shared, fixture_arrays):
    """A fixture's arrays, and the network that its file of weights gives, with both of its stages."""

    def open_fixture(name, source):
        path = shared / "fixtures" / f"{name}.weights.safetensors"
        return fixture_arrays(name), convert.build(path, source, both_stages=True, **LAST)

    return open_fixture


def test_deepfill_v2(published):
    reference, model = published("deepfillv2_generator", "nipponjo/deepfill_v2")
    assert model.get_config()["cnum"] == 8
    image, mask = last(reference.arrays["x"][:, :3]), last(reference.arrays["mask"])
    results = outputs_of(model, ["refine_conv10", "attention_conv6", "attention"], [image, mask])
    keys = ["conv_branch", "ca_input", "ca_output", "x_stage1", "x_stage2"]
    for key, result in zip(keys, results, strict=True):
        np.testing.assert_allclose(result, last(reference.arrays[key]), rtol=1e-4, atol=1e-4, err_msg=key)


def test_the_predictor_gives_the_final_image_with_the_same_weights():
    model = models.DeepFillV2(4, both_stages=True, **LAST)
    assert set(model.output) == {"image", "coarse"}
    predictor = model.predictor()
    assert predictor.predictor() is predictor
    assert tuple(predictor.output.shape) == (None, None, None, 3)
    assert predictor.output._keras_history.operation.name == model.output["image"]._keras_history.operation.name
    for own, other in zip(predictor.weights, model.weights, strict=True):
        np.testing.assert_array_equal(ops.convert_to_numpy(own), ops.convert_to_numpy(other))


@pytest.mark.parametrize(("network", "weight"), [(models.DeepFillV1, 1.2), (models.DeepFillV2, 1.0)])
def test_both_stages_are_fitted_to_one_image(network, weight, rng):
    model = network(4, both_stages=True, **LAST)
    model.compile(
        "sgd", losses.MaskedL1("hole", **LAST), weighted_metrics=[metrics.L1("hole", **LAST)], run_eagerly=True
    )
    image = rng.uniform(-1, 1, (2, 32, 32, 3)).astype("float32")
    mask = np.zeros((2, 32, 32, 1), "float32")
    mask[:, 8:20, 4:30] = 1
    logs = model.test_on_batch([image, mask], image, sample_weight=mask, return_dict=True)
    outputs = model.predict_on_batch([image, mask])
    errors = {name: (np.abs(output - image) * mask).mean() for name, output in outputs.items()}
    assert float(logs["loss"]) == pytest.approx(errors["image"] + weight * errors["coarse"], rel=1e-4)
    # Of values in [-1, 1], as a share of their range.
    assert float(logs["hole_l1"]) == pytest.approx(errors["image"] / mask.mean() / 2, rel=1e-4)


def test_each_stage_may_have_an_image_of_its_own(rng):
    model = models.DeepFillV2(4, both_stages=True, **LAST)
    model.compile(
        "sgd", {"image": "mae", "coarse": "mse"}, loss_weights={"image": 1.0, "coarse": 0.5}, run_eagerly=True
    )
    inputs = [rng.uniform(-1, 1, (1, 32, 32, 3)).astype("float32"), np.ones((1, 32, 32, 1), "float32")]
    targets = {name: rng.uniform(-1, 1, (1, 32, 32, 3)).astype("float32") for name in ("image", "coarse")}
    loss = model.test_on_batch(inputs, targets, return_dict=True)["loss"]
    outputs = model.predict_on_batch(inputs)
    expected = (
        np.abs(outputs["image"] - targets["image"]).mean() + np.square(outputs["coarse"] - targets["coarse"]).mean() / 2
    )
    assert float(loss) == pytest.approx(expected, rel=1e-4)


def test_deepfill_v1(published):
    reference, model = published("deepfillv1_generator", "daa233/deepfill_v1")
    assert model.get_config()["base_filters"] == 4
    arrays = [last(reference.arrays["x"]), last(reference.arrays["mask"])]
    results = outputs_of(model, ["attention_conv6", "attention"], arrays)
    for key, result in zip(["ca_input", "ca_output", "x_stage1", "x_stage2"], results, strict=True):
        np.testing.assert_allclose(result, last(reference.arrays[key]), rtol=1e-4, atol=1e-4, err_msg=key)


def test_sn_patch_discriminator(fixture_arrays):
    reference = fixture_arrays("deepfillv2_discriminator")
    model = models.SNPatchDiscriminator(6, **LAST)
    for index in range(1, 7):
        layer = model.get_layer(f"conv{index}")
        prefix = f"conv{index}.conv_sn"
        layer.layer.kernel.assign(reference.weights[f"{prefix}.weight"].transpose(2, 3, 1, 0))
        layer.layer.bias.assign(reference.weights[f"{prefix}.bias"])
        layer.u.assign(reference.weights[f"{prefix}.weight_u"][:, 0])
    x = last(reference.arrays["x"])
    taps = keras.Model(model.inputs, [model.get_layer(f"conv{index}_relu").output for index in range(1, 7)])
    # The reference takes a step of power iteration in every call.
    features = taps([x[..., :3], x[..., 3:]], training=True)
    for index, result in enumerate(features, start=1):
        expected = last(reference.arrays[f"features{index}"])
        np.testing.assert_allclose(ops.convert_to_numpy(result), expected, rtol=1e-4, atol=1e-5)
        u = ops.convert_to_numpy(model.get_layer(f"conv{index}").u)
        np.testing.assert_allclose(u, reference.arrays[f"after_call1.conv{index}.weight_u"][:, 0], atol=1e-5)
    again = ops.convert_to_numpy(taps([x[..., :3], x[..., 3:]], training=True)[-1])
    np.testing.assert_allclose(again.reshape(2, -1), reference.arrays["output_second_call"], rtol=1e-4, atol=1e-5)


@pytest.mark.skipif(
    keras.backend.backend() == "jax", reason="what is frozen is the same on every backend, and JAX compiles the step"
)
def test_the_encoder_of_the_partial_unet_freezes_and_the_decoder_does_not():
    model = models.PConvUNet(4, base_filters=2, **LAST)
    model.freeze_encoder_norm()
    assert model.get_config()["frozen_encoder_norm"]
    assert [w.path for w in type(model).from_config(model.get_config()).trainable_weights] == [
        w.path for w in model.trainable_weights
    ]
    norms = {layer.name: layer for layer in model.layers if layer.name.endswith("_bn")}
    before = {name: ops.convert_to_numpy(layer.moving_mean).copy() for name, layer in norms.items()}
    model.compile("sgd", "mse", run_eagerly=keras.backend.backend() == "tensorflow")
    image, mask = np.full((2, 16, 16, 3), 0.5, "float32"), np.zeros((2, 16, 16, 1), "float32")
    image[:, 4:9] = -1
    model.fit([image, mask], image, verbose=0)
    moved = {name for name, layer in norms.items() if (ops.convert_to_numpy(layer.moving_mean) != before[name]).any()}
    assert moved == {"decoder2_bn", "decoder3_bn", "decoder4_bn"}
    model.freeze_encoder_norm(False)
    assert not model.get_config()["frozen_encoder_norm"]
    assert all(layer.trainable for layer in norms.values())


def test_critics_take_the_same_weights_in_both_data_formats(rng, tmp_path):
    x = rng.normal(size=(2, 32, 48, 3)).astype("float32")
    critic = models.DeepFillV1Critic("local", base_filters=2, input_shape=(32, 48, 3), **LAST)
    critic.save(tmp_path / "critic.keras")
    loaded = keras.saving.load_model(tmp_path / "critic.keras")
    assert loaded.get_config() == critic.get_config()
    other = models.DeepFillV1Critic("local", base_filters=2, input_shape=(32, 48, 3), data_format="channels_first")
    other.set_weights(critic.get_weights())
    expected = np.asarray(critic.predict_on_batch(x))
    assert expected.shape == (2, 1)
    for own, saved in zip(loaded.get_weights(), critic.get_weights(), strict=True):
        np.testing.assert_array_equal(own, saved)
    first = np.asarray(other.predict_on_batch(x.transpose(0, 3, 1, 2)))
    np.testing.assert_allclose(first, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: models.DeepFillV2(6), "`cnum` must be a positive multiple of 4. Received: cnum=6"),
        (lambda: models.DeepFillV2(8, input_shape=(64, 60, 3)), "multiples of 8: pad the image"),
        (lambda: models.DeepFillV1(3), "`base_filters` must be a positive multiple of 2"),
        (lambda: models.DeepFillV1(4, input_shape=(64, 64)), r"`input_shape` must be \(height, width, channels\)"),
        (lambda: models.DeepFillV1Critic("centre"), "`region` must be one of"),
        (lambda: models.DeepFillV1Critic(input_shape=(None, 64, 3)), "`input_shape` must be known"),
        (lambda: models.PConvUNet(3), "`levels` must be an integer >= 4. Received: levels=3"),
    ],
)
def test_errors(build, message):
    with pytest.raises(ValueError, match=message):
        build()
