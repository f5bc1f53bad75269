"""Style transfer: its graph and losses by the paper's formulas, where the encoder's weights come from, what trains."""

import keras
import numpy as np
import pytest
from keras import ops

from keras_segpaint import convert
from keras_segpaint.models import StyleTransfer

LAST = {"data_format": "channels_last"}


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(3)
    return StyleTransfer(base_filters=4, **LAST)


@pytest.fixture(scope="module")
def pictures():
    rng = np.random.default_rng(0)
    return rng.random((2, 19, 30, 3), "float32"), rng.random((2, 16, 9, 3), "float32") ** 2


def array(x):
    return ops.convert_to_numpy(x).astype("float64")


def mean_and_std(x):
    """Of features with the channels last."""
    return x.mean((1, 2)), np.sqrt(x.var((1, 2), ddof=1) + 1e-5)


def adain(content, style):
    (mean, std), (style_mean, style_std) = (
        [v[:, None, None] for v in mean_and_std(features)] for features in (content, style)
    )
    return style_std * (content - mean) / std + style_mean


def test_graph(model, pictures):
    content, style = pictures
    features, style_features = (array(model.encoder(x)[-1]) for x in pictures)
    assert features.shape == (2, 3, 4, 32)
    target = adain(features, style_features)
    expected = array(model.decoder(target.astype("float32")))
    assert expected.shape == (2, 24, 32, 3)
    np.testing.assert_allclose(model.predict_on_batch([content, style]), expected[:, :19, :30], atol=1e-4)


def test_losses(model, pictures):
    content, style = pictures
    target = adain(*(array(model.encoder(x)[-1]) for x in pictures))
    image = model([content, style])
    made, wanted = model.encoder(image), model.encoder(style)
    content_loss = np.mean((array(made[-1]) - target) ** 2)
    style_loss = 0.0
    for have, want in zip(made, wanted, strict=True):
        for a, b in zip(mean_and_std(array(have)), mean_and_std(array(want)), strict=True):
            style_loss += np.mean((a - b) ** 2)
    model.compile("sgd", run_eagerly=keras.backend.backend() != "jax")
    found = model.evaluate([content, style], verbose=0, return_dict=True)
    assert found["content_loss"] == pytest.approx(content_loss, rel=1e-3)
    assert found["style_loss"] == pytest.approx(style_loss, rel=1e-3)
    assert found["loss"] == pytest.approx(content_loss + 10 * style_loss, rel=1e-3)


def test_only_the_decoder_learns(pictures):
    keras.utils.set_random_seed(0)
    model = StyleTransfer(base_filters=8, **LAST)
    model.compile(keras.optimizers.Adam(1e-3), run_eagerly=keras.backend.backend() == "tensorflow")
    before = [weight.copy() for weight in model.encoder.get_weights()]
    history = model.fit([*pictures], batch_size=2, epochs=30, verbose=0).history
    assert history["loss"][-1] < 0.75 * history["loss"][0]
    assert sorted(history) == ["content_loss", "loss", "style_loss"]
    for weight, old in zip(model.encoder.get_weights(), before, strict=True):
        np.testing.assert_array_equal(weight, old)
    assert len(model.trainable_weights) == len(model.decoder.weights) == 18


def test_alpha_zero_is_the_content_through_the_decoder(model, pictures):
    content, style = pictures
    plain = model.rebuilt(alpha=0.0)
    expected = array(model.decoder(model.encoder(content)[-1]))[:, :19, :30]
    np.testing.assert_allclose(plain.predict_on_batch([content, style]), expected, atol=1e-5)


def test_mixture_of_styles(model, rng):
    content = rng.normal(size=(1, 4, 5, 32)).astype("float32")
    styles = [rng.normal(size=(1, size, 3, 32)).astype("float32") for size in (3, 6)]
    found = array(model.mix(content, styles, [0.25, 0.75], alpha=0.5))
    mixture = 0.25 * adain(content, styles[0]) + 0.75 * adain(content, styles[1])
    np.testing.assert_allclose(found, 0.5 * mixture + 0.5 * content, atol=1e-5)
    pairs = [model.adain.statistics(style) for style in styles]
    equal = array(model.mix(content, pairs))
    np.testing.assert_allclose(equal, (adain(content, styles[0]) + adain(content, styles[1])) / 2, atol=1e-5)


@pytest.mark.skipif(keras.backend.backend() != "torch", reason="what is counted is the same on every backend")
def test_parameters():
    model = StyleTransfer()
    assert model.decoder.count_params() == 3_505_219
    assert model.encoder.count_params() == 3_505_728 + 12


def reflected(network, x):
    """What a plain VGG of "same" convolutions, by the names of keras.applications, gives with reflected borders."""
    for block in range(1, 5):
        for index in range(1, 5):
            name = f"block{block}_conv{index}"
            if name not in {layer.name for layer in network.layers}:
                break
            kernel, bias = network.get_layer(name).get_weights()
            padded = np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), mode="reflect")
            x = np.maximum(array(ops.conv(padded.astype("float32"), kernel, padding="valid", **LAST)) + bias, 0)
            if block == 4:
                return x
        x = array(ops.max_pool(x.astype("float32"), 2, 2, padding="same", **LAST))
    return x


@pytest.fixture(scope="module")
def narrow_vgg():
    """A VGG-19 in the manner of keras.applications, up to its fourth block, a sixteenth as wide."""
    keras.utils.set_random_seed(5)
    x = image = keras.Input((None, None, 3))
    for block, (depth, width) in enumerate(((2, 4), (2, 8), (4, 16), (1, 32)), start=1):
        for index in range(1, depth + 1):
            x = keras.layers.Conv2D(
                width,
                3,
                padding="same",
                activation="relu",
                bias_initializer=keras.initializers.RandomNormal(stddev=2.0, seed=block * 10 + index),
                name=f"block{block}_conv{index}",
                **LAST,
            )(x)
    return keras.Model(image, x)


def test_weights_of_a_network_of_caffe(narrow_vgg, pictures):
    model = StyleTransfer(base_filters=4, weights=narrow_vgg, **LAST)
    image = pictures[0]
    wanted = reflected(narrow_vgg, image[..., ::-1] * 255.0 - [103.939, 116.779, 123.68])
    found = array(model.encoder(image)[-1])
    np.testing.assert_allclose(57.63 * found, wanted, rtol=1e-3, atol=1e-3 * wanted.max())
    model.load_encoder(narrow_vgg, preprocessing="torch")
    wanted = reflected(narrow_vgg, (image - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225])
    np.testing.assert_allclose(array(model.encoder(image)[-1]), wanted, rtol=1e-3, atol=1e-3 * wanted.max())


# Kinds of layers between convolutions in the published code, which counts them all.
PUBLISHED = {
    "encoder": "C pCr pCr m pCr pCr m pCr pCr pCr pCr m pC",
    "decoder": "pCr u pCr pCr pCr pCr u pCr pCr u pCr pC",
}


def published(model, part):
    """The state dictionary of the published sequence of layers."""
    convolutions = iter(layer.get_weights() for layer in getattr(model, part).layers if layer.weights)
    state = {}
    for number, kind in enumerate(PUBLISHED[part].replace(" ", "")):
        if kind == "C":
            kernel, bias = next(convolutions)
            state[f"{number}.weight"] = np.ascontiguousarray(kernel.transpose(3, 2, 0, 1))
            state[f"{number}.bias"] = bias
    assert next(convolutions, None) is None
    return state


def test_published_files(pictures, tmp_path):
    save_file = pytest.importorskip("safetensors.numpy").save_file
    keras.utils.set_random_seed(6)
    other = StyleTransfer(base_filters=4, **LAST)
    other.encoder.get_layer("colours").set_weights([np.full((1, 1, 3, 3), 0.3, "float32"), np.ones(3, "float32")])
    encoder = {**published(other, "encoder"), "32.weight": np.zeros((32, 32, 3, 3), "float32")}
    save_file(encoder, tmp_path / "vgg.safetensors")
    save_file(published(other, "decoder"), tmp_path / "decoder.safetensors")
    again = convert.build(tmp_path / "vgg.safetensors", "naoto0804/adain", **LAST)
    card = convert.load(again, tmp_path / "decoder.safetensors", "naoto0804/adain")
    assert again.card["file"] == card.file == "decoder.safetensors"
    expected = other.predict_on_batch([*pictures])
    np.testing.assert_array_equal(again.predict_on_batch([*pictures]), expected)
    other.save(tmp_path / "other.keras")
    own = StyleTransfer(base_filters=4, weights=str(tmp_path / "other.keras"), **LAST)
    for found, wanted in zip(own.encoder.get_weights(), other.encoder.get_weights(), strict=True):
        np.testing.assert_array_equal(found, wanted)
    save_file({"1.weight": np.zeros((2, 2, 3, 3), "float32")}, tmp_path / "other.safetensors")
    with pytest.raises(convert.ConversionError, match="A decoder has convolutions at 1, 5, 8"):
        convert.load(again, tmp_path / "other.safetensors", "naoto0804/adain")


def test_normalised_encoder(narrow_vgg, pictures):
    model = StyleTransfer(base_filters=4, weights=narrow_vgg, **LAST)
    images = pictures[0]
    before = [array(level) for level in model.encoder(images)]
    model.normalize_encoder(images)
    levels = [array(level) for level in model.encoder(images)]
    for level, old in zip(levels, before, strict=True):
        means, old_means = level.mean((0, 1, 2)), old.mean((0, 1, 2))
        active = old_means > 0.1 * old_means.mean()
        assert active.any()
        np.testing.assert_allclose(means[active], 1.0, rtol=1e-3)
        assert (means[~active] < 1.0).all()
    levels, before = levels[-1], before[-1]
    # A filter's activations are those from before but for one factor.
    active = before.mean((0, 1, 2)) > 0
    found, wanted = (x[..., active] / x[..., active].mean((0, 1, 2)) for x in (levels, before))
    np.testing.assert_allclose(found, wanted, rtol=5e-3, atol=5e-3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"backbone": "resnet18"}, r"`backbone` must be one of \('vgg19', 'vgg16'\)"),
        ({"alpha": 1.5}, r"`alpha` must be in \[0, 1\]. Received: alpha=1.5"),
        ({"style_weight": -1}, "`style_weight` must be >= 0"),
        ({"input_shape": (32, 32, 1)}, "must have 3 channels"),
    ],
)
def test_errors(arguments, message):
    with pytest.raises(ValueError, match=message):
        StyleTransfer(**{"base_filters": 4, **arguments})


def test_weights_that_do_not_fit(narrow_vgg, tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no such file"):
        StyleTransfer(base_filters=4, weights="nothing.pth")
    with pytest.raises(ValueError, match="'conv1_1' needs a kernel of shape"):
        StyleTransfer(base_filters=2, weights=narrow_vgg)
    with pytest.raises(ValueError, match="`preprocessing` must be one of"):
        StyleTransfer(base_filters=4, **LAST).load_encoder(narrow_vgg, preprocessing="tf")
    (tmp_path / "weights.txt").touch()
    with pytest.raises(ValueError, match="The file must be"):
        StyleTransfer(base_filters=4, weights=str(tmp_path / "weights.txt"))
