"""Loading weights with an error that says what does not fit."""

import json
import os
import warnings
import zipfile
from pathlib import Path
from typing import Any

import keras
import numpy as np

__all__ = ["copy_weights", "load_weights"]


def load_weights(model: keras.Model, path: str | os.PathLike) -> None:
    """Loads the weights of a `.keras` or `.weights.h5` file into a model.

    Args:
        model: A built model of the same architecture.
        path: The file.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is damaged or belongs to another model. Of two numbers of classes, the message names
            both.

    Example:
        >>> import tempfile
        >>> model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     model.save_weights(f"{folder}/model.weights.h5")
        ...     load_weights(model, f"{folder}/model.weights.h5")
    """
    path = Path(path)
    if not path.exists():
        raise FileNotFoundError(2, "No such file", str(path))
    stored = _stored_num_classes(path)
    wanted = getattr(model, "num_classes", None)
    if None not in (stored, wanted) and stored != wanted:
        raise ValueError(
            f"{path} holds weights for {stored} classes, the model has {wanted}. Build the model with "
            f"num_classes={stored}, or train it anew on the {wanted} classes."
        )
    try:
        with warnings.catch_warnings():
            # Keras announces what does not fit before it raises; and an optimizer's state is not asked for.
            warnings.simplefilter("ignore", UserWarning)
            model.load_weights(path)
    except (ValueError, KeyError, OSError, zipfile.BadZipFile) as error:
        raise ValueError(f"{path} does not hold the weights of this model ({model.name}): {error}") from error


def check_model_file(path: str | os.PathLike) -> None:
    """Raises an error unless `path` is a model that Keras saved.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is no `.keras` file.
    """
    if not Path(path).exists():
        raise FileNotFoundError(2, "No such file", str(path))
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            if "config.json" in archive.namelist():
                return
    raise ValueError(f"{path} is not a model: weights to start from are a .keras file, such as a run's best.keras.")


def _stored_num_classes(path: Path) -> int | None:
    """The number of classes that a `.keras` file names, `None` if it names none."""
    if path.suffix != ".keras" or not zipfile.is_zipfile(path):
        return None
    with zipfile.ZipFile(path) as archive:
        config: dict[str, Any] = json.loads(archive.read("config.json"))
    return config.get("config", {}).get("num_classes")


def copy_weights(source: keras.Model, target: keras.Model, skip_mismatch: bool = False) -> list[str]:
    """Copies the weights of every layer of `source` to the layer of the same name in `target`.

    Args:
        source: A model.
        target: A model with some layers of the same names.
        skip_mismatch: Whether layers of the same name whose weights have other shapes are left as they are, such as the
            last one where the classes are others. Defaults to `False`.

    Returns:
        The names of the layers with weights that were copied.

    Raises:
        ValueError: If layers of the same name have weights of different shapes and `skip_mismatch` is `False`; if no
            layer fits.

    Example:
        >>> models = [
        ...     keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, name="first"), keras.layers.Dense(n)])
        ...     for n in (4, 5)
        ... ]
        >>> copy_weights(*models)
        ['first']
    """
    targets = {layer.name: layer for layer in target.layers}
    copied = []
    for layer in source.layers:
        if layer.weights and layer.name in targets:
            values = [np.asarray(keras.ops.convert_to_numpy(weight)) for weight in layer.weights]
            shapes = [tuple(weight.shape) for weight in targets[layer.name].weights]
            if skip_mismatch and shapes != [value.shape for value in values]:
                continue
            targets[layer.name].set_weights(values)
            copied.append(layer.name)
    if not copied:
        raise ValueError(
            f"No layer of {source.name} has the name and the shapes of one of {target.name}: give weights of a network of "
            "the same kind."
        )
    return copied
