"""The loss of a segmentation recipe."""

import inspect
from collections.abc import Mapping, Sequence
from typing import Any

from keras_segpaint import losses
from keras_segpaint.losses.base import LabelMapLoss

__all__ = ["build_label_loss"]

_OWN = {"ignore_class": "the data", "data_format": "the network", "class_weights": "the recipe"}


def build_label_loss(
    config: Mapping[str, Any],
    class_weights: Sequence[float] | None = None,
    ignore_class: int | None = 255,
    data_format: str | None = None,
) -> LabelMapLoss:
    """Builds a loss of label maps from its name and arguments.

    Args:
        config: As `SegmentationRecipe.loss`. `weight` of a term of a `LossSum` defaults to 1.
        class_weights: One number per class, for the losses that take them, also as terms; `None` for equal weights.
        ignore_class: The label of pixels that do not count, or `None`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.

    Raises:
        ValueError: If a name or an argument is unknown or out of range.

    Example:
        >>> terms = [{"name": "Dice", "weight": 0.5}, {"name": "Focal", "gamma": 1.0}]
        >>> build_label_loss({"name": "LossSum", "terms": terms}).weights
        [0.5, 1.0]
    """
    arguments = dict(config)
    name = arguments.pop("name", None)
    if name not in _names():
        raise ValueError(f"`loss` must have a name out of {', '.join(_names())}. Received: {dict(config)}")
    cls = getattr(losses, name)
    shared: dict[str, Any] = dict(ignore_class=ignore_class, data_format=data_format)
    if cls is losses.LossSum:
        terms = arguments.pop("terms", ())
        if isinstance(terms, str | Mapping) or not all(isinstance(term, Mapping) for term in terms):
            raise ValueError(
                "`loss.terms` must be a list such as [{'name': 'Dice', 'weight': 0.5}, {'name': 'SparseCrossentropy'}]. "
                f"Received: {terms!r}"
            )
        parts = [dict(term) for term in terms]
        arguments["weights"] = [part.pop("weight", 1.0) for part in parts]
        arguments["terms"] = [build_label_loss(part, class_weights, **shared) for part in parts]
        shared = {}
    elif "class_weights" in inspect.signature(cls).parameters:
        shared["class_weights"] = class_weights
    for argument in arguments:
        if argument in _OWN:
            raise ValueError(f"`loss` must not hold `{argument}`: it follows from {_OWN[argument]}.")
    try:
        return cls(**shared, **arguments)
    except TypeError as error:
        raise ValueError(f"`loss`: {name} cannot be built from {dict(config)}: {error}") from error


def _names() -> list[str]:
    """The exported losses of label maps."""
    exported = ((name, getattr(losses, name)) for name in losses.__all__)
    return [name for name, item in exported if isinstance(item, type) and issubclass(item, LabelMapLoss)]
