"""The networks that make images compute what the reference implementations compute, from the same weights."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_segpaint import convert, models

FORMATS = pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
SOURCE = "nvlabs/spade"


@pytest.fixture
def published(shared, fixture_arrays):
    """A fixture's arrays, and the network that its file of weights gives."""

    def open_fixture(name, **arguments):
        path = shared / "fixtures" / f"{name}.weights.safetensors"
        return fixture_arrays(name).arrays, convert.build(path, SOURCE, **arguments)

    return open_fixture


def last(array):
    return array.transpose(0, 2, 3, 1)


def results_of(model, names, arrays):
    """Outputs of layers and of the model, channels first."""
    taps = keras.Model(model.inputs, [*(model.get_layer(name).output for name in names), model.output])
    results = keras.tree.flatten(taps.predict_on_batch(arrays))
    channels_last = model.data_format == "channels_last"
    return [np.asarray(x).transpose(0, 3, 1, 2) if channels_last and x.ndim == 4 else np.asarray(x) for x in results]


@FORMATS
def test_spade_generator(data_format, published):
    arrays, model = published("spade_generator", data_format=data_format)
    assert sum(int(np.prod(weight.shape)) for weight in model.trainable_weights) == 517_491
    names = ["head_0", "middle_1", "up_0", "up_2"]
    keys = ["after_head_0", "after_G_middle_1", "after_up_0", "after_up_2", "image"]
    for key, result in zip(keys, results_of(model, names, [arrays["seg"].argmax(1)]), strict=True):
        np.testing.assert_allclose(result, arrays[key], rtol=1e-4, atol=2e-5, err_msg=key)


@FORMATS
def test_spade_generator_from_a_latent_vector(data_format, published):
    # Neither the borders of instances nor how often it is enlarged can be read off its weights.
    settings = dict(num_labels=4, edges=True, upsampling="more", input_shape=(128, 128, 3))
    arrays, model = published("spade_generator_vae", data_format=data_format, **settings)
    seg = arrays["seg"]
    edges = seg[:, 4:] if data_format == "channels_first" else last(seg[:, 4:])
    names = ["head_0", "middle_1", "up_0", "up_2"]
    keys = ["after_head_0", "after_G_middle_1", "after_up_0", "after_up_2", "image"]
    inputs = [seg[:, :4].argmax(1), edges, arrays["z"]]
    for key, result in zip(keys, results_of(model, names, inputs), strict=True):
        np.testing.assert_allclose(result, arrays[key], rtol=1e-4, atol=1e-4, err_msg=key)


@FORMATS
def test_spade_encoder(data_format, published):
    arrays, model = published("spade_conv_encoder", data_format=data_format)
    x = arrays["x"]
    results = results_of(model, ["conv3_norm", "conv6_norm"], [last(x) if data_format == "channels_last" else x])
    results[0] = results[0][:, :, :8, :8]
    for key, result in zip(["layer3_crop", "layer6", "logvar", "mu"], results, strict=True):
        np.testing.assert_allclose(result, arrays[key], rtol=1e-4, atol=2e-5, err_msg=key)


@FORMATS
def test_multiscale_discriminator(data_format, published):
    arrays, model = published("spade_multiscale_discriminator", data_format=data_format)
    x = arrays["x"]
    labels, image = x[:, :5].argmax(1), x[:, 5:]
    np.testing.assert_array_equal(np.eye(5, dtype="float32")[labels].transpose(0, 3, 1, 2), x[:, :5])
    inputs = [last(image) if data_format == "channels_last" else image, labels]
    for index, result in enumerate(results_of(model, [], inputs)):
        key = f"d{index // 5}.f{index % 5}"
        np.testing.assert_allclose(result, arrays[key], rtol=1e-4, atol=2e-5, err_msg=key)


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
