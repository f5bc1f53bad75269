"""Optimizers, learning-rate schedules, weight decay and augmentation from a recipe."""

from typing import Any

import keras

from keras_segpaint import data
from keras_segpaint.training.linear_decay import LinearDecay
from keras_segpaint.training.recipe import Recipe

__all__ = ["add_weight_decay", "build_augmentation", "build_optimizer", "build_schedule"]

_OPTIMIZERS = {
    "adam": keras.optimizers.Adam,
    "adamw": keras.optimizers.AdamW,
    "rmsprop": keras.optimizers.RMSprop,
    "sgd": keras.optimizers.SGD,
}
_SIZED = ("RandomCrop", "RandomResizedCrop")
_SCHEDULES = {
    "constant": set(),
    "inverse": {"decay"},
    "linear": {"epochs"},
    "poly": {"power"},
    "step": {"factor", "epochs"},
}


def build_optimizer(recipe: Recipe, steps_per_epoch: int, epochs: int | None = None) -> keras.optimizers.Optimizer:
    """The optimizer of a recipe with its learning-rate schedule.

    Weight decay is not part of it: see `add_weight_decay`.

    Args:
        recipe: The recipe.
        steps_per_epoch: Integer >= 1.
        epochs: Length of the run, over which the schedule is stretched. Defaults to the recipe's.

    Returns:
        A Keras optimizer.

    Raises:
        ValueError: If the recipe names an unknown optimizer, schedule or argument.

    Example:
        >>> from keras_segpaint.training import recipes
        >>> optimizer = build_optimizer(recipes.get("SegNet"), steps_per_epoch=92)
        >>> type(optimizer).__name__, optimizer.momentum
        ('SGD', 0.9)
    """
    arguments = dict(recipe.optimizer)
    name = arguments.pop("name", None)
    if name not in _OPTIMIZERS:
        raise ValueError(
            f"`optimizer` must have a name out of {', '.join(_OPTIMIZERS)}. Received: {dict(recipe.optimizer)}"
        )
    arguments["learning_rate"] = build_schedule(recipe, steps_per_epoch, epochs)
    try:
        return _OPTIMIZERS[name](**arguments)
    except (TypeError, ValueError) as error:
        raise ValueError(f"`optimizer` cannot be built from {dict(recipe.optimizer)}: {error}") from error


def build_schedule(
    recipe: Recipe, steps_per_epoch: int, epochs: int | None = None
) -> float | keras.optimizers.schedules.LearningRateSchedule:
    """The learning rate of a recipe: a number or a Keras schedule.

    Args:
        recipe: The recipe.
        steps_per_epoch: Integer >= 1.
        epochs: Length of the run, over which the schedule is stretched. Defaults to the recipe's.

    Raises:
        ValueError: If the recipe names an unknown schedule or argument.

    Example:
        >>> from keras_segpaint.training import recipes
        >>> schedule = build_schedule(recipes.get("ENet"), steps_per_epoch=10, epochs=30)
        >>> [round(float(schedule(epoch * 10)), 9) for epoch in (0, 9, 10, 20)]
        [0.0005, 0.0005, 5e-05, 5e-06]
    """
    if steps_per_epoch < 1:
        raise ValueError(f"`steps_per_epoch` must be an integer >= 1. Received: steps_per_epoch={steps_per_epoch}")
    if epochs is not None:
        recipe = recipe.with_changes({"epochs": epochs})
    arguments = dict(recipe.schedule)
    name = arguments.pop("name", None)
    if name not in _SCHEDULES or set(arguments) - _SCHEDULES[name]:
        raise ValueError(
            "`schedule` must be constant, inverse (with `decay`), linear (with `epochs`), poly (with `power`) or step (with "
            "`factor` and `epochs`). "
            f"Received: {dict(recipe.schedule)}"
        )
    rate = float(recipe.optimizer.get("learning_rate", 1e-3))
    if name == "constant":
        return rate
    if name == "inverse":
        return keras.optimizers.schedules.InverseTimeDecay(rate, 1, arguments.get("decay", 5e-5))
    if name == "linear":
        constant = min(round(arguments.get("epochs", 0) * steps_per_epoch), steps_per_epoch * recipe.epochs - 1)
        return LinearDecay(rate, constant, steps_per_epoch * recipe.epochs - constant)
    if name == "poly":
        # Keras's defaults (power 1, end 1e-4) are not what the literature calls poly.
        return keras.optimizers.schedules.PolynomialDecay(
            rate, steps_per_epoch * recipe.epochs, end_learning_rate=0.0, power=arguments.get("power", 0.9)
        )
    steps = max(round(arguments.get("epochs", 100) * steps_per_epoch), 1)
    return keras.optimizers.schedules.ExponentialDecay(rate, steps, arguments.get("factor", 0.1), staircase=True)


def add_weight_decay(model: keras.Model, weight_decay: float) -> None:
    """Adds the papers' weight decay to a model: an L2 penalty on every trainable kernel.

    The papers' solvers add `weight_decay * kernel` to the gradient, before momentum or Adam's normalisation. The
    `weight_decay` of Keras's optimizers is another thing: it shrinks the weights by `learning_rate * weight_decay`
    directly. With a momentum of 0.9 that is a tenth of the papers' effect, and for Adam at ENet's numbers it is a
    shrinking of 1e-7 a step, which is none. So the penalty goes into the loss, where its gradient is exactly the
    papers'; the logged loss includes it.

    Args:
        model: A built model. The penalty is not stored with it.
        weight_decay: Float >= 0; `0` takes the penalty away.

    Example:
        >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, kernel_initializer="ones")])
        >>> add_weight_decay(model, 0.1)
        >>> round(float(keras.ops.convert_to_numpy(model.losses[0])), 6)
        0.3
    """
    if weight_decay < 0:
        raise ValueError(f"`weight_decay` must be >= 0. Received: weight_decay={weight_decay}")
    regularizer = keras.regularizers.L2(weight_decay / 2) if weight_decay else None
    for variable in model.trainable_variables:
        if variable.name.endswith("kernel"):
            variable.regularizer = regularizer


def build_augmentation(recipe: Recipe, size: tuple[int, int]) -> tuple[Any, ...]:
    """The augmentations of a recipe.

    Args:
        recipe: The recipe.
        size: `(height, width)` of the training images, for a `RandomCrop` or `RandomResizedCrop` that names no size.

    Raises:
        ValueError: If the recipe names an unknown augmentation or argument.

    Example:
        >>> from keras_segpaint.training import recipes
        >>> build_augmentation(recipes.get("ENet"), (360, 480))
        ()
    """
    configs = [
        {"size": tuple(size), **config} if config.get("name") in _SIZED else dict(config)
        for config in recipe.augmentation
    ]
    return tuple(data.augmentation_from_config(configs))
