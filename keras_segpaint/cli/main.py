"""The `segpaint` application."""

from typing import Annotated

import typer

from keras_segpaint import __version__
from keras_segpaint.cli.benchmark import benchmark
from keras_segpaint.cli.console import output
from keras_segpaint.cli.convert import convert
from keras_segpaint.cli.datasets import datasets
from keras_segpaint.cli.demo import demo
from keras_segpaint.cli.errors import SegpaintGroup
from keras_segpaint.cli.evaluate import evaluate
from keras_segpaint.cli.export import export
from keras_segpaint.cli.info import info
from keras_segpaint.cli.inpaint import inpaint
from keras_segpaint.cli.models import models
from keras_segpaint.cli.options import DebugOption
from keras_segpaint.cli.predict import predict
from keras_segpaint.cli.report import report
from keras_segpaint.cli.stylize import stylize
from keras_segpaint.cli.synthesize import synthesize
from keras_segpaint.cli.train import train

__all__ = ["app", "main"]

app = typer.Typer(
    name="segpaint",
    cls=SegpaintGroup,
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

for command in (
    train,
    evaluate,
    report,
    predict,
    inpaint,
    synthesize,
    stylize,
    convert,
    info,
    export,
    benchmark,
    models,
    datasets,
    demo,
):
    app.command()(command)


def _version(wanted: bool) -> None:
    if wanted:
        output.print(f"segpaint {__version__}", highlight=False)
        raise typer.Exit()


@app.callback(epilog="Example: segpaint train ENet --data my_folder --out runs/enet")
def root(
    version: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_version, is_eager=True)
    ] = False,
    debug: DebugOption = False,
) -> None:
    """Train, judge, run and export networks that segment images, fill holes in them, and make them from label maps."""


def main() -> None:
    """Entry point of the console script."""
    app()


if __name__ == "__main__":
    main()
