"""Reading checkpoints of TensorFlow's graphs: variables by name, in several files of one prefix."""

import re
from pathlib import Path
from typing import Any

import numpy as np

from keras_segpaint.convert.source import State
from keras_segpaint.extras import require

__all__ = ["checkpoint_prefix", "read_tensorflow"]

_ENDING = re.compile(r"\.(index|meta|data-\d{5}-of-\d{5})$")
_NEWEST = re.compile(r'^model_checkpoint_path:\s*"(?:.*[/\\])?([^/\\"]+)"', re.MULTILINE)


def checkpoint_prefix(path: Path) -> Path:
    """What the names of a checkpoint's files have in common, as TensorFlow names it.

    Args:
        path: That, one of the files, or their folder; of several checkpoints in a folder the one that its file
            `checkpoint` names.

    Raises:
        FileNotFoundError: If there is no such file or folder.
        ValueError: If there is no checkpoint, or several and none is named.

    Example:
        >>> import tempfile
        >>> folder = Path(tempfile.mkdtemp())
        >>> (folder / "snap-0.index").touch()
        >>> checkpoint_prefix(folder).name, checkpoint_prefix(folder / "snap-0.index").name
        ('snap-0', 'snap-0')
    """
    prefix = path.with_name(_ENDING.sub("", path.name))
    if _index(prefix).is_file():
        return prefix
    if not path.exists():
        raise FileNotFoundError(2, "No such file", str(path))
    if not path.is_dir() and path.name != "checkpoint":
        raise ValueError(
            f"{path} is no checkpoint of TensorFlow, which is several files: give their folder, or what their names have "
            "in common, such as snap-0 of snap-0.index and snap-0.data-00000-of-00001."
        )
    folder = path if path.is_dir() else path.parent
    named = folder / "checkpoint"
    if named.is_file():
        # Where it was written there were other folders.
        newest = _NEWEST.search(named.read_text(encoding="utf-8", errors="replace"))
        if newest is not None and _index(folder / newest[1]).is_file():
            return folder / newest[1]
    found = sorted(file.with_suffix("") for file in folder.glob("*.index"))
    if len(found) != 1:
        names = ", ".join(prefix.name for prefix in found)
        what = f"several checkpoints: {names}. Name one, as {found[0]}" if found else "no checkpoint: no file .index"
        raise ValueError(f"{folder} has {what}.")
    return found[0]


def _index(prefix: Path) -> Path:
    return prefix.with_name(f"{prefix.name}.index")


def read_tensorflow(path: Path) -> State:
    """The numbers in a checkpoint by the names of their variables, on any backend of Keras.

    Args:
        path: As `checkpoint_prefix` takes it.

    Raises:
        FileNotFoundError: If there is no such file or folder.
        ImportError: If TensorFlow, which reads it, is not installed.
        ValueError: If there is no checkpoint, or a part of it is damaged or not there.
    """
    prefix = checkpoint_prefix(path)
    tensorflow: Any = require("tensorflow", "tensorflow", "Reading a checkpoint of TensorFlow")
    try:
        reader = tensorflow.train.load_checkpoint(str(prefix))
        kinds = reader.get_variable_to_dtype_map()
        return {
            name: np.asarray(reader.get_tensor(name))
            for name, kind in sorted(kinds.items())
            if kind.is_floating or kind.is_integer
        }
    except (tensorflow.errors.OpError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(
            f"{prefix} is damaged, or one of its files is not there ({reason}). Download it again."
        ) from error
