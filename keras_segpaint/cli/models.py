"""`segpaint models`: which networks there are."""

import json
from importlib import resources
from typing import Any

from keras_segpaint.cli.console import output, table
from keras_segpaint.cli.options import DebugOption, start

__all__ = ["models"]


def models(debug: DebugOption = False) -> None:
    """List the networks: paper, parameters, multiply-adds of an image of 360 x 480, what each is good for.

    Example: segpaint models
    """
    start(None)
    # Written by `python -m benchmarks models`: building every network to count takes minutes.
    catalogue = json.loads(resources.files("keras_segpaint").joinpath("models/catalogue.json").read_text("utf-8"))
    rows = [
        {
            "model": row["model"],
            "parameters": f"{row['parameters']:,}",
            "multiply-adds": f"{row['multiply_adds'] / 1e9:.1f} G",
            "good for": row["good_for"],
            "paper": row["paper"],
            "counted with": describe(row["setting"]),
        }
        for row in catalogue
    ]
    output.print(table("Models: segpaint train NAME", rows, right=("parameters", "multiply-adds")))


def describe(setting: dict[str, Any]) -> str:
    """The arguments of a model, in few words."""
    rest = [f"{name}={value}" for name, value in setting.items() if name != "num_classes"]
    return ", ".join([f"{setting['num_classes']} classes", *rest])
