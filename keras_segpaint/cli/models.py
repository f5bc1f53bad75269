"""`segpaint models`: which networks there are."""

import json
import re
from importlib import resources
from typing import Annotated, Literal

import typer

from keras_segpaint.cli.console import output, table
from keras_segpaint.cli.options import DebugOption, start

__all__ = ["models"]


def models(
    family: Annotated[
        Literal["segmentation", "inpainting", "synthesis"] | None,
        typer.Option(help="Those of one family alone.", show_default=False),
    ] = None,
    debug: DebugOption = False,
) -> None:
    """List the networks for segmentation, inpainting and synthesis.

    Paper, parameters, multiply-adds of an image of 360 x 480, what each is good for.

    Counted at the classes and options that docs/models.md names.

    Example: segpaint models --family inpainting
    """
    start(None)
    # Written by `python -m benchmarks models`: building every network to count takes minutes.
    catalogue = json.loads(resources.files("keras_segpaint").joinpath("models/catalogue.json").read_text("utf-8"))
    rows = [
        {
            "model": row["model"],
            "parameters": f"{row['parameters']:,}",
            "mult-adds": f"{row['multiply_adds'] / 1e9:.1f} G",
            "good for": f"{row['good_for']}\n{reference(row['paper'])}",
        }
        for row in catalogue
        if family in (None, row["family"])
    ]
    output.print(
        table(
            f"Models for {family}" if family else "Models",
            rows,
            right=("parameters", "mult-adds"),
            whole=("model", "parameters", "mult-adds"),
        )
    )


def reference(paper: str) -> str:
    """First author, year, and number in arXiv of a publication in one line."""
    found = re.search(r"^([^,]*?)(?:,.*?)? ((?:19|20)\d\d),.*?(arXiv:[\d.]+)?$", paper)
    return paper if found is None else " ".join(part for part in found.groups() if part)
