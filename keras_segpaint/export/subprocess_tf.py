"""Exporting from the JAX and PyTorch backends: the TensorFlow part runs in a process of its own."""

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras

from keras_segpaint.export.report import ExportError

__all__ = ["in_tensorflow"]

ERROR_CODE = 3


def in_tensorflow(action: str, model: keras.Model, **arguments: Any) -> dict[str, Any]:
    """Runs one action of `keras_segpaint.export._convert` under the TensorFlow backend.

    Args:
        action: Its name.
        model: The model to write, handed over as a `.keras` file.
        **arguments: What else the action needs, as JSON can hold it.

    Returns:
        What the action gives back.

    Raises:
        ExportError: If it fails; with the other process's message.
        ImportError: If TensorFlow is not installed.
    """
    if importlib.util.find_spec("tensorflow") is None:
        raise ImportError(
            "Exporting needs the package `tensorflow`, which is not installed. "
            'Install it with: pip install "keras_segpaint[export]"'
        )
    with tempfile.TemporaryDirectory() as folder:
        job = Path(folder, "job.json")
        result = Path(folder, "result.json")
        file = Path(folder, "model.keras")
        model.save(file)
        description = {
            "action": action,
            "arguments": arguments,
            "model": str(file),
            "modules": _modules(model),
            "result": str(result),
        }
        job.write_text(json.dumps(description), encoding="utf-8")
        done = subprocess.run(
            [sys.executable, "-m", "keras_segpaint.export._convert", str(job)],
            env=_environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode == ERROR_CODE:
            raise ExportError(json.loads(result.read_text(encoding="utf-8"))["error"])
        if done.returncode != 0:
            tail = "\n".join(done.stderr.strip().splitlines()[-8:])
            raise ExportError(f"The export under TensorFlow failed with exit code {done.returncode}:\n{tail}")
        return json.loads(result.read_text(encoding="utf-8"))


def _environment() -> dict[str, str]:
    # A conversion needs no accelerator, whose memory this process may hold.
    own = {"KERAS_BACKEND": "tensorflow", "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}
    # The other process must find what this one found, wherever it was started.
    paths: Sequence[str] = [str(Path(__file__).resolve().parents[2]), *(path for path in sys.path if path)]
    return {**os.environ, **own, "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths))}


def _modules(model: keras.Model) -> list[str]:
    """The modules that register the model's layers, which loading it needs."""
    modules = {type(layer).__module__ for layer in (model, *model.layers)}
    return sorted(name for name in modules if name.partition(".")[0] not in ("keras", "__main__"))
