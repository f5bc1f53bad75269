"""Recipes and what is built from them."""

import dataclasses
import json
import types

import keras
import numpy as np
import pytest

from keras_segpaint import data, losses, models, training
from keras_segpaint.training import SegmentationRecipe, TrainConfig, recipes
from keras_segpaint.training.segmentation_stage import SegmentationStage

OPTIONAL = {"encoder_epochs", "loss"}


@pytest.mark.parametrize("name", recipes.RECIPES)
def test_the_numbers_of_every_recipe_have_sources(name):
    recipe = recipes.get(name)
    assert recipe.model == name
    room = {"style": "synthesis"}.get(recipe.task, recipe.task)
    assert recipe.paper == getattr(getattr(models, room), name).paper
    stated = {field.name for field in dataclasses.fields(recipe)} - {"model", "paper", "sources"} - OPTIONAL
    assert set(recipe.sources) - OPTIONAL == stated
    training.build_optimizer(recipe, steps_per_epoch=10)
    training.build_augmentation(recipe, recipe.crop_size)
    if recipe.task == "segmentation":
        assert ("encoder_epochs" in recipe.sources) == (recipe.encoder_epochs > 0)
    elif recipe.task == "inpainting":
        assert 0 < data.masks_from_config(recipe.masks).draw((64, 64), count=1).mean() < 1
        loss = {**recipe.loss, "features": None} if "features" in recipe.loss else recipe.loss
        assert training.build_loss(loss)(np.zeros((1, 8, 8, 3)), np.ones((1, 8, 8, 3)), np.ones((1, 8, 8, 1))) > 0
    elif recipe.task == "synthesis":
        assert recipe.loss["network"] == "VGG19"


def test_every_segmentation_network_has_a_recipe():
    assert {name for name, recipe in recipes.RECIPES.items() if recipe.task == "segmentation"} == set(
        models.segmentation.__all__
    )


def test_the_loss_of_deepfill_v1_adds_its_terms():
    loss = training.build_loss(recipes.get("DeepFillV1").loss, "channels_last")
    mask = np.zeros((1, 1, 4, 1))
    mask[0, 0, 2:] = 1
    # Distances 1 and 2 from the known pixels, means over the hole and over the rest, both times 1.2.
    value = float(loss(np.zeros((1, 1, 4, 3)), np.ones((1, 1, 4, 3)), mask))
    assert value == pytest.approx(1.2 * (0.9 + 0.81) / 2 + 1.2, rel=1e-5)
    again = keras.losses.deserialize(keras.losses.serialize(loss))
    assert float(again(np.zeros((1, 1, 4, 3)), np.ones((1, 1, 4, 3)), mask)) == pytest.approx(value)


def test_fields_that_are_mappings_are_merged():
    base = recipes.get("DeepFillV2")
    assert base.with_changes({"critic": {"base_filters": 8}}).critic == {
        "name": "SNPatchDiscriminator",
        "base_filters": 8,
    }
    assert base.with_changes({"masks": {"name": "RectangleMask"}}).masks == {"name": "RectangleMask"}
    assert base.with_changes({"adversarial": None}).adversarial is None
    shorter = recipes.get("PConvUNet").with_changes({"epochs": 5, "loss": {"features": None}})
    assert (shorter.fine_tuning["epochs"], shorter.fine_tuning["learning_rate"]) == (5, 5e-5)
    assert shorter.loss == {"name": "PartialConvolutionLoss", "features": None}


LABEL_LOSSES = [
    "BoundaryWeightedCrossentropy",
    "Dice",
    "Focal",
    "FocalTversky",
    "Jaccard",
    "LovaszSoftmax",
    "MCC",
    "OHEMCrossentropy",
    "SparseCrossentropy",
    "Tversky",
]


@pytest.mark.parametrize("name", LABEL_LOSSES)
def test_every_loss_of_label_maps_has_its_name_in_a_recipe(name):
    changed = TrainConfig("ENet", recipe={"loss": {"name": name}}).resolve()
    assert changed.loss == {"name": name}
    loss = training.build_label_loss(changed.loss, [1.0, 2.0], ignore_class=7, data_format="channels_last")
    assert type(loss) is getattr(losses, name) and loss.ignore_class == 7
    assert getattr(loss, "class_weights", [1.0, 2.0]) == [1.0, 2.0]


def test_a_sum_of_losses_is_plain_data():
    terms = [{"name": "Dice", "weight": 0.5, "smooth": 1.0}, {"name": "SparseCrossentropy"}]
    config = TrainConfig("ENet", recipe={"loss": {"name": "LossSum", "terms": terms}})
    resolved = TrainConfig.from_dict(json.loads(json.dumps(config.to_dict()))).resolve()
    loss = training.build_label_loss(resolved.loss, [1.0, 2.0], 7, "channels_last")
    assert loss.weights == [0.5, 1.0]
    assert (loss.terms[0].smooth, loss.terms[0].ignore_class, loss.terms[1].class_weights) == (1.0, 7, [1.0, 2.0])


def test_the_loss_of_a_recipe_is_the_one_compiled():
    model = models.UNet(3, base_filters=2)
    shared = dict(recipe=recipe(loss={"name": "Focal", "gamma": 1.0}), class_weights=[1.0, 2.0, 3.0])
    examples = types.SimpleNamespace(ignore_class=11)
    stage = SegmentationStage(folder=None, config=TrainConfig("UNet"), train_data=examples, val_data=examples, **shared)
    stage.compile(model, steps_per_epoch=1)
    assert isinstance(model.loss, losses.Focal)
    assert (model.loss.gamma, model.loss.class_weights, model.loss.ignore_class) == (1.0, [1.0, 2.0, 3.0], 11)


def recipe(**changes) -> SegmentationRecipe:
    fields = dict(
        model="ENet",
        paper="",
        optimizer={"name": "sgd", "learning_rate": 0.1, "momentum": 0.9},
        schedule={"name": "poly"},
        epochs=10,
        batch_size=1,
        crop_size=(8, 8),
    )
    return SegmentationRecipe(**{**fields, **changes})


def test_poly_is_the_literatures():
    schedule = training.build_schedule(recipe(), steps_per_epoch=10)
    for step in (0, 1, 50, 99, 100):
        assert float(schedule(step)) == pytest.approx(0.1 * (1 - step / 100) ** 0.9, rel=1e-5, abs=1e-9)


def test_steps_fall_at_the_beginning_of_an_epoch_and_stretch_with_the_run():
    steps = recipe(schedule={"name": "step", "factor": 0.1, "epochs": 5})
    schedule = training.build_schedule(steps, 7)
    assert [float(schedule(i)) for i in (0, 34, 35, 69)] == pytest.approx([0.1, 0.1, 0.01, 0.01])
    longer = training.build_schedule(steps, 7, epochs=20)
    assert [float(longer(i)) for i in (69, 70)] == pytest.approx([0.1, 0.01])
    # Named in a change, it means what it says.
    assert steps.with_changes({"epochs": 20, "schedule": {"epochs": 3}}).schedule["epochs"] == 3


def test_a_constant_rate_is_a_number():
    assert training.build_schedule(recipe(schedule={"name": "constant"}), 1) == 0.1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"optimizer": {"name": "magic", "learning_rate": 1}}, "optimizer"),
        ({"optimizer": {"name": "adam", "learning_rate": 1, "spin": 2}}, "spin"),
        ({"schedule": {"name": "cosine"}}, "schedule"),
        ({"schedule": {"name": "poly", "epochs": 3}}, "schedule"),
    ],
)
def test_unknown_names_are_refused(changes, message):
    with pytest.raises(ValueError, match=message):
        training.build_optimizer(recipe(**changes), 1)


def test_weight_decay_is_the_papers_l2():
    """One SGD step without a gradient from the data moves a kernel by learning_rate * weight_decay * kernel."""
    dense = keras.layers.Dense(1, kernel_initializer="ones", bias_initializer="ones")
    model = keras.Sequential([keras.Input((2,)), dense])
    training.add_weight_decay(model, 0.5)
    model.compile(keras.optimizers.SGD(0.1), keras.losses.MeanSquaredError())
    model.train_on_batch(np.zeros((1, 2), "float32"), np.ones((1, 1), "float32"))
    kernel, bias = model.get_weights()
    np.testing.assert_allclose(kernel, 1 - 0.1 * 0.5, rtol=1e-6)
    np.testing.assert_allclose(bias, 1.0)
    training.add_weight_decay(model, 0.0)
    assert model.losses == []


def test_a_crop_without_size_takes_that_of_the_images():
    (crop,) = training.build_augmentation(recipe(augmentation=({"name": "RandomCrop"},)), (32, 48))
    assert crop.size == (32, 48)


def test_settings_change_the_recipe():
    changes = {"optimizer": {"learning_rate": 1e-3}, "batch_size": 4}
    config = TrainConfig("ENet", size=[90, 120], epochs=30, recipe=changes)
    changed = config.resolve()
    assert changed.optimizer == {"name": "adam", "learning_rate": 1e-3}
    assert (changed.crop_size, changed.epochs, changed.batch_size) == ((90, 120), 30, 4)
    assert changed.schedule["epochs"] == 10 and changed.encoder_epochs == 30
    other = recipes.get("SegNet").with_changes({"optimizer": {"name": "adam"}})
    assert other.optimizer == {"name": "adam", "learning_rate": 0.001}
    assert TrainConfig.from_dict(config.to_dict()) == config


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"model": "Enet"}, "`model` must be one of"),
        ({"model": "ENet", "mixed_precision": "float16"}, "mixed_float16"),
        ({"model": "ENet", "model_args": {"depth": 3}}, "no argument `depth`"),
        ({"model": "ENet", "model_args": {"num_classes": 3}}, "follows from the data"),
        ({"model": "UNet", "two_stage": True}, "encoder stage"),
        ({"model": "ENet", "recipe": {"lr": 1}}, "no lr"),
        ({"model": "ENet", "epochs": 0}, "`epochs` must be"),
        ({"model": "ENet", "recipe": {"class_weights": "inverse"}}, "class_weights"),
        ({"model": "ENet", "recipe": {"loss": {"name": "MaskedL1"}}}, "`loss` must have a name out of.*Focal"),
        ({"model": "ENet", "recipe": {"loss": {"gamma": 1.0}}}, "SparseCrossentropy cannot be built.*gamma"),
        ({"model": "ENet", "recipe": {"loss": {"name": "Focal", "gamma": -1}}}, "`gamma`"),
        ({"model": "ENet", "recipe": {"loss": {"name": "Dice", "ignore_class": 3}}}, "follows from the data"),
        ({"model": "ENet", "recipe": {"loss": {"name": "LossSum", "terms": "Dice"}}}, "must be a list"),
        ({"model": "ENet", "recipe": {"loss": {"name": "LossSum"}}}, "at least one loss"),
    ],
)
def test_settings_are_checked_before_any_data_is_read(settings, message):
    with pytest.raises(ValueError, match=message):
        TrainConfig(**settings)
    with pytest.raises(ValueError, match="no setting speed"):
        TrainConfig.from_dict({"model": "ENet", "speed": 1})
