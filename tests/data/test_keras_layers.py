import keras
import numpy as np
import pytest

from keras_segpaint import data
from keras_segpaint.data import KerasLayerAugmentation, Pipeline
from tests.data.folders import write_dataset

BACKEND = keras.backend.backend()


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return data.FolderDataset(write_dataset(tmp_path_factory.mktemp("layers") / "set", count=7))


@pytest.mark.parametrize(
    "layer",
    [
        lambda: keras.layers.RandomFlip("horizontal_and_vertical"),
        lambda: keras.layers.RandomTranslation(0.2, 0.2, fill_mode="constant"),
        lambda: keras.layers.RandomZoom(0.3, fill_mode="constant"),
        lambda: keras.layers.RandomContrast(0.5),
        lambda: keras.layers.RandomErasing(),
        lambda: keras.layers.RandomCrop(64, 64),
    ],
)
def test_layers_that_keep_image_and_mask_together_are_accepted(layer):
    KerasLayerAugmentation(layer())


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        (
            lambda: keras.layers.RandomElasticTransform(),
            r"RandomElasticTransform .*moves image and mask differently. Only \d+% .*Use .*data.ElasticDeformation",
        ),
        (lambda: keras.layers.MixUp(), "MixUp"),
        (lambda: keras.layers.CutMix(), "CutMix .*turns masks|CutMix .*fails"),
        (lambda: keras.layers.AugMix(), "AugMix .*blends class labels|AugMix .*fails"),
        (lambda: keras.layers.Conv2D(3, 3), "Conv2D .*fails on images with segmentation masks"),
    ],
)
def test_layers_that_would_spoil_the_masks_are_refused(dataset, layer, message):
    with pytest.raises(ValueError, match=message):
        Pipeline(dataset, batch_size=2, augment=[layer()])


def test_random_rotation_is_judged_by_what_it_does_on_this_backend(dataset):
    """In Keras 3.15 it is right on TensorFlow and JAX and wrong on PyTorch; the check measures, it does not
    look up."""
    layer = keras.layers.RandomRotation(0.2, fill_mode="constant")
    try:
        KerasLayerAugmentation(layer)
    except ValueError as error:
        assert BACKEND == "torch" and "data.RandomRotation" in str(error)
    else:
        images, masks = Pipeline(dataset, batch_size=4, augment=[layer])[0]
        assert (masks == 255).any(), "corners that the layer fills with 0 must become ignored"
        assert (images[masks == 255] == 0.0).all(axis=-1).mean() > 0.7


def test_labels_ignored_label_and_range(dataset):
    layer = keras.layers.RandomTranslation(0.4, 0.4, fill_mode="constant", fill_value=0.0)
    images, masks = Pipeline(dataset, batch_size=4, augment=[data.RandomCrop((30, 40)), layer])[0]
    assert images.shape == (4, 30, 40, 3) and images.dtype == np.float32 and masks.dtype == np.int32
    assert 0.0 <= images.min() and 0.5 < images.max() <= 1.0
    assert set(np.unique(masks)) <= {0, 1, 2, 255}
    labelled = masks != 255
    difference = np.abs(images[..., 0] * 255 - (20 + 80 * masks))[labelled]
    assert (difference < 40).mean() > 0.9, "the labels must lie where their colours are"


def test_batches_with_layers_are_reproducible(dataset):
    def batches(workers, epoch):
        layers = [keras.layers.RandomFlip(), keras.layers.RandomZoom(0.3), keras.layers.RandomBrightness(0.3)]
        pipeline = Pipeline(dataset, batch_size=2, augment=[data.RandomFlip(), *layers], workers=workers, seed=2)
        pipeline.epoch = epoch
        return [pipeline[index] for index in range(len(pipeline))]

    reference = batches(0, 3)
    for workers in (1, 3):
        for batch, expected in zip(batches(workers, 3), reference, strict=True):
            np.testing.assert_array_equal(batch[0], expected[0])
            np.testing.assert_array_equal(batch[1], expected[1])
    assert not np.array_equal(batches(0, 4)[0][0], reference[0][0])


def test_our_augmentations_come_first(dataset):
    with pytest.raises(ValueError, match="Keras layers after all others"):
        Pipeline(dataset, batch_size=2, augment=[keras.layers.RandomFlip(), data.RandomFlip()])


def test_channels_first_layers(dataset):
    layer = keras.layers.RandomFlip(data_format="channels_first")
    images, masks = Pipeline(dataset, batch_size=2, augment=[layer], data_format="channels_first")[0]
    assert images.shape == (2, 3, 24, 32)
    np.testing.assert_allclose(images[:, 0] * 255, 20 + 80 * masks, atol=0.01)


def test_keras_cv_layers(dataset):
    keras_cv = pytest.importorskip("keras_cv", reason="keras-cv is not installed")
    if BACKEND != "tensorflow":
        pytest.skip("keras-cv computes with TensorFlow operations")
    layers = [
        keras_cv.layers.RandomFlip(),
        keras_cv.layers.RandomShear(0.2, 0.2),
        keras_cv.layers.RandomHue(0.2, (0, 255)),
    ]
    first, second = (Pipeline(dataset, batch_size=3, augment=layers, seed=1)[1] for _ in range(2))
    np.testing.assert_array_equal(first[0], second[0])
    np.testing.assert_array_equal(first[1], second[1])
    assert set(np.unique(first[1])) <= {0, 1, 2, 255}
    with pytest.raises(ValueError, match="MixUp"):
        Pipeline(dataset, batch_size=3, augment=[keras_cv.layers.MixUp()])
