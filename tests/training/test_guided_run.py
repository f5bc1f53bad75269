"""Runs of networks that learn from label maps: from a segmentation data set to a guided fill."""

import json
import math

import keras
import numpy as np
import pytest

from keras_segpaint import data, losses, models, training
from keras_segpaint.inference import Inpainter, evaluate_inpainting

SIZE = (32, 32)
LAST = dict(data_format="channels_last")
NAMES = ("SemanticGuidedInpainting", "CoherencePriorsInpainting")
NARROW = {
    "SemanticGuidedInpainting": {"base_filters": 4, "guide_filters": 4},
    "CoherencePriorsInpainting": {"base_filters": 4},
}


class Bands(data.SegmentationDataset):
    """Pictures of two classes and an ignored border, each class of its own colour."""

    def __init__(self, count=4, classes=("dark", "bright")):
        super().__init__("bands", classes, ignore_class=254)
        self.count = count

    def __len__(self):
        return self.count

    def _load(self, index):
        mask = np.zeros((40, 48), np.uint8)
        mask[10 + index : 25 + index] = 1
        image = np.where(mask[..., None] == 1, [220, 180, 90], [20, 60, 110]).astype(np.uint8)
        mask[:2] = 254
        return data.Example(image, mask, f"band {index}")


class Eager(keras.callbacks.Callback):
    def set_model(self, model):
        super().set_model(model)
        model.run_eagerly = keras.backend.backend() == "jax"


def run(folder, name, recipe, train=None):
    config = training.TrainConfig(
        name, size=SIZE, epochs=1, batch_size=2, workers=1, model_args=NARROW[name], recipe=recipe
    )
    sets = {"train_data": train or Bands(), "val_data": Bands(2)}
    return training.train(config, folder, verbose=0, callbacks=[Eager()], **sets)


@pytest.fixture(scope="module")
def guided(tmp_path_factory):
    """A run against a critic that sees the labels."""
    critic = {"labels": True, "base_filters": 2}
    return run(tmp_path_factory.mktemp("guided") / "run", NAMES[0], {"critic": critic})


def test_a_guided_run_from_a_segmentation_data_set(guided):
    assert all(math.isfinite(values[0]) for values in guided.history.values())
    assert {"reconstruction_loss", "critic_loss", "val_hole_l1"} <= set(guided.history)
    assert guided.scores.images == 2 and guided.scores.hole_l1 == pytest.approx(
        guided.history["val_hole_l1"][0], abs=1e-5
    )
    record = json.loads((guided.best_path.parent.parent / "config.json").read_text())
    assert record["class_names"] == ["dark", "bright"] and record["ignore_class"] == 254
    best = keras.saving.load_model(guided.best_path, compile=False)
    assert best.num_classes == 2 and best.get_config()["input_shape"] == (32, 32, 3)
    critic = keras.saving.load_model(guided.last_path, compile=False).critic
    assert critic.get_config()["num_classes"] == 2 and len(critic.inputs) == 3


def test_a_guided_fill_of_a_picture_of_another_size(guided):
    inpainter = Inpainter(keras.saving.load_model(guided.best_path, compile=False), ignore_class=254)
    image, labels, _ = Bands(1)[0]
    mask = np.zeros(labels.shape, np.uint8)
    mask[8:20, 10:30] = 1
    filled = inpainter(image, mask, labels=labels)
    np.testing.assert_array_equal(filled[mask == 0], image[mask == 0])
    other = inpainter(image, mask, labels=np.where(labels == 254, 254, 1 - labels))
    assert np.abs(filled.astype(int) - other)[mask == 1].max() > 0
    both = inpainter([image, image], mask, labels=[labels, labels])
    np.testing.assert_allclose(both[1], filled, atol=1)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (None, "`labels` must be given.*2 classes"),
        (np.full((40, 48), 7), "the labels 7"),
        (np.zeros((40, 48, 3), np.uint8), "colours"),
        (np.zeros((48, 40), np.uint8), "labels of 40 x 48 pixels"),
    ],
)
def test_labels_that_cannot_guide(guided, labels, message):
    inpainter = Inpainter(keras.saving.load_model(guided.best_path, compile=False))
    with pytest.raises(ValueError, match=message):
        inpainter(np.zeros((40, 48, 3), np.uint8), np.eye(40, 48), labels=labels)
    with pytest.raises(ValueError, match="`labels` are for models"):
        Inpainter("telea")(np.zeros((40, 48, 3), np.uint8), np.eye(40, 48), labels=np.zeros((40, 48), int))


def test_guided_networks_are_evaluated_on_labelled_images(guided):
    model = keras.saving.load_model(guided.best_path, compile=False)
    results = evaluate_inpainting(model, Bands(1), size=SIZE, baselines=())
    assert results["model"].scores.images == 6 and math.isfinite(results["model"].scores.hole_l1)
    with pytest.raises(ValueError, match="2 classes.*bands with 3 classes"):
        evaluate_inpainting(model, Bands(1, ("a", "b", "c")), size=SIZE, baselines=())


def test_labels_as_targets_against_a_critic(tmp_path):
    recipe = {"critic": {"base_filters": 2}}
    result = run(tmp_path / "run", NAMES[1], recipe)
    assert all(math.isfinite(values[0]) for values in result.history.values())
    best = keras.saving.load_model(result.best_path, compile=False)
    assert len(best.inputs) == 2 and best.get_config()["all_scales"] is False
    image, _, _ = Bands(1)[0]
    filled = Inpainter(best)(image, np.eye(40, 48))
    assert filled.shape == image.shape


def test_data_that_cannot_train_a_guided_network(tmp_path):
    with pytest.raises(data.DataError, match="same classes"):
        run(tmp_path / "a", NAMES[0], {}, train=Bands(2, ("a", "b", "c")))
    with pytest.raises(data.DataError, match="the labels 2"):
        run(tmp_path / "b", NAMES[0], {}, train=Mislabelled())
    with pytest.raises(ValueError, match="follows from the data"):
        training.TrainConfig(NAMES[0], model_args={"num_classes": 3})
    config = training.TrainConfig(
        "DeepFillV2", size=SIZE, epochs=1, model_args={"cnum": 4}, recipe={"critic": {"labels": True}}
    )
    with pytest.raises(ValueError, match="cannot see labels: DeepFillV2"):
        training.train(config, tmp_path / "c", train_data=Bands(), val_data=Bands(), verbose=0)


class Mislabelled(Bands):
    """Two classes by name, of which a third occurs."""

    def _load(self, index):
        image, mask, name = super()._load(index)
        mask[0, 0] = 2
        return data.Example(image, mask, name)


@pytest.mark.parametrize("name", NAMES)
def test_plain_fit_learns(name):
    keras.utils.set_random_seed(0)
    cls = getattr(models, name)
    settings = {**NARROW[name], "input_shape": (*SIZE, 3), **LAST, cls.training_argument: True}
    model = cls(2, **settings)
    batches = data.GuidedInpaintingDataset(
        Bands(), data.RectangleMask(), batch_size=4, size=SIZE, labels=cls.guidance, workers=0, fixed=True, **LAST
    )
    model.compile(
        keras.optimizers.Adam(5e-3),
        losses.MaskedL1("image", **LAST),
        run_eagerly=keras.backend.backend() != "tensorflow",
    )
    history = model.fit(batches, epochs=8, verbose=0).history["loss"]
    assert history[-1] < 0.8 * history[0]


def test_guided_networks_export(tmp_path):
    pytest.importorskip("tensorflow")
    from keras_segpaint import export

    model = models.SemanticGuidedInpainting(3, base_filters=4, guide_filters=4, input_shape=(*SIZE, 3), **LAST)
    report = export.to_saved_model(model, tmp_path / "guided", input_shape=(*SIZE, 5))
    assert report.max_difference < 1e-3
