"""Photographs with holes: sources, one seed one result, fixed validation, unreadable files, `fit`."""

import warnings

import keras
import numpy as np
import pytest
from PIL import Image

from keras_segpaint import data, losses, metrics
from tests.data.folders import truncate

SIZE = (24, 32)


@pytest.fixture
def folder(tmp_path, rng):
    (tmp_path / "more").mkdir()
    for index in range(5):
        pixels = rng.integers(0, 256, (40 + index, 50, 3)).astype(np.uint8)
        Image.fromarray(pixels).save(tmp_path / f"{index}.png")
    Image.fromarray(np.full((30, 20), 77, np.uint8)).save(tmp_path / "more" / "grey.jpg", quality=100)
    return tmp_path


def make(photographs, **arguments):
    defaults = dict(batch_size=2, size=SIZE, data_format="channels_last", workers=0)
    return data.InpaintingDataset(photographs, **(defaults | arguments))


def flat(batches):
    return [array for batch in batches for array in (batch[0][0], batch[0][1])]


def assert_equal(batches, others):
    for array, other in zip(flat(batches), flat(others), strict=True):
        np.testing.assert_array_equal(array, other)


def test_contract(folder):
    batches = make(folder)
    assert len(batches) == 3
    (images, masks), target, weights = batches[0]
    assert images.dtype == masks.dtype == np.float32
    assert images.shape == (2, *SIZE, 3) and masks.shape == (2, *SIZE, 1)
    assert images.min() >= -1 and images.max() <= 1 and images.min() < -0.5 and images.max() > 0.5
    assert set(np.unique(masks)) == {0, 1}
    assert (masks[0] != masks[1]).any()
    np.testing.assert_array_equal(target, images)
    np.testing.assert_array_equal(weights, masks)
    (first, masks_first), _, _ = make(folder, data_format="channels_first")[0]
    np.testing.assert_array_equal(first.transpose(0, 2, 3, 1), images)
    np.testing.assert_array_equal(masks_first.transpose(0, 2, 3, 1), masks)


def test_pixels_are_those_of_the_photograph(folder):
    one = make(folder / "0.png", batch_size=1, size=(40, 50), fixed=True)
    (images, _), _, _ = one[0]
    np.testing.assert_allclose((images[0] + 1) * 127.5, data.PhotographFolder(folder)[0].image, atol=1e-3)
    (grey, _), _, _ = make(folder / "more", batch_size=1, fixed=True)[0]
    np.testing.assert_allclose((grey + 1) * 127.5, 77, atol=1)


def test_epochs_differ_and_seeds_repeat(folder):
    batches = make(folder, seed=3)
    first = list(map(batches.__getitem__, range(3)))
    batches.epoch = 1
    second = list(map(batches.__getitem__, range(3)))
    assert any((a != b).any() for a, b in zip(flat(first), flat(second), strict=True))
    for workers in (1, 3):
        again = make(folder, seed=3, workers=workers)
        assert_equal(first, [again[index] for index in range(3)])
        again.epoch = 1
        assert_equal(second, [again[index] for index in range(3)])


def test_validation_is_the_same_in_every_epoch_and_run(folder):
    batches = make(folder, fixed=True, seed=3)
    first = [batches[index] for index in range(3)]
    batches.epoch = 7
    assert_equal(first, [batches[index] for index in range(3)])
    assert_equal(first, [make(folder, fixed=True, seed=3)[index] for index in range(3)])
    other = make(folder, fixed=True, seed=4)[0]
    assert (other[0][1] != first[0][0][1]).any()


def test_every_generator(folder):
    generators = [
        data.RectangleMask(),
        data.MaskUnion([data.RectangleMask(), data.FreeFormMask()]),
        data.HoleRatioMask(data.FreeFormMask(), [(0.2, 0.3)]),
        data.IrregularMask(folder, hole_value=255),
    ]
    for generator in generators:
        (_, masks), _, _ = make(folder, masks=generator, batch_size=5)[0]
        assert masks.shape == (5, *SIZE, 1)
        assert len({mask.tobytes() for mask in masks}) > 1
    ratios = make(folder, masks=generators[2], batch_size=5)[0][0][1].mean(axis=(1, 2, 3))
    assert ((ratios > 0.2) & (ratios <= 0.3)).all()


def test_unreadable_files_are_skipped_and_counted(folder):
    truncate(folder / "1.png")
    (folder / "2.png").write_bytes(b"no image")
    batches = make(folder, batch_size=6, shuffle=False)
    with pytest.warns(UserWarning, match="Skipped an unreadable example"):
        (images, _), _, _ = batches[0]
    assert len(images) == 6
    assert sorted(batches.skipped) == [str(folder / "1.png"), str(folder / "2.png")]


def test_photographs_of_scikit_image():
    pytest.importorskip("skimage")
    batches = data.InpaintingDataset("skimage", batch_size=3, size=(16, 16), workers=0)
    assert len(batches) == 2
    assert batches[1][0][0].shape == (3, 16, 16, 3) or keras.config.image_data_format() == "channels_first"
    assert data.SkimagePhotographs(["camera"])[0].image.shape == (512, 512, 3)
    for photograph in data.SkimagePhotographs():
        assert photograph.image.dtype == np.uint8 and photograph.image.shape[-1] == 3
    with pytest.raises(ValueError, match="Received: no_such_picture"):
        data.SkimagePhotographs(["no_such_picture"])


@pytest.mark.filterwarnings("ignore")
def test_photographs_of_tfds(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pytest.importorskip("tensorflow_datasets", reason="tensorflow-datasets is not installed")
        from tests.data.test_tfds import NoMask, build
    photographs = data.TFDSPhotographs(build(NoMask, tmp_path), "test")
    assert len(photographs) == 3 and photographs[0].image.shape == (8, 10, 3)
    (images, _), _, _ = make(photographs, batch_size=3, size=(8, 8))[0]
    assert images.shape == (3, 8, 8, 3)


def test_labelled_data_set_as_photographs():
    pytest.importorskip("nilearn")
    (images, _), _, _ = make(data.BrainTemplate("val"), batch_size=4)[0]
    assert images.shape == (4, *SIZE, 3)
    np.testing.assert_array_equal(images[..., 0], images[..., 2])


def test_random_resized_crop(rng):
    ramp = np.tile(np.arange(200, dtype=np.uint8)[None, :, None], (100, 1, 3))
    for size in ((50, 50), (300, 200), (1, 1), (7, 300)):
        for seed in range(10):
            image, mask = data.RandomResizedCrop(size)(ramp, ramp[..., 0], np.random.default_rng(seed), 255)
            assert image.shape == (*size, 3) and mask.shape == size
    # The window keeps the aspect ratio: the ramp's slope is that of the scale.
    image, _ = data.RandomResizedCrop((50, 50), scale=(0.5, 0.5))(ramp, ramp[..., 0], rng, 255)
    assert image[25, 40, 0] - image[25, 10, 0] == pytest.approx(30, abs=1)
    with pytest.raises(ValueError, match="`scale` must be"):
        data.RandomResizedCrop((4, 4), scale=(0.5, 1.5))


def test_fit(folder):
    """A model is trained and validated with the losses and metrics of the package."""
    image, mask = keras.Input((*SIZE, 3)), keras.Input((*SIZE, 1))
    known = keras.layers.Conv2D(3, 1, data_format="channels_last")(image * (1 - mask))
    model = keras.Model([image, mask], keras.layers.Conv2D(3, 3, padding="same", data_format="channels_last")(known))
    last = dict(data_format="channels_last")
    model.compile(
        keras.optimizers.SGD(0.1),
        losses.MaskedL1("hole", average="region", **last),
        weighted_metrics=[metrics.L1("hole", **last)],
    )
    validation = make(folder, fixed=True)
    history = model.fit(make(folder, workers=2), validation_data=validation, epochs=2, verbose=0).history
    assert history["val_loss"][1] != history["val_loss"][0]
    before = model.evaluate(validation, verbose=0, return_dict=True)
    assert model.evaluate(validation, verbose=0, return_dict=True) == before
    expected = [
        float(losses.MaskedL1("hole", average="region", **last)(y, model.predict_on_batch(list(x)), weights))
        for x, y, weights in (validation[index] for index in range(len(validation)))
    ]
    assert before["loss"] == pytest.approx(np.mean(expected), rel=1e-4)
    assert 0 < before["hole_l1"] < 1


def test_wrong_arguments(folder):
    with pytest.raises(ValueError, match="`masks` must be a mask generator"):
        make(folder, masks="strokes")
    with pytest.raises(ValueError, match="no Keras layers"):
        make(folder, augment=[keras.layers.RandomFlip()])
    with pytest.raises(ValueError, match="`batch_size`"):
        make(folder, batch_size=0)
    with pytest.raises(FileNotFoundError):
        make(folder / "nothing")
    with pytest.raises(data.DataError, match="The samples of a batch must have one size"):
        make(folder, augment=[])[0]
