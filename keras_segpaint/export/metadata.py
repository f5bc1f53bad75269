"""What a LiteRT file says about itself: files of JSON and text in a zip archive behind the model."""

import json
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras

import keras_segpaint
from keras_segpaint.export.options import FileOptions

__all__ = ["describe", "read_metadata", "write_metadata"]

DESCRIPTION = "segpaint.json"
LABELS = "labels.txt"
_KNOWN = ("classes", "palette", "licence")


def read_metadata(path: str | os.PathLike) -> dict[str, Any]:
    """What `to_litert` wrote into a file about it.

    The archive is where TFLite Metadata keeps associated files, behind the model, which interpreters ignore: any program
    that reads zip files finds `segpaint.json` and, where classes have names, `labels.txt`, a line for each.

    Args:
        path: The `.tflite` file.

    Returns:
        `task`, `model`, `precision`, `input` (`shape`, `dtype`, `range` and `channels`), `output` (`kind`, `shape` and `dtype`),
        and, where known, `classes`, `palette`, `licence` and `card`.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it has no such description.

    Example:
        >>> import tempfile
        >>> from keras_segpaint.export import to_litert
        >>> from keras_segpaint.models import UNet
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     model = UNet(2, base_filters=2)
        ...     report = to_litert(model, f"{folder}/unet.tflite", (16, 16, 3), metadata={"classes": ["ground", "road"]})
        ...     read_metadata(report.path)["classes"]
        ['ground', 'road']
    """
    if not Path(path).is_file():
        raise FileNotFoundError(2, "No such file", str(path))
    try:
        with zipfile.ZipFile(path) as archive:
            return json.loads(archive.read(DESCRIPTION))
    except (zipfile.BadZipFile, KeyError, json.JSONDecodeError) as error:
        raise ValueError(f"{path} holds no description: it was not written by `to_litert`, or without.") from error


def describe(
    model: keras.Model,
    options: FileOptions,
    input_shape: tuple[int | None, ...],
    output_shape: tuple[int, ...],
    fills: bool,
    more: Mapping[str, Any],
) -> dict[str, Any]:
    """The description of a file.

    Args:
        model: The Keras model, with a card if its weights were published.
        options: Those of the file.
        input_shape: Of the file's input.
        output_shape: Of the file's output.
        fills: Whether it fills holes.
        more: Class names, palette, licence and whatever else the caller knows.
    """
    card = getattr(model, "card", None) or {}
    raw = options.input_dtype == "uint8"
    channels: list[Any] = ["red", "green", "blue"]
    if not fills and input_shape[-1] != 3:
        channels = list(range(int(input_shape[-1] or 1)))
    if fills:
        channels.append(f"hole ({255 if raw else 1} is a hole, 0 is known)")
        channels += ["guide"] * (int(input_shape[-1] or 0) - len(channels))
    known = {name: card[name] for name in _KNOWN if card.get(name)}
    description = {
        "written_by": f"keras_segpaint {keras_segpaint.__version__}",
        "task": "inpainting" if fills else "segmentation",
        "model": type(model).__name__,
        "precision": options.precision,
        "input": {
            "shape": list(input_shape),
            "dtype": options.input_dtype,
            "range": [0, 255] if raw else [0, 1],
            "channels": channels,
            "normalization": "none: all that the network needs is in the file",
        },
        "output": {
            "kind": "image" if fills else options.output,
            "shape": list(output_shape),
            "dtype": "uint8" if options.classes or options.output == "image" else "float32",
        },
        **known,
        **more,
    }
    if card:
        description["card"] = card
    return description


def write_metadata(path: str | os.PathLike, description: Mapping[str, Any]) -> None:
    """Puts a description behind the model in a LiteRT file."""
    with zipfile.ZipFile(path, "a") as archive:
        for name, text in _texts(description).items():
            # The date of an entry is constant, for equal models to be equal files.
            archive.writestr(zipfile.ZipInfo(name), text)


def _texts(description: Mapping[str, Any]) -> dict[str, str]:
    texts = {DESCRIPTION: json.dumps(description, indent=1, default=_plain)}
    if description.get("classes"):
        texts[LABELS] = "".join(f"{name}\n" for name in description["classes"])
    return texts


def _plain(value: Any) -> Any:
    """NumPy's arrays and numbers as lists and numbers."""
    return value.tolist() if hasattr(value, "tolist") else list(value)
