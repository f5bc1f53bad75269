"""What there is to know about an implementation to read its checkpoints."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_segpaint.convert.card import Card
from keras_segpaint.convert.mapping import Rename

__all__ = ["Layout", "Source", "UnknownLayoutError", "count"]

State = dict[str, np.ndarray]


class UnknownLayoutError(ValueError):
    """A checkpoint is not one of those that an implementation publishes."""


@dataclass(frozen=True)
class Layout:
    """What a checkpoint holds, as read off its keys and shapes.

    Args:
        model: Name of the class in `keras_segpaint.models`, or `keras_segpaint.backbones`.
        arguments: That give the network whose weights these are; a user's model may differ in others.
        rename: Gives the layers of a built model, by the modules of the checkpoint.
        part: Name of the model within the model that the checkpoint holds; empty for the whole.
        head: Paths of the layers whose shape depends on the number of classes.
        flipped: Which modules are transposed convolutions of stride 1 that are plain convolutions in the model.
        adapt: What becomes of the arrays before they are looked at: two that are one here, another order of features.
        images: What the weights expect of images where that is not what the model gives its first convolution: that
            layer's name and the mean and the deviation of channels in [0, 1], in the checkpoint's order, and whether
            that is blue first.
        ignored: Which keys have no counterpart by design, as a copy of the encoder's first weights.
        optional: Which keys only some of the models have a layer for, as a classifier's that a backbone may go on with.
        card: Class names and the like, where the keys tell.
    """

    model: str
    arguments: dict[str, Any]
    rename: Callable[[keras.Model], Rename]
    part: str = ""
    head: tuple[str, ...] = ()
    flipped: Callable[[str], bool] | None = None
    adapt: Callable[[State], State] = lambda state: state
    images: tuple[str, tuple[float, ...], tuple[float, ...], bool] | None = None
    ignored: Callable[[str], bool] = lambda key: False
    optional: Callable[[str], bool] = lambda key: False
    card: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Source:
    """An implementation whose checkpoints can be read.

    Args:
        name: As `source=` and `segpaint convert --source` take it.
        card: What is known about its weights.
        layout: Reads a checkpoint's layout off its keys and shapes; raises `UnknownLayoutError`.
        models: The classes of this package that its checkpoints fit, for messages.
        part: Key of the dictionary of the weights in a file that holds several, `None` for the usual ones.
        read: Reads a checkpoint that is not one of PyTorch; `None` for one that is.
    """

    name: str
    card: Card
    layout: Callable[[State], Layout]
    models: tuple[str, ...]
    part: str | None = None
    read: Callable[[Path], State] | None = None


def count(state: State, pattern: str, first: int = 0) -> int:
    """How many modules `pattern.format(first)`, `pattern.format(first + 1)` and so on are there without a gap.

    Example:
        >>> count({"layer1.0.conv.weight": 0, "layer1.1.conv.weight": 0}, "layer1.{}.")
        2
    """
    number = 0
    while any(key.startswith(pattern.format(first + number)) for key in state):
        number += 1
    return number
