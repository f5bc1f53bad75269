import keras
import numpy as np
import pytest

from keras_segpaint import data
from keras_segpaint.data import Pipeline
from tests.data.folders import truncate, write_dataset

AUGMENT = (
    data.RandomFlip(),
    data.RandomScale((0.7, 1.4)),
    data.ElasticDeformation(sigma=2.0),
    data.ColorJitter(brightness=0.2, hue=0.1),
    data.RandomCrop((20, 28)),
)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return data.FolderDataset(write_dataset(tmp_path_factory.mktemp("pipeline") / "set", count=10))


def make(dataset, **arguments):
    return Pipeline(dataset, **{"batch_size": 3, "augment": AUGMENT, "shuffle": True, "seed": 5} | arguments)


def epoch_of(pipeline, epoch):
    pipeline.epoch = epoch
    return [pipeline[index] for index in range(len(pipeline))]


def assert_equal(batches, others):
    assert len(batches) == len(others)
    for batch, other in zip(batches, others, strict=True):
        np.testing.assert_array_equal(batch[0], other[0])
        np.testing.assert_array_equal(batch[1], other[1])


def test_contract(dataset):
    pipeline = Pipeline(dataset, batch_size=4)
    images, masks = pipeline[0]
    assert images.dtype == np.float32 and masks.dtype == np.int32
    assert images.shape == (4, 24, 32, 3) and masks.shape == (4, 24, 32)
    np.testing.assert_allclose(images[1], dataset[1].image / 255.0, atol=1e-7)
    np.testing.assert_array_equal(masks[1], dataset[1].mask)
    assert len(pipeline) == 3 and pipeline[2][0].shape[0] == 2
    assert len(Pipeline(dataset, batch_size=4, drop_remainder=True)) == 2


def test_data_format_channels_and_size(dataset):
    images, masks = Pipeline(dataset, batch_size=2, size=(12, 16), data_format="channels_first")[0]
    assert images.shape == (2, 3, 12, 16) and masks.shape == (2, 12, 16)
    grey, _ = Pipeline(dataset, batch_size=2, channels=1)[0]
    assert grey.shape == (2, 24, 32, 1)
    brain, _ = Pipeline(data.BrainTemplate("val"), batch_size=2, size=(24, 20), channels=3)[0]
    np.testing.assert_array_equal(brain[..., 0], brain[..., 2])


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_batches_do_not_depend_on_workers_or_order(dataset, workers):
    expected = epoch_of(make(dataset, workers=0), 1)
    pipeline = make(dataset, workers=workers)
    assert_equal(epoch_of(pipeline, 1), expected)
    assert_equal([pipeline[index] for index in (2, 0, 3)], [expected[index] for index in (2, 0, 3)])


def test_epochs_and_seeds_differ(dataset):
    first, second = epoch_of(make(dataset), 0), epoch_of(make(dataset), 1)
    other_seed = epoch_of(make(dataset, seed=6), 0)
    assert not np.array_equal(first[0][0], second[0][0])
    assert not np.array_equal(first[0][0], other_seed[0][0])


def test_shuffling_visits_every_example_once(dataset):
    pipeline = Pipeline(dataset, batch_size=3, shuffle=True)
    orders = []
    for epoch in (0, 1):
        images = np.concatenate([images for images, _ in epoch_of(pipeline, epoch)])
        orders.append(np.rint(images[:, 0, 0, 1] * 25.5).astype(int).tolist())
    assert sorted(orders[0]) == sorted(orders[1]) == list(range(10))
    assert orders[0] != orders[1]


class Recording(Pipeline):
    """Keeps a checksum of every batch that it gives out."""

    def __getitem__(self, index):
        batch = super().__getitem__(index)
        self.seen = [*getattr(self, "seen", []), float(batch[0].astype(np.float64).sum())]
        return batch


def small_model(**compile_arguments):
    inputs = keras.Input((None, None, 3))
    model = keras.Model(inputs, keras.layers.Conv2D(3, 3, padding="same")(inputs))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=255)
    model.compile(optimizer=keras.optimizers.SGD(0.5), loss=loss, **compile_arguments)
    return model


def checksums(batches):
    return [float(images.astype(np.float64).sum()) for images, _ in batches]


@pytest.mark.parametrize("workers", [0, 2])
def test_fit_sees_every_epoch_as_planned(dataset, workers):
    """Keras's own shuffling and the batch it builds the model with change nothing; a resumed run sees the rest."""
    expected = [checksums(epoch_of(make(dataset, workers=0), epoch)) for epoch in range(4)]
    arguments = dict(batch_size=3, augment=AUGMENT, shuffle=True, seed=5, workers=workers)
    pipeline = Recording(dataset, **arguments)
    validation = make(dataset, augment=(), shuffle=False)
    small_model(metrics=["accuracy"]).fit(pipeline, validation_data=validation, epochs=2, verbose=0)
    assert pipeline.epoch == 2
    assert pipeline.seen[-8:] == expected[0] + expected[1]
    resumed = Recording(dataset, **arguments)
    resumed.epoch = 2
    small_model().fit(resumed, epochs=4, initial_epoch=2, verbose=0)
    assert resumed.seen[-8:] == expected[2] + expected[3]


def test_fit_gives_the_same_weights_for_any_number_of_workers(dataset):
    def weights(workers):
        keras.utils.set_random_seed(3)
        model = small_model()
        model.fit(make(dataset, workers=workers, batch_size=5), epochs=2, verbose=0)
        return np.concatenate([weight.ravel() for weight in model.get_weights()])

    reference = weights(0)
    np.testing.assert_array_equal(weights(2), reference)


def test_truncated_image_is_replaced_warned_about_and_counted(tmp_path):
    root = write_dataset(tmp_path / "set", count=8, size=(48, 64), suffix=".jpg")
    whole = data.FolderDataset(root)
    truncate(root / "images" / "003.jpg")
    pipelines = [Pipeline(whole, batch_size=4, workers=workers, seed=1) for workers in (0, 2)]
    results = []
    for pipeline in pipelines:
        with pytest.warns(UserWarning, match=r"Skipped an unreadable example.*003\.jpg: cannot be read") as caught:
            results.append([pipeline[0], pipeline[1]])
            pipeline.epoch = 1
            pipeline[0]
        assert len(caught) == 1
        assert pipeline.skipped == [str(root / "images" / "003.jpg")]
        assert results[-1][0][0].shape == (4, 48, 64, 3)
    assert_equal(*results)


def test_no_readable_example(tmp_path):
    root = write_dataset(tmp_path / "set", count=2)
    broken = data.FolderDataset(root)
    for path in (root / "images").iterdir():
        truncate(path)
    with pytest.raises(data.DataError, match="no readable example found in 20 tries.*00[01].png"):
        Pipeline(broken, batch_size=1)[0]


def test_cache_changes_nothing(dataset):
    cached = make(dataset, cache=True, size=(18, 22), augment=AUGMENT[:-1] + (data.RandomCrop((18, 22)),))
    plain = make(dataset, size=(18, 22), augment=AUGMENT[:-1] + (data.RandomCrop((18, 22)),))
    for epoch in (0, 1, 0):
        assert_equal(epoch_of(cached, epoch), epoch_of(plain, epoch))


def test_samples_of_different_size_are_refused(dataset):
    pipeline = Pipeline(dataset, batch_size=3, augment=[data.RandomScale()])
    with pytest.raises(data.DataError, match=r"must have one size.*size=\(height, width\)"):
        pipeline[0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"batch_size": 0}, "`batch_size` must be.*batch_size=0"),
        ({"seed": -1}, "`seed`"),
        ({"workers": -1}, "workers=-1"),
        ({"channels": 4}, "channels=4"),
        ({"data_format": "nchw"}, "data_format='nchw'"),
        ({"size": (0, 3)}, r"size=\(0, 3\)"),
        ({"augment": ["flip"]}, "Received: 'flip'"),
        ({"batch_size": 11, "drop_remainder": True}, "no batch of 11"),
    ],
)
def test_bad_arguments(dataset, arguments, message):
    with pytest.raises(ValueError, match=message):
        Pipeline(dataset, **{"batch_size": 2} | arguments)
