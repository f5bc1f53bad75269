"""Prediction of arrays, files and whole data sets."""

import keras
import numpy as np
import pytest
from keras import layers

from keras_segpaint.data import Example, SegmentationDataset
from keras_segpaint.inference import evaluate, find_images, predict, predict_files, predict_logits
from keras_segpaint.models import UNet


def brightness_model(size=(None, None), channels: int = 3, data_format: str = "channels_last") -> keras.Model:
    """Two classes: the second where the mean of the channels is above one half."""
    shape = (*size, channels) if data_format == "channels_last" else (channels, *size)
    image = keras.Input(shape)
    conv = layers.Conv2D(2, 1, data_format=data_format)
    model = keras.Model(image, conv(image))
    conv.set_weights([np.tile([0, 8 / channels], (1, 1, channels, 1)).astype("float32"), np.array([0, -4], "float32")])
    model.data_format = data_format
    model.num_classes = 2
    return model


@pytest.fixture
def image() -> np.ndarray:
    """Dark left, bright right."""
    image = np.full((10, 14, 3), 20, np.uint8)
    image[:, 7:] = 220
    return image


@pytest.fixture
def truth() -> np.ndarray:
    return np.repeat([[0] * 7 + [1] * 7], 10, axis=0)


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("kind", ["uint8", "float", "grey", "one channel", "transparent"])
def test_every_kind_of_image(image, truth, data_format, kind):
    given = {
        "uint8": image,
        "float": image.astype("float64") / 255,
        "grey": image[..., 0],
        "one channel": image[..., :1],
        "transparent": np.dstack([image, np.full((10, 14), 7, np.uint8)]),
    }[kind]
    classes = predict(brightness_model(data_format=data_format), given)
    assert classes.dtype == np.uint8
    np.testing.assert_array_equal(classes, truth)


def test_colour_for_a_grey_model(image, truth):
    np.testing.assert_array_equal(predict(brightness_model(channels=1), image), truth)


def test_a_size_for_the_network_and_the_images_own_for_the_result(image, truth):
    for model, size in ((brightness_model(), (20, 28)), (brightness_model((20, 28)), None)):
        np.testing.assert_array_equal(predict(model, image, size), truth)
    assert predict_logits(brightness_model(), image, (5, 7)).shape == (10, 14, 2)


def test_logits_are_the_models(image):
    model = brightness_model()
    expected = np.asarray(model.predict_on_batch(image[None].astype("float32") / 255))[0]
    np.testing.assert_allclose(predict_logits(model, image), expected, rtol=1e-6)


def test_an_unpadded_unet_predicts_every_pixel():
    keras.utils.set_random_seed(0)
    model = UNet(2, input_shape=(188, 204, 3), padding="valid", base_filters=2)
    image = np.random.default_rng(0).integers(0, 256, (4, 20, 3), np.uint8)
    logits = predict_logits(model, image)
    assert logits.shape == (4, 20, 2)
    # With the border mirrored by hand: exactly the network's logits.
    padded = np.pad(image.astype("float32") / 255, ((92, 92), (92, 92), (0, 0)), mode="symmetric")
    expected = np.asarray(UNetAt(model)(padded))
    np.testing.assert_allclose(logits, expected, atol=1e-4 * np.abs(expected).max())


class UNetAt:
    """One image through a model."""

    def __init__(self, model: keras.Model):
        self.model = model

    def __call__(self, pixels: np.ndarray) -> np.ndarray:
        first = self.model.data_format == "channels_first"
        batch = pixels.transpose(2, 0, 1)[None] if first else pixels[None]
        logits = np.asarray(self.model.predict_on_batch(batch))[0]
        return logits.transpose(1, 2, 0) if first else logits


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (np.zeros((4, 4, 3), np.int64), "uint8"),
        (np.full((4, 4, 3), 200.0), "Divide by 255"),
        (np.zeros((4, 4, 2), np.uint8), "3 channels"),
        (np.zeros((1, 4, 4, 3), np.uint8), "shape"),
        (np.zeros((0, 4, 3), np.uint8), "shape"),
    ],
)
def test_images_that_are_none(bad, message):
    with pytest.raises(ValueError, match=message):
        predict(brightness_model(), bad)


@pytest.fixture
def folder(tmp_path, image):
    import cv2

    (tmp_path / "night").mkdir()
    cv2.imwrite(str(tmp_path / "b.png"), image)
    cv2.imwrite(str(tmp_path / "night" / "a.JPG"), image)
    (tmp_path / "broken.jpg").write_bytes((tmp_path / "night" / "a.JPG").read_bytes()[:200])
    (tmp_path / "notes.txt").write_text("no image")
    return tmp_path


def test_a_folder_with_an_unreadable_file(folder, truth):
    skipped = []
    with pytest.warns(UserWarning, match="broken.jpg"):
        found = list(predict_files(brightness_model(), folder, probabilities=True, skipped=skipped))
    assert [item.name for item in found] == ["b", "night/a"]
    assert skipped == [folder / "broken.jpg"]
    np.testing.assert_array_equal(found[0].class_map, truth)
    assert found[0].image.shape == (10, 14, 3) and found[0].path == folder / "b.png"
    np.testing.assert_allclose(found[0].probabilities.sum(-1), 1.0, atol=1e-6)
    assert found[0].probabilities[0, 0, 0] > 0.9


def test_a_file_and_a_pattern(folder):
    (single,) = predict_files(brightness_model(), folder / "b.png", size=(20, 28))
    assert single.name == "b" and single.probabilities is None and single.class_map.shape == (10, 14)
    assert find_images(f"{folder}/*.png") == [folder / "b.png"]
    assert find_images(f"{folder}/**/*.JPG") == [folder / "night" / "a.JPG"]
    for nothing in (folder / "missing", f"{folder}/*.txt"):
        with pytest.raises(FileNotFoundError, match="No such file"):
            find_images(nothing)
    (folder / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="has no image"):
        find_images(folder / "empty")


class Pairs(SegmentationDataset):
    def __init__(self, examples, names=("dark", "bright")):
        super().__init__("pairs", names)
        self.examples = examples

    def __len__(self):
        return len(self.examples)

    def _load(self, index):
        return Example(*self.examples[index], f"pair {index}")


def test_evaluation_counts_at_full_size(image, truth):
    mask = truth.astype(np.uint8)
    mask[0] = 255
    mask[1, 0] = 1
    done = []
    data = Pairs([(image, mask), (image[:4, :6], truth[:4, :6])])
    matrix = evaluate(brightness_model(), data, progress=lambda *args: done.append(args))
    assert matrix.tolist() == [[62 + 24, 0], [1, 63]]
    assert done == [(1, 2), (2, 2)]


def test_evaluation_with_another_number_of_classes_is_refused(image, truth):
    with pytest.raises(ValueError, match="2 classes and the data set pairs has 3"):
        evaluate(brightness_model(), Pairs([(image, truth)], ("a", "b", "c")))
