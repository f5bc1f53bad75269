"""Runs of inpainting networks: what they write, and that an interrupted one ends as if nothing had happened."""

import json
import math
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

from keras_segpaint import data, models, training
from keras_segpaint.inference import Inpainter
from keras_segpaint.training import checkpoint as checkpoints
from keras_segpaint.training import inpainting_losses
from keras_segpaint.training.inpainting_stage import InpaintingStage
from keras_segpaint.training.tensorboard import learning_rates

SIZE = (32, 32)
TINY_CRITIC = {"base_filters": 2}
PCONV = {"model": "PConvUNet", "model_args": {"levels": 4, "base_filters": 2}}
NO_FEATURES = {"features": None}
HINGE = {
    "adversarial": {"name": "hinge", "adversarial_weight": 0.1},
    "critic": {"name": "SNPatchDiscriminator", **TINY_CRITIC},
    "critic_optimizer": {"name": "adam", "learning_rate": 4e-3},
    "optimizer": {"learning_rate": 1e-2},
    "schedule": {"name": "poly"},
    "loss": {"name": "MaskedL1", "region": "image"},
}


class Ramps(data.SegmentationDataset):
    """Pictures whose colours change evenly from one side to the other."""

    def __init__(self, count: int, first: int = 0):
        super().__init__("ramps", ["photograph"])
        self.count = count
        self.first = first

    def __len__(self) -> int:
        return self.count

    def _load(self, index: int) -> data.Example:
        rng = np.random.default_rng(self.first + index)
        rows, columns = np.meshgrid(np.linspace(0, 1, 40), np.linspace(0, 1, 48), indexing="ij")
        colours = rng.uniform(0, 120, (3, 3))
        image = colours[0] + rows[..., None] * colours[1] + columns[..., None] * colours[2]
        return data.Example(image.clip(0, 255).astype(np.uint8), np.zeros((40, 48), np.uint8), f"ramp {index}")


def run(folder: Path, settings: dict, **arguments) -> training.RunResult:
    config = training.TrainConfig.from_dict({"size": SIZE, "epochs": 1, "batch_size": 2, "workers": 1, **settings})
    sets = {"train_data": Ramps(4), "val_data": Ramps(2, first=100)} | arguments
    return training.train(config, folder, verbose=0, **sets)


def weights(path: Path) -> list[np.ndarray]:
    return keras.saving.load_model(path, compile=False).get_weights()


def largest_difference(first: Path, second: Path) -> float:
    return max(float(np.abs(a - b).max()) for a, b in zip(weights(first), weights(second), strict=True))


class Eager(keras.callbacks.Callback):
    """For one epoch of two steps XLA takes longer to compile a network of two stages than to run it."""

    def set_model(self, model):
        super().set_model(model)
        model.run_eagerly = keras.backend.backend() == "jax"


class Stop(keras.callbacks.Callback):
    """Raises in the middle of the second epoch."""

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.epoch == 1:
            raise KeyboardInterrupt


@pytest.fixture(scope="module")
def straight(tmp_path_factory):
    """A run against a critic that nothing interrupts."""
    return run(tmp_path_factory.mktemp("straight") / "run", {**PCONV, "epochs": 2, "recipe": HINGE})


@pytest.mark.parametrize(
    ("name", "arguments", "critics"),
    [
        ("DeepFillV1", {"base_filters": 4}, {"critic": "DeepFillV1Critic", "local_critic": "DeepFillV1Critic"}),
        ("DeepFillV2", {"cnum": 4}, {"critic": "SNPatchDiscriminator"}),
    ],
)
def test_a_network_of_two_stages_and_its_critics(tmp_path, name, arguments, critics):
    settings = {"model": name, "model_args": arguments, "recipe": dict.fromkeys(critics, TINY_CRITIC)}
    result = run(tmp_path / "run", settings, callbacks=[Eager()])
    history = result.history
    assert all(math.isfinite(values[0]) for values in history.values())
    assert {"reconstruction_loss", "adversarial_loss", "critic_loss", "val_hole_l1"} <= set(history)
    assert ("local_real_score" in history) == ("local_critic" in critics)
    with zipfile.ZipFile(result.last_path) as archive:
        stored = json.loads(archive.read("config.json"))
    assert stored["class_name"] == "AdversarialInpainting"
    for role, critic in critics.items():
        assert stored["config"][role]["class_name"] == critic
    best = keras.saving.load_model(result.best_path)
    assert type(best).__name__ == name and best.get_config()["both_stages"] is False
    # The weights of the best epoch are those that the score is of.
    assert result.scores.hole_l1 == pytest.approx(min(history["val_hole_l1"]), abs=1e-5)
    assert result.scores.images == 2
    image = Ramps(1)[0].image
    mask = np.zeros(image.shape[:2], np.uint8)
    mask[8:20, 10:30] = 1
    filled = Inpainter(best)(image, mask)
    np.testing.assert_array_equal(filled[mask == 0], image[mask == 0])
    assert (filled[mask == 1] != image[mask == 1]).any()


def test_a_run_against_a_critic_learns_and_writes_its_folder(straight):
    folder = straight.last_path.parent.parent
    assert sorted(path.name for path in straight.last_path.parent.iterdir()) == ["best.keras", "last.keras"]
    assert straight.history["val_hole_l1"][1] < straight.history["val_hole_l1"][0]
    state = checkpoints.read_state(straight.last_path)
    assert (state.epochs_done, state.best_epoch) == (2, 1)
    assert state.best == pytest.approx(min(straight.history["val_hole_l1"]))
    record = json.loads((folder / "config.json").read_text())
    assert record["task"] == "inpainting"
    assert (record["train_photographs"], record["val_photographs"]) == (4, ["ramps[0]", "ramps[1]"])
    assert record["recipe"]["adversarial"] == HINGE["adversarial"]
    assert (folder / "history.csv").read_text().count("\n") == 3
    assert (folder / "tensorboard").is_dir()
    assert straight.confusion is None and straight.skipped == []


def test_an_interrupted_run_ends_with_the_weights_of_an_uninterrupted_one(straight, tmp_path):
    settings = {**PCONV, "epochs": 2, "recipe": HINGE}
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "run", settings, callbacks=[Stop()])
    assert checkpoints.read_state(tmp_path / "run" / "checkpoints" / "last.keras").epochs_done == 1
    resumed = run(tmp_path / "run", settings, resume=True)
    assert largest_difference(straight.last_path, resumed.last_path) <= 1e-6
    assert largest_difference(straight.best_path, resumed.best_path) <= 1e-6
    for name, values in straight.history.items():
        assert resumed.history[name] == pytest.approx(values, abs=1e-5), name


def test_both_learning_rates_are_logged(tmp_path):
    config = training.TrainConfig.from_dict(
        {**PCONV, "size": SIZE, "recipe": HINGE, "mixed_precision": "mixed_float16"}
    )
    stage = inpainting_stage(tmp_path, config)
    model = stage.build()
    stage.compile(model, steps_per_epoch=2)
    model.optimizer.build(model.trainable_variables)
    rates = learning_rates(model.optimizer)
    assert rates == {"learning_rate": pytest.approx(1e-2), "critic_learning_rate": pytest.approx(4e-3)}


def test_validation_is_the_same_every_time(tmp_path):
    config = training.TrainConfig.from_dict({**PCONV, "size": SIZE, "recipe": {"loss": NO_FEATURES}})
    stage = inpainting_stage(tmp_path, config)
    model = stage.build()
    batches, _ = stage.batches(model, training=False)
    (images, masks), _, _ = batches[0]
    batches.epoch = 3
    (again, same), _, _ = batches[0]
    np.testing.assert_array_equal(images, again)
    np.testing.assert_array_equal(masks, same)
    training_batches, _ = stage.batches(model, training=True)
    first = training_batches[0][0][1]
    training_batches.epoch = 1
    assert (first != training_batches[0][0][1]).any()


def inpainting_stage(folder: Path, config: training.TrainConfig) -> InpaintingStage:
    recipe = config.resolve()
    return InpaintingStage(
        folder=folder,
        config=config,
        recipe=recipe,
        train_data=Ramps(4),
        val_data=Ramps(2),
        masks=data.masks_from_config(recipe.masks),
        loss=training.build_loss(recipe.loss),
    )


def test_partial_convolution_in_its_two_stages_from_a_folder(tmp_path):
    photos = tmp_path / "photos"
    photos.mkdir()
    for index in range(5):
        Image.fromarray(Ramps(5)[index].image).save(photos / f"{index}.png")
    (photos / "3.png").write_bytes((photos / "3.png").read_bytes()[:200])
    settings = {
        "model": "PConvUNet",
        "model_args": {**PCONV["model_args"], "data_format": "channels_first"},
        "mixed_precision": "mixed_bfloat16",
        "data": str(photos),
        "two_stage": True,
        "recipe": {"loss": NO_FEATURES},
    }
    with pytest.warns(UserWarning, match="Skipped an unreadable example"):
        result = run(tmp_path / "run", settings, train_data=None, val_data=None)
    assert str(photos / "3.png") in result.skipped
    record = json.loads((tmp_path / "run" / "config.json").read_text())
    held = data.load_photographs(str(photos), "val")
    assert record["val_photographs"] == [held.example_name(0)] and record["train_photographs"] == 4
    first = keras.saving.load_model(tmp_path / "run" / "first_stage" / "checkpoints" / "best.keras", compile=False)
    last = keras.saving.load_model(result.best_path, compile=False)
    assert first.get_config()["frozen_encoder_norm"] is False and last.get_config()["frozen_encoder_norm"] is True
    # The second stage goes on from the first: what is frozen has not moved.
    for weight, other in zip(
        first.get_layer("encoder3_bn").get_weights(), last.get_layer("encoder3_bn").get_weights(), strict=True
    ):
        np.testing.assert_array_equal(weight, other)
    assert set(result.history) == {"loss", "hole_l1", "hole_psnr", "val_loss", "val_hole_l1", "val_hole_psnr"}
    assert all(math.isfinite(values[0]) for values in result.history.values())
    assert result.scores.images == 1

    Image.fromarray(Ramps(5)[0].image).save(photos / "new.png")
    (photos / Path(held.example_name(0)).name).unlink()
    with pytest.raises(ValueError, match="photographs to validate on"):
        run(tmp_path / "run", settings, resume=True, train_data=None, val_data=None)


def test_without_a_critic_both_stages_are_trained(tmp_path):
    settings = {"model": "DeepFillV2", "size": SIZE, "model_args": {"cnum": 4}, "recipe": {"adversarial": None}}
    model = inpainting_stage(tmp_path, training.TrainConfig.from_dict(settings)).build()
    assert isinstance(model, models.DeepFillV2) and set(model.output) == {"image", "coarse"}


def test_a_loss_that_is_not_finite_ends_the_run(tmp_path):
    class Poison(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            bias = self.model.get_layer("decoder1").bias
            bias.assign(np.full(bias.shape, np.nan, "float32"))

    with pytest.raises(training.TrainingError, match="epoch 1.*learning rate below 0.0002"):
        run(tmp_path / "run", {**PCONV, "recipe": {"loss": NO_FEATURES}}, callbacks=[Poison()])


def test_features_that_cannot_be_had(tmp_path, monkeypatch):
    def offline(*args, **kwargs):
        raise OSError("no network")

    monkeypatch.setitem(inpainting_losses._BACKBONES, "VGG16", offline)
    with pytest.raises(ValueError, match="no network.*--set loss.features=none"):
        run(tmp_path / "run", PCONV)
    assert not (tmp_path / "run").exists()


def test_features_from_a_file(tmp_path, monkeypatch):
    from keras_segpaint.backbones import VGG16

    made = VGG16(base_filters=2, data_format="channels_last")
    monkeypatch.setitem(inpainting_losses._BACKBONES, "VGG16", lambda weights, **settings: made)
    of_file = training.build_loss({"name": "PartialConvolutionLoss", "features": "vgg.pth"}, "channels_last")
    of_caffe = training.build_loss({"name": "PartialConvolutionLoss", "features": "imagenet"}, "channels_last")
    image = np.full((1, 16, 16, 3), 0.7, "float32")
    for plain, scaled in zip(of_file.features(image), of_caffe.features(image), strict=True):
        np.testing.assert_allclose(
            keras.ops.convert_to_numpy(plain), 57.63 * keras.ops.convert_to_numpy(scaled), rtol=1e-4, atol=1e-5
        )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"model_args": {"both_stages": True}}, "follows from training"),
        ({"model_args": {"sketch": True}}, "no sketches"),
        ({"size": (30, 32)}, "multiples of 8"),
        ({"size": (16, 16)}, "at least 32"),
        ({"two_stage": True}, "PConvUNet"),
        ({"recipe": {"adversarial": {"strength": 2}}}, "adversarial_weight"),
        ({"recipe": {"critic": None}}, "needs a `critic`"),
        ({"recipe": {"class_weights": None}}, "A recipe has no class_weights"),
        ({"model": "SNPatchDiscriminator"}, "for inpainting CoherencePriorsInpainting, DeepFillV1, DeepFillV2"),
    ],
)
def test_settings_are_checked_before_any_data_is_read(settings, message):
    with pytest.raises(ValueError, match=message):
        training.TrainConfig(**{"model": "DeepFillV2", **settings})


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"masks": {"name": "SquareMask"}}, "`name` must be one of FreeFormMask"),
        ({"masks": {"name": "RectangleMask", "radius": 3}}, "RectangleMask cannot be built"),
        ({"loss": {"name": "Dice"}}, "`loss` must have a name out of"),
        ({"loss": {"name": "MaskedL1", "colour": 3}}, "MaskedL1 cannot be built"),
        ({"loss": {"name": "StyleLoss", "features": None}}, "StyleLoss is of features alone"),
    ],
)
def test_masks_and_losses_are_built_before_anything_is_written(tmp_path, changes, message):
    with pytest.raises(ValueError, match=message):
        run(tmp_path / "run", {**PCONV, "recipe": changes})
    assert not (tmp_path / "run").exists()


def test_critics_are_known(tmp_path):
    with pytest.raises(ValueError, match="`critic` must name one of"):
        run(tmp_path / "a", {**PCONV, "recipe": {**HINGE, "critic": {"name": "ENet"}}})
    with pytest.raises(ValueError, match="`critic` cannot be built"):
        run(tmp_path / "b", {**PCONV, "recipe": {**HINGE, "critic": {"name": "DeepFillV1Critic", "depth": 3}}})


def test_every_inpainting_network_can_be_trained():
    critics = {"DeepFillV1Critic", "SNPatchDiscriminator", "SemanticGuidedCritic"}
    trained = {name for name, recipe in training.recipes.RECIPES.items() if recipe.task == "inpainting"}
    assert trained == set(models.inpainting.__all__) - critics
