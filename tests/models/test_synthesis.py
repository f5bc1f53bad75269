"""The networks that make images compute what the reference implementations compute, from the same weights."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_segpaint import models
from tests.layers.spade_weights import load_block, load_conv

FORMATS = pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
BLOCKS = {
    "head_0": "head_0",
    "middle_0": "G_middle_0",
    "middle_1": "G_middle_1",
    **{f"up_{index}": f"up_{index}" for index in range(4)},
}


def last(array):
    return array.transpose(0, 2, 3, 1)


def results_of(model, names, arrays):
    """Outputs of layers and of the model, channels first."""
    taps = keras.Model(model.inputs, [*(model.get_layer(name).output for name in names), model.output])
    results = keras.tree.flatten(taps.predict_on_batch(arrays))
    channels_last = model.data_format == "channels_last"
    return [np.asarray(x).transpose(0, 3, 1, 2) if channels_last and x.ndim == 4 else np.asarray(x) for x in results]


def load_generator(model, weights):
    count = load_conv(model.get_layer("image_conv"), weights, "conv_img")
    for name, theirs in BLOCKS.items():
        count += load_block(model.get_layer(name), weights, f"{theirs}.")
    return count


@FORMATS
def test_spade_generator(data_format, fixture_arrays):
    reference = fixture_arrays("spade_generator")
    model = models.SPADEGenerator(5, ignore_class=None, base_filters=1, data_format=data_format)
    count = load_generator(model, reference.weights) + load_conv(model.get_layer("start"), reference.weights, "fc")
    assert count == len(model.weights)
    assert sum(int(np.prod(weight.shape)) for weight in model.trainable_weights) == 517_491
    labels = reference.arrays["seg"].argmax(1)
    names = ["head_0", "middle_1", "up_0", "up_2"]
    keys = ["after_head_0", "after_G_middle_1", "after_up_0", "after_up_2", "image"]
    for key, result in zip(keys, results_of(model, names, [labels]), strict=True):
        np.testing.assert_allclose(result, reference.arrays[key], rtol=1e-4, atol=2e-5, err_msg=key)


@FORMATS
def test_spade_generator_from_a_latent_vector(data_format, fixture_arrays):
    reference = fixture_arrays("spade_generator_vae")
    model = models.SPADEGenerator(
        4,
        ignore_class=None,
        edges=True,
        latent_dim=256,
        upsampling="more",
        normalization="instance",
        base_filters=1,
        input_shape=(128, 128, 3),
        data_format=data_format,
    )
    # The outputs of their dense layer are (channels, rows, columns).
    theirs = {
        f"fc.{kind}": np.moveaxis(reference.weights[f"fc.{kind}"].reshape(16, 2, 2, -1), 0, 2).reshape(64, -1)
        for kind in ("weight", "bias")
    }
    theirs["fc.bias"] = theirs["fc.bias"][:, 0]
    count = load_generator(model, reference.weights) + load_conv(model.get_layer("start"), theirs, "fc")
    assert count == len(model.weights)
    seg = reference.arrays["seg"]
    edges = seg[:, 4:] if data_format == "channels_first" else last(seg[:, 4:])
    arrays = [seg[:, :4].argmax(1), edges, reference.arrays["z"]]
    names = ["head_0", "middle_1", "up_0", "up_2"]
    keys = ["after_head_0", "after_G_middle_1", "after_up_0", "after_up_2", "image"]
    for key, result in zip(keys, results_of(model, names, arrays), strict=True):
        np.testing.assert_allclose(result, reference.arrays[key], rtol=1e-4, atol=1e-4, err_msg=key)


@FORMATS
def test_spade_encoder(data_format, fixture_arrays):
    reference = fixture_arrays("spade_conv_encoder")
    model = models.SPADEEncoder(base_filters=8, data_format=data_format)
    count = 0
    for index in range(1, 7):
        count += load_conv(model.get_layer(f"conv{index}"), reference.weights, f"layer{index}.0")
    for name, theirs in (("mean", "fc_mu"), ("log_variance", "fc_var")):
        # The features are flattened as (channels, rows, columns) there.
        kernel = np.moveaxis(reference.weights[f"{theirs}.weight"].reshape(256, 64, 4, 4), 1, 3).reshape(256, -1)
        weights = {"weight": kernel, "bias": reference.weights[f"{theirs}.bias"]}
        count += load_conv(model.get_layer(name), {f"fc.{kind}": value for kind, value in weights.items()}, "fc")
    assert count == len(model.weights)
    x = reference.arrays["x"]
    results = results_of(model, ["conv3_norm", "conv6_norm"], [last(x) if data_format == "channels_last" else x])
    results[0] = results[0][:, :, :8, :8]
    for key, result in zip(["layer3_crop", "layer6", "logvar", "mu"], results, strict=True):
        np.testing.assert_allclose(result, reference.arrays[key], rtol=1e-4, atol=2e-5, err_msg=key)


@FORMATS
def test_multiscale_discriminator(data_format, fixture_arrays):
    reference = fixture_arrays("spade_multiscale_discriminator")
    model = models.MultiscaleDiscriminator(5, ignore_class=None, base_filters=8, data_format=data_format)
    count = 0
    for scale in range(2):
        for index in range(5):
            name = f"scale{scale}_judge" if index == 4 else f"scale{scale}_conv{index}"
            theirs = f"discriminator_{scale}.model{index}.0" + ("" if index in (0, 4) else ".0")
            count += load_conv(model.get_layer(name), reference.weights, theirs)
    assert count == len(model.weights)
    x = reference.arrays["x"]
    labels, image = x[:, :5].argmax(1), x[:, 5:]
    np.testing.assert_array_equal(np.eye(5, dtype="float32")[labels].transpose(0, 3, 1, 2), x[:, :5])
    arrays = [last(image) if data_format == "channels_last" else image, labels]
    for index, result in enumerate(results_of(model, [], arrays)):
        key = f"d{index // 5}.f{index % 5}"
        np.testing.assert_allclose(result, reference.arrays[key], rtol=1e-4, atol=2e-5, err_msg=key)


def test_labels_may_be_floats_and_the_ignored_one_is_a_plane_like_any_other():
    model = models.CRN(3, filters=(4, 4), data_format="channels_last")
    labels = np.random.default_rng(0).integers(0, 3, (1, 8, 8))
    image = ops.convert_to_numpy(model(labels))
    np.testing.assert_array_equal(ops.convert_to_numpy(model(labels.astype("float32"))), image)
    labels[:, :5] = 255
    ignored = ops.convert_to_numpy(model(labels.astype("uint8")))
    assert np.isfinite(ignored).all() and np.abs(ignored - image).max() > 1e-3


def test_weights_without_a_latent_vector_do_not_fit_a_network_with_one():
    settings = dict(base_filters=1, hidden=4, input_shape=(32, 32, 3), data_format="channels_last")
    plain, latent = models.SPADEGenerator(3, **settings), models.SPADEGenerator(3, latent_dim=4, **settings)
    for layer in latent.layers:
        if layer.weights and layer.name != "start":
            layer.set_weights(plain.get_layer(layer.name).get_weights())
    with pytest.raises(ValueError, match="Layer start weight shape .* is not compatible"):
        latent.get_layer("start").set_weights(plain.get_layer("start").get_weights())


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: models.SPADEGenerator(3, latent_dim=8), "`input_shape` must be known with `latent_dim`"),
        (lambda: models.SPADEGenerator(3, upsampling="much"), "`upsampling` must be one of normal, more, most"),
        (lambda: models.SPADEGenerator(0), "`num_labels` must be an integer >= 1"),
        (lambda: models.SPADEGenerator(3, upsampling="most", base_filters=3), "must be a positive multiple of 2"),
        (lambda: models.SPADEEncoder(size=64), "`size` must be an integer > 64"),
        (lambda: models.MultiscaleDiscriminator(3, num_layers=1), "`num_layers` must be an integer >= 2"),
        (lambda: models.Pix2PixHDGenerator(3, blocks=0), "`blocks` must be a positive multiple of 1"),
        (lambda: models.CRN(3, filters=()), "`filters` must have the width of one module at least"),
    ],
)
def test_errors(build, message):
    with pytest.raises(ValueError, match=message):
        build()
