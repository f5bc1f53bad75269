"""Reading a published checkpoint into a model."""

import os
from dataclasses import replace
from inspect import signature
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_segpaint import backbones, models
from keras_segpaint.backbones.image_source import ImageSource
from keras_segpaint.backbones.pretrained import adapt_stem
from keras_segpaint.backbones.weight_files import read_torch
from keras_segpaint.convert.card import Card
from keras_segpaint.convert.mapping import Match, match
from keras_segpaint.convert.source import Layout, Source, State, UnknownLayoutError
from keras_segpaint.convert.sources import get

__all__ = ["ConversionError", "build", "load"]

SHOWN = 5


class ConversionError(ValueError):
    """A checkpoint does not fit; nothing was changed."""


def load(model: keras.Model, path: str | os.PathLike, source: str, skip_head: bool = False) -> Card:
    """Fills a model with the weights of a published checkpoint.

    Weights are found by their names and checked by their shapes. All of the checkpoint must be used and all of the model
    filled, or nothing is changed.

    Args:
        model: A model or backbone of this package; `build` gives one that fits.
        path: The checkpoint: `.safetensors`, or PyTorch's `.pth`, `.pt`, `.tar`, which PyTorch has to be installed for. A
            pickle that asks for code is refused. Of the sources that TensorFlow wrote, which has to be installed, what
            the names of its files have in common (`snap-0`), or their folder.
        source: The implementation that it is from, one of `convert.SOURCES`.
        skip_head: Leave the layers whose shape depends on the number of classes as they are. Defaults to `False`.

    Returns:
        What is known about the weights. It is also `model.card`, and is saved with the model.

    Raises:
        FileNotFoundError: If there is no such file.
        ConversionError: If the checkpoint and the model do not fit; the message names what is missing or left over.
        ValueError: If there is no such source, or the file is damaged or holds code.
        ImportError: If the package that reads the file is not installed.

    Example:
        >>> import tempfile
        >>> from keras_segpaint import models
        >>> with tempfile.NamedTemporaryFile(suffix=".pth") as file:
        ...     load(models.ENet(12, variant="pytorch"), file.name, source="nobody/enet")
        Traceback (most recent call last):
            ...
        ValueError: `source` must be one of: ... Received: source='nobody/enet'
    """
    known = get(source)
    state, layout = _read(known, Path(path))
    return _fill(model, known, state, layout, Path(path), skip_head)


def build(path: str | os.PathLike, source: str, **arguments: Any) -> keras.Model:
    """Builds the network whose weights a published checkpoint holds, and fills it.

    Args:
        path: The checkpoint, as `load` takes it.
        source: The implementation that it is from, one of `convert.SOURCES`.
        **arguments: Further ones of the model, such as `input_shape` or `dtype`. With another `num_classes` than that of
            the checkpoint the head keeps its initial weights.

    Returns:
        The model, with `card`.

    Raises:
        FileNotFoundError: If there is no such file.
        ConversionError: If the checkpoint is not one of those that the implementation publishes.
        ValueError: As of `load`, or if the model has no such argument.
        ImportError: If the package that reads the file is not installed.

    Example:
        >>> import tempfile
        >>> build("enet.pth", source="davidtvs/enet")
        Traceback (most recent call last):
            ...
        FileNotFoundError: [Errno 2] No such file: 'enet.pth'
    """
    known = get(source)
    state, layout = _read(known, Path(path))
    published = layout.arguments.get("num_classes")
    network = getattr(_room(layout.model), layout.model)
    known_arguments = signature(network).parameters
    unknown = [name for name in arguments if name not in known_arguments]
    if unknown and not any(value.kind is value.VAR_KEYWORD for value in known_arguments.values()):
        raise ValueError(
            f"{layout.model} takes the arguments {', '.join(known_arguments)}. Received: {', '.join(unknown)}"
        )
    model = network(**{**layout.arguments, **arguments})
    _fill(model, known, state, layout, Path(path), arguments.get("num_classes", published) != published)
    return model


def _read(source: Source, path: Path) -> tuple[State, Layout]:
    if source.read is not None:
        state = source.read(path)
    elif not path.is_file():
        raise FileNotFoundError(2, "No such file", str(path))
    else:
        state = read_torch(path, source.part)
    try:
        layout = source.layout(state)
    except (UnknownLayoutError, KeyError, IndexError) as error:
        first = ", ".join(sorted(state)[:SHOWN])
        reason = f"{error}. " if isinstance(error, UnknownLayoutError) else ""
        raise ConversionError(
            f"{path} is no checkpoint of {source.name} that can be read. {reason}It holds {len(state)} arrays: {first}, ..."
        ) from error
    return layout.adapt({key: value for key, value in state.items() if not layout.ignored(key)}), layout


def _fill(model: keras.Model, source: Source, state: State, layout: Layout, path: Path, skip_head: bool) -> Card:
    """Gives a model what was read, if it fits."""
    if type(model).__name__ != layout.model:
        raise ConversionError(
            f"{path} holds weights of {layout.model}, the model is a {type(model).__name__}. "
            f"{_how(layout)} gives one that fits, and so does convert.build."
        )
    part = model.get_layer(layout.part) if layout.part else model
    found = match(part, state, layout.rename(model), layout.flipped)
    _check(found, model, layout, path, skip_head)
    if layout.images is not None:
        _fit_images(model, found, *layout.images)
    for variable, value in found.values:
        variable.assign(value)
    card = _card(source, layout, path)
    model.card = card.to_dict()
    return card


def _fit_images(
    model: keras.Model,
    found: Match,
    stem: str,
    mean: tuple[float, ...],
    deviation: tuple[float, ...],
    reversed_channels: bool,
) -> None:
    """Has the first convolution see what the checkpoint's saw, whatever the model does to its images."""
    layers = [model.get_layer(name) for name in (stem, f"{stem.removesuffix('_conv')}_bn")]
    own = {id(variable): layer for layer in layers for variable in layer.variables}
    values: dict[str, dict[str, np.ndarray]] = {layer.name: {} for layer in layers}
    for variable, value in found.values:
        if id(variable) in own:
            values[own[id(variable)].name][variable.name] = value
    conv, norm = (values[layer.name] for layer in layers)
    adapt_stem(
        model,
        layers[0],
        conv,
        norm,
        ImageSource(lambda layer: None, mean, deviation, reversed_channels=reversed_channels),
    )
    found.values = [
        (variable, values[own[id(variable)].name][variable.name] if id(variable) in own else value)
        for variable, value in found.values
    ]


def _check(found: Match, model: keras.Model, layout: Layout, path: Path, skip_head: bool) -> None:
    """Raises an error unless everything fits."""

    def in_head(variable: str) -> bool:
        return any(f"{head}/" in f"{variable}/" for head in layout.head)

    heads = [row for row in found.misshapen if in_head(row[1])]
    others = [row for row in found.misshapen if not in_head(row[1])]
    if skip_head:
        found.values = [(variable, value) for variable, value in found.values if not in_head(variable.path)]
        found.missing = [name for name in found.missing if not in_head(name)]
        heads = []
    found.unused = [key for key in found.unused if not layout.optional(key)]
    found.unknown = [row for row in found.unknown if not layout.optional(row[0])]
    problems = []
    if found.unused:
        problems.append(f"no place for {_some(found.unused)}")
    if found.unknown:
        problems.append("the model lacks " + _some([f"{layer} (for {key})" for key, layer in found.unknown]))
    if others:
        problems.append(_some([f"{key} is {theirs}, {name} is {ours}" for key, name, theirs, ours in others]))
    if found.missing:
        problems.append(f"nothing for {_some(found.missing)}")
    if problems:
        raise ConversionError(
            f"{path} does not fit this {layout.model}: {'; '.join(problems)}. It fits {_how(layout)}."
        )
    if heads:
        theirs, ours = layout.arguments.get("num_classes"), getattr(model, "num_classes", None)
        raise ConversionError(
            f"{path} is of {theirs} classes, the model of {ours}. Build the model with num_classes={theirs}, or load "
            "everything but the head with skip_head=True (--skip-head) and train it."
        )


def _some(names: list[str]) -> str:
    rest = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + rest


def _how(layout: Layout) -> str:
    arguments = ", ".join(f"{name}={value!r}" for name, value in layout.arguments.items())
    return f"{_room(layout.model).__name__.rpartition('.')[2]}.{layout.model}({arguments})"


def _room(model: str) -> Any:
    """The module that has a class."""
    return models if hasattr(models, model) else backbones


def _card(source: Source, layout: Layout, path: Path) -> Card:
    return replace(source.card, file=path.name, **layout.card)
