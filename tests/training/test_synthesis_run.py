"""Runs of networks that make images from label maps: what they write, and that an interrupted one ends as an uninterrupted."""

import json
import math

import keras
import numpy as np
import pytest

from keras_segpaint import models, training
from keras_segpaint.data import SynthesisDataset
from keras_segpaint.inference import Synthesizer
from keras_segpaint.training import checkpoint as checkpoints
from keras_segpaint.training import inpainting_losses
from keras_segpaint.training.recipes import RECIPES
from tests.conformance.cases import fill_weights

SIZE = (32, 32)
NARROW = {"base_filters": 2}
CRITIC = {**NARROW, "num_layers": 2}
RECIPE = {
    "loss": None,
    "critic": CRITIC,
    "optimizer": {"learning_rate": 1e-3},
    "critic_optimizer": {"learning_rate": 4e-3},
}
# Compiles the fastest of those with a critic.
SMALL = {
    "model": "Pix2PixHDGenerator",
    "model_args": {**NARROW, "downsampling": 1, "blocks": 1},
    "recipe": RECIPE,
}
STYLES = {
    "model": "SPADEGenerator",
    "model_args": {**NARROW, "hidden": 4},
    "recipe": {**RECIPE, "encoder": {"name": "SPADEEncoder", **NARROW, "latent_dim": 4, "size": 128}},
}


@pytest.fixture(scope="module")
def run(blobs):
    def start(folder, settings, **arguments):
        config = training.TrainConfig.from_dict({"size": SIZE, "epochs": 1, "batch_size": 2, "workers": 1, **settings})
        sets = {"train_data": blobs(4), "val_data": blobs(2, first=100)} | arguments
        return training.train(config, folder, verbose=0, **sets)

    return start


@pytest.fixture(scope="module")
def straight(run, tmp_path_factory):
    """A run against a critic that nothing interrupts."""
    return run(tmp_path_factory.mktemp("straight") / "run", {**SMALL, "epochs": 2})


@pytest.fixture(scope="module")
def styled(run, tmp_path_factory):
    """A run with an encoder."""
    return run(tmp_path_factory.mktemp("styled") / "run", STYLES, callbacks=[Eager()])


class Eager(keras.callbacks.Callback):
    """To compile SPADE for two steps takes longer than the steps."""

    def set_model(self, model):
        super().set_model(model)
        model.run_eagerly = keras.backend.backend() != "torch"


class Stop(keras.callbacks.Callback):
    """Raises in the middle of the second epoch."""

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.epoch == 1:
            raise KeyboardInterrupt


def weights(path):
    return keras.saving.load_model(path, compile=False).get_weights()


def test_a_run_against_a_critic_writes_its_folder(straight, blobs):
    folder = straight.last_path.parent.parent
    names = ("adversarial_loss", "feature_matching_loss", "critic_loss", "real_score", "fake_score", "l1", "psnr")
    for name in names:
        assert np.isfinite(straight.history[name]).all() and np.isfinite(straight.history[f"val_{name}"]).all()
    best = keras.saving.load_model(straight.best_path)
    assert type(best).__name__ == "Pix2PixHDGenerator"
    assert (best.get_config()["num_labels"], best.get_config()["ignore_class"]) == (3, 255)
    assert straight.scores.l1 == pytest.approx(min(straight.history["val_l1"]), abs=1e-5)
    assert straight.scores.images == 2 and straight.confusion is None
    record = json.loads((folder / "config.json").read_text())
    assert record["task"] == "synthesis" and record["class_names"] == ["ground", "lower", "upper"]
    assert record["recipe"]["critic"] == {"name": "MultiscaleDiscriminator", **CRITIC}
    # The ignored left column is a label of its own.
    assert (blobs(1)[0].mask[:, 0] == 255).all()
    made = Synthesizer(best)(blobs(1)[0].mask.astype("int32"))
    assert made.shape == (32, 32, 3) and made.dtype == np.uint8


def test_an_interrupted_run_ends_with_the_weights_of_an_uninterrupted_one(run, straight, tmp_path):
    settings = {**SMALL, "epochs": 2}
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "run", settings, callbacks=[Stop()])
    assert checkpoints.read_state(tmp_path / "run" / "checkpoints" / "last.keras").epochs_done == 1
    resumed = run(tmp_path / "run", settings, resume=True)
    for first, second in ((straight.last_path, resumed.last_path), (straight.best_path, resumed.best_path)):
        difference = max(np.abs(a - b).max() for a, b in zip(weights(first), weights(second), strict=True))
        assert difference <= 1e-6
    for name, values in straight.history.items():
        assert resumed.history[name] == pytest.approx(values, abs=1e-5), name


def test_an_encoder_stays_with_its_generator(styled, blobs):
    assert math.isfinite(styled.history["divergence"][0])
    best = keras.saving.load_model(styled.best_path, compile=False)
    assert isinstance(best, training.AdversarialSynthesis)
    assert styled.scores.l1 == pytest.approx(styled.history["val_l1"][0], abs=1e-5)
    # So early the images are grey.
    for network in (best.generator, best.encoder):
        fill_weights(network, settled=True)
    make = Synthesizer(best)
    labels = blobs(1)[0].mask.astype("int32")
    first, second = (make(labels, example.image) for example in blobs(2))
    assert (first != second).any() and first.std() > 3
    np.testing.assert_array_equal(make(labels), Synthesizer(best.generator, seed=0)(labels))
    assert (make(labels) != Synthesizer(best, seed=1)(labels)).any()


def test_without_a_critic_by_features_alone(run, tmp_path, monkeypatch):
    made = []

    def narrow(weights, **settings):
        from keras_segpaint.backbones import VGG19

        made.append(weights)
        return VGG19(base_filters=2, **settings)

    monkeypatch.setitem(inpainting_losses._BACKBONES, "VGG19", narrow)
    result = run(tmp_path / "run", {"model": "CRN", "model_args": {"filters": (4, 4)}, "batch_size": 2})
    assert made == ["imagenet"]
    assert set(result.history) == {"loss", "l1", "psnr", "val_loss", "val_l1", "val_psnr"}
    assert np.isfinite(result.history["loss"]).all()
    assert type(keras.saving.load_model(result.best_path)).__name__ == "CRN"


@pytest.mark.parametrize("name", [name for name, recipe in RECIPES.items() if recipe.task == "synthesis"])
def test_the_losses_of_recipes(name, monkeypatch):
    from keras_segpaint.backbones import VGG19

    narrow = VGG19(base_filters=2, data_format="channels_last")
    monkeypatch.setitem(inpainting_losses._BACKBONES, "VGG19", lambda weights, **settings: narrow)
    loss = training.build_loss(RECIPES[name].loss, "channels_last")
    assert len(loss.weights) == len(loss.features.outputs)
    image = np.random.default_rng(0).uniform(-1, 1, (1, 32, 32, 3)).astype("float32")
    outputs = keras.tree.flatten(loss.features(image))
    if name == "CRN":
        np.testing.assert_allclose(
            keras.ops.convert_to_numpy(outputs[0]),
            (image - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225],
            atol=1e-5,
        )
    else:
        # Images count as normalised already: a backbone that is given them back unnormalised sees the same.
        plain = keras.Model(narrow.inputs[0], narrow.get_layer("conv1_1_relu").output)
        seen = plain(image * np.array([0.229, 0.224, 0.225]) + np.array([0.485, 0.456, 0.406]))
        np.testing.assert_allclose(
            keras.ops.convert_to_numpy(outputs[0]) * 57.63, keras.ops.convert_to_numpy(seen), rtol=1e-4, atol=1e-4
        )


def test_features_that_cannot_be_had(run, tmp_path, monkeypatch):
    def offline(*args, **kwargs):
        raise OSError("no network")

    monkeypatch.setitem(inpainting_losses._BACKBONES, "VGG19", offline)
    with pytest.raises(ValueError, match="VGG19.*no network.*--set loss.features=none"):
        run(tmp_path / "run", {**SMALL, "recipe": {}})
    assert not (tmp_path / "run").exists()


def test_batches(blobs):
    batches = SynthesisDataset(blobs(3), batch_size=3, size=(24, 32), fixed=True, workers=0)
    labels, images = batches[0]
    assert labels.dtype == np.int32 and set(np.unique(labels)) == {0, 1, 2, 255}
    assert images.shape == (3, 24, 32, 3) and -1 <= images.min() < -0.9 and images.max() <= 1
    first = SynthesisDataset(
        blobs(3), batch_size=3, size=(24, 32), fixed=True, workers=0, with_images=True, data_format="channels_first"
    )
    (again, seen), target = first[0]
    np.testing.assert_array_equal(again, labels)
    assert seen is target
    np.testing.assert_array_equal(target, images.transpose(0, 3, 1, 2))
    batches.epoch = 1
    np.testing.assert_array_equal(batches[0][1], images)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"model_args": {"num_labels": 3}}, "follows from the data"),
        ({"model_args": {"edges": True}}, "has no instances"),
        ({"model_args": {"latent_dim": 4}}, "follows from `encoder`"),
        ({"model": "CRN", "recipe": {"encoder": {"name": "SPADEEncoder"}}}, "trained with a critic"),
        ({"model": "Pix2PixHDGenerator", "recipe": {"encoder": {"name": "SPADEEncoder"}}}, "takes no codes of styles"),
        ({"two_stage": True}, "two_stage"),
        ({"recipe": {"adversarial": {"strength": 2}}}, "feature_matching_weight"),
        ({"recipe": {"critic": {"name": "ENet"}}}, "`critic` must name one of"),
        ({"recipe": {"encoder": {"name": "ENet"}}}, "`encoder` must name one of"),
        ({"recipe": {"critic": None}}, "needs a `critic`"),
        ({"recipe": {"adversarial": None, "loss": None}}, "learns by its `loss` alone"),
        ({"recipe": {"adversarial": None, "encoder": {"name": "SPADEEncoder"}}}, "trained with a critic"),
        ({"model": "MultiscaleDiscriminator"}, "for synthesis CRN, Pix2PixHDGenerator, SPADEGenerator"),
    ],
)
def test_settings_are_checked_before_any_data_is_read(settings, message):
    with pytest.raises(ValueError, match=message):
        training.TrainConfig(**{"model": "SPADEGenerator", **settings})


def test_every_network_from_label_maps_can_be_trained():
    others = {"MultiscaleDiscriminator", "SPADEEncoder"}
    trained = {name for name, recipe in RECIPES.items() if recipe.task == "synthesis"}
    assert trained == {"CRN", "Pix2PixHDGenerator", "SPADEGenerator"} <= set(models.synthesis.__all__) - others


def test_the_rate_stays_and_falls():
    recipe = RECIPES["SPADEGenerator"].with_changes({"epochs": 20})
    schedule = training.build_schedule(recipe, steps_per_epoch=10)
    assert [float(schedule(step)) for step in (0, 100, 150, 200)] == pytest.approx([1e-4, 1e-4, 5e-5, 0.0])
    straight_down = training.build_schedule(recipe.with_changes({"schedule": {"epochs": 0}}), steps_per_epoch=10)
    assert float(straight_down(50)) == pytest.approx(0.75e-4)
