"""`python -m keras_segpaint.export._convert JOB`: one step of an export under the TensorFlow backend."""

import importlib
import json
import sys
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_segpaint.export.conversion import run_saved_model, write_litert, write_saved_model
from keras_segpaint.export.onnx_conversion import write_onnx
from keras_segpaint.export.options import FileOptions
from keras_segpaint.export.report import ExportError
from keras_segpaint.export.subprocess_tf import ERROR_CODE

__all__ = ["perform"]


def perform(action: str, model: keras.Model, arguments: dict[str, Any]) -> dict[str, Any]:
    """Writes a model as `"litert"`, `"onnx"` or `"saved_model"`; the latter is also run if the arguments name a file of images."""
    shape, path = tuple(arguments["shape"]), arguments["path"]
    if action == "litert":
        options, calibration = FileOptions(**arguments.get("options", {})), arguments.get("calibration")
        calibration = None if calibration is None else np.load(calibration)
        write_litert(model, shape, path, options, calibration, arguments.get("outliers", False))
        return {}
    if action == "onnx":
        write_onnx(model, shape, path, arguments["opset"])
        return {}
    if action != "saved_model":
        raise KeyError(action)
    write_saved_model(model, shape, path)
    if "images" not in arguments:
        return {}
    logits, milliseconds, operators = run_saved_model(arguments["path"], np.load(arguments["images"]))
    np.save(arguments["logits"], logits)
    return {"milliseconds": milliseconds, "operators": operators}


def _main(job: Path) -> int:
    description = json.loads(job.read_text(encoding="utf-8"))
    result = Path(description["result"])
    for name in description["modules"]:
        importlib.import_module(name)
    model = keras.saving.load_model(description["model"], compile=False)
    try:
        answer = perform(description["action"], model, description["arguments"])
    except ExportError as error:
        result.write_text(json.dumps({"error": str(error)}), encoding="utf-8")
        return ERROR_CODE
    result.write_text(json.dumps(answer), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(_main(Path(sys.argv[1])))
