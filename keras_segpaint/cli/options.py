"""Options that several commands share, and the choice of the backend before Keras is imported."""

import importlib.util
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal, NamedTuple

import typer

from keras_segpaint.cli.errors import DEBUG, UserError

__all__ = ["BackendOption", "DataOption", "DebugOption", "RunArgument", "Size", "SizeOption", "parse_size", "start"]

COMMON = "Common"

Backend = Literal["tensorflow", "jax", "torch"]
# As `keras_segpaint.inference.fillers` has them, which a command imports only once its backend is chosen.
Method = Literal["telea", "ns", "biharmonic"]


class Size(NamedTuple):
    """Height and width in pixels."""

    height: int
    width: int


def parse_size(text: str) -> Size:
    """`"360x480"` or `"360"` as a size."""
    match = re.fullmatch(r"(\d+)(?:[xX](\d+))?", text.strip())
    if match is None or int(match[1]) < 1 or int(match[2] or match[1]) < 1:
        raise typer.BadParameter(f"must be HEIGHTxWIDTH in pixels, such as 360x480. Received: {text}")
    return Size(int(match[1]), int(match[2] or match[1]))


def _remember_debug(ctx: typer.Context, value: bool) -> bool:
    ctx.meta[DEBUG] = ctx.meta.get(DEBUG, False) or value
    return value


BackendOption = Annotated[
    Backend | None,
    typer.Option(
        help="What Keras computes with. Default: Keras's own configuration.",
        envvar="KERAS_BACKEND",
        rich_help_panel=COMMON,
    ),
]
DebugOption = Annotated[
    bool,
    typer.Option(
        "--debug",
        help="Show the stack trace of an error.",
        callback=_remember_debug,
        is_eager=True,
        rich_help_panel=COMMON,
    ),
]
DataOption = Annotated[
    str,
    typer.Option(
        help="A folder with images/ and masks/, or `brain`, `camvid:PATH`, `instances:PATH`, `tfds:NAME`; for inpainting "
        "photographs: a folder, a pattern, `skimage`, or several with commas. See `segpaint datasets`.",
        metavar="FOLDER|SPEC",
        show_default=False,
    ),
]
SizeOption = Annotated[
    Size | None,
    typer.Option(
        help="Height and width in pixels that images are resized to.",
        parser=parse_size,
        metavar="HxW",
        show_default=False,
    ),
]
Flip = Literal["none", "horizontal", "vertical", "both"]
FlipOption = Annotated[
    Flip, typer.Option(help="Also give the network images turned round, and take the mean of its results.")
]
RunArgument = Annotated[
    Path,
    typer.Argument(
        help="A run's folder (its best checkpoint is taken), a .keras file, a preset's folder or hf://user/name.",
        metavar="RUN_OR_MODEL",
        show_default=False,
    ),
]


def flips_of(flip: Flip) -> str | bool:
    """The option as `keras_segpaint.inference` takes it."""
    return False if flip == "none" else flip


def start(backend: str | None) -> None:
    """Imports Keras for the chosen backend, without the messages of the libraries below it.

    Args:
        backend: What `--backend` says; `None` leaves the choice to Keras's own configuration.

    Raises:
        UserError: If Keras already runs on another backend in this process.
        ModuleNotFoundError: If the backend is not installed.
    """
    if backend is not None:
        keras = sys.modules.get("keras")
        if keras is not None and keras.backend.backend() != backend:
            raise UserError(
                f"Keras already runs on {keras.backend.backend()} in this process; "
                f"{backend} needs a process of its own."
            )
        if importlib.util.find_spec(backend) is None:
            raise ModuleNotFoundError(f"No module named {backend!r}", name=backend)
        os.environ["KERAS_BACKEND"] = backend
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("MPLBACKEND", "Agg")
    # TensorFlow imported before triton aborts the process, and PyTorch's compiler imports triton late.
    if "tensorflow" not in sys.modules and importlib.util.find_spec("triton") is not None:
        importlib.import_module("triton")
    with _quiet():
        importlib.import_module("keras")


@contextmanager
def _quiet() -> Iterator[None]:
    """Discards what compiled libraries write past `sys.stderr`: TensorFlow logs before its log level counts."""
    saved = os.dup(2)
    try:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
