"""Models as folders, in the layout of KerasHub's presets, and as repositories of the Hugging Face Hub."""

import json
import os
import tempfile
import warnings
from datetime import datetime
from pathlib import Path
from typing import Any

import keras

from keras_segpaint.extras import require

__all__ = ["HUB", "from_preset", "is_preset", "write_preset"]

HUB = "hf://"
CONFIG = "config.json"
WEIGHTS = "model.weights.h5"
METADATA = "metadata.json"
CARD = "README.md"

# Licences by the names that the Hub knows them by.
_LICENCES = {"MIT": "mit", "Apache-2.0": "apache-2.0", "BSD-3-Clause": "bsd-3-clause", "BSD-2-Clause": "bsd-2-clause"}


def from_preset(source: str | os.PathLike, kind: type | None = None, **arguments: Any) -> Any:
    """Builds the model that a preset holds, with its weights.

    Args:
        source: A folder that `save_to_preset` wrote, or `hf://user/name` of the Hugging Face Hub, with `@revision` behind it
            for a commit, a tag or a branch. What was downloaded once is kept and used without a network.
        kind: The class that is expected. Defaults to any of the package.
        **arguments: Arguments of the model that replace the stored ones, such as `dtype` or `data_format`.

    Returns:
        The model, with `card`.

    Raises:
        FileNotFoundError: If there is no such folder, or a file of the preset is missing.
        ConnectionError: If the Hub cannot be reached or has no such repository.
        ImportError: If `huggingface_hub` is not installed.
        ValueError: If the preset is damaged, or holds another class or one that is not of this package.

    Example:
        >>> import tempfile
        >>> from keras_segpaint.models import UNet
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     UNet(2, base_filters=2).save_to_preset(folder)
        ...     from_preset(folder).name
        'unet'
    """
    text = os.fspath(source)
    folder = _download(text) if text.startswith(HUB) else Path(source)
    if not folder.is_dir():
        raise FileNotFoundError(2, f"No such folder. Give one that save_to_preset wrote, or {HUB}user/name", text)
    for name in (CONFIG, WEIGHTS):
        if not (folder / name).is_file():
            raise FileNotFoundError(
                2, f"The preset {text} lacks this file. Save or download it again", str(folder / name)
            )
    description = _read_config(folder / CONFIG, text)
    found = _class(description, text)
    if kind is not None and not issubclass(found, kind):
        raise ValueError(
            f"{text} holds a {found.__name__}, not a {kind.__name__}. Use {found.__name__}.from_preset, or "
            "models.from_preset, which takes any."
        )
    try:
        model = found.from_config(description["config"])
    except (TypeError, ValueError, KeyError) as error:
        raise ValueError(f"{text}: {found.__name__} cannot be built from {CONFIG}: {error}") from error
    try:
        with warnings.catch_warnings(record=True) as left_out:
            # Keras leaves out what it does not find, with a warning.
            warnings.simplefilter("always", UserWarning)
            model.load_weights(folder / WEIGHTS)
        if left_out:
            raise ValueError(str(left_out[0].message))
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        reason = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise ValueError(
            f"{folder / WEIGHTS} is damaged, or of another {found.__name__} than {CONFIG} says: {reason}. Save or download "
            "the preset again."
        ) from error
    if not arguments:
        return model
    try:
        return model.rebuilt(**arguments)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"The weights of {text} are not those of {found.__name__} with {arguments}: {error}"
        ) from error


def is_preset(source: str | os.PathLike) -> bool:
    """Whether this names a preset: a folder with its files, or a repository of the Hub."""
    return os.fspath(source).startswith(HUB) or all((Path(source) / name).is_file() for name in (CONFIG, WEIGHTS))


def write_preset(model: Any, folder: str | os.PathLike) -> None:
    """Writes a model of this package as a preset; see `RememberedModel.save_to_preset`."""
    folder = Path(folder)
    kind = type(model)
    description = {
        "module": kind.__module__,
        "class_name": kind.__name__,
        "config": model.get_config(),
        "registered_name": keras.saving.get_registered_name(kind),
    }
    _check_free(folder)
    folder.mkdir(parents=True, exist_ok=True)
    texts = {METADATA: _json(_metadata(model)), CONFIG: _json(description)}
    if not (folder / CARD).exists():
        texts[CARD] = _card(model)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".preset.") as work:
        model.save_weights(Path(work, WEIGHTS))
        for name, text in texts.items():
            Path(work, name).write_text(text, encoding="utf-8")
        # Each whole file takes the place of the former.
        for name in (WEIGHTS, *texts):
            os.replace(Path(work, name), folder / name)


def _check_free(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise FileExistsError(17, "It is a file; choose a folder", str(folder))
    if (folder / CONFIG).exists() and not (folder / WEIGHTS).exists():
        raise FileExistsError(
            17, "It belongs to something else than a preset; choose another folder", str(folder / CONFIG)
        )


def _download(source: str) -> Path:
    """The folder that holds a repository of the Hub."""
    hub = require("huggingface_hub", "hub", f"Reading {HUB}")
    name, _, revision = source.removeprefix(HUB).partition("@")
    if name.count("/") != 1 or not all(name.split("/")):
        raise ValueError(f"A repository of the Hub is named {HUB}user/name. Received: {source!r}")
    files = [CONFIG, WEIGHTS, METADATA, CARD]
    try:
        return Path(hub.snapshot_download(name, revision=revision or None, allow_patterns=files))
    except Exception as error:  # The Hub's errors and those of the network have no class in common.
        reason = next((line.strip() for line in str(error).splitlines() if line.strip()), "")
        raise ConnectionError(
            f"{source} could not be downloaded ({type(error).__name__}: {reason}). Check the name and the network, or "
            f"download it elsewhere with `hf download {name} --local-dir DIR` and give that folder."
        ) from error


def _read_config(path: Path, source: str) -> dict[str, Any]:
    try:
        description = json.loads(path.read_text(encoding="utf-8"))
        complete = isinstance(description["config"], dict) and isinstance(description["registered_name"], str)
    except (UnicodeDecodeError, json.JSONDecodeError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path} is not the {CONFIG} of a preset ({error!r}). Save or download {source} again."
        ) from error
    if not complete:
        raise ValueError(f"{path} is not the {CONFIG} of a preset. Save or download {source} again.")
    return description


def _class(description: dict[str, Any], source: str) -> Any:
    """The class that a preset names: one that this package registered. Nothing is imported by a name in a file."""
    from keras_segpaint.models.remembered import RememberedModel

    name = description["registered_name"]
    found = keras.saving.get_registered_object(name)
    if not (isinstance(found, type) and issubclass(found, RememberedModel)):
        raise ValueError(
            f"{source} holds a {name}, which is no model of this package (version {_version()}). Load it with the package "
            "that it is of, or install a newer keras_segpaint."
        )
    for inner in _objects(description["config"]):
        known = keras.saving.get_registered_object(inner.get("registered_name") or "")
        if known is None and str(inner.get("module")).partition(".")[0] not in ("keras", "None"):
            raise ValueError(
                f"{source} names {inner['module']}.{inner['class_name']} in its configuration, which is neither of Keras nor "
                "of this package, and is not loaded."
            )
    return found


def _objects(value: Any) -> list[dict[str, Any]]:
    """All serialized objects within a configuration."""
    if isinstance(value, list | tuple):
        return [found for item in value for found in _objects(item)]
    if not isinstance(value, dict):
        return []
    return [value] * ("class_name" in value) + [found for item in value.values() for found in _objects(item)]


def _version() -> str:
    import keras_segpaint

    return keras_segpaint.__version__


def _json(value: Any) -> str:
    return json.dumps(value, indent=4, default=keras.saving.serialize_keras_object) + "\n"


def _metadata(model: Any) -> dict[str, Any]:
    return {
        "keras_version": keras.__version__,
        "keras_segpaint_version": _version(),
        "parameter_count": model.count_params(),
        "date_saved": datetime.now().strftime("%Y-%m-%d@%H:%M:%S"),
    }


def _card(model: Any) -> str:
    """A page about the model: what it is, how it is loaded, and what its card says."""
    kind = type(model).__name__
    known = {key: value for key, value in (model.card or {}).items() if value not in ("", None, [], ())}
    licence = known.get("licence")
    front = ["library_name: keras", "tags:", "- keras_segpaint", f"- {kind}"]
    if licence:
        front.insert(1, f"license: {_LICENCES.get(licence, 'other')}")
    lines = ["---", *front, "---", "", f"# {kind}", ""]
    lines += [model.paper, ""] if model.paper else []
    lines += [f"{model.count_params():,} parameters.", ""]
    lines += [
        "```python",
        "from keras_segpaint.models import from_preset",
        "",
        'model = from_preset("FOLDER")',
        "```",
        "",
    ]
    if known:
        lines += ["| | |", "|---|---|"]
        lines += [f"| {key} | {_cell(value)} |" for key, value in known.items() if key != "palette"]
        lines.append("")
    return "\n".join(lines)


def _cell(value: Any) -> str:
    text = ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
    return text.replace("|", "\\|").replace("\n", " ")
