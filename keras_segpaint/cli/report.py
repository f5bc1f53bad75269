"""`segpaint report`: a page about a run."""

from pathlib import Path
from typing import Annotated

import typer

from keras_segpaint.cli.console import output, plain
from keras_segpaint.cli.errors import UserError
from keras_segpaint.cli.options import BackendOption, DebugOption, start

__all__ = ["report"]


def report(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A run's folder.", show_default=False)],
    data: Annotated[
        str | None,
        typer.Option(
            metavar="FOLDER|SPEC",
            help="What to judge it on, as --data of `segpaint train`. Default: the images that it was validated on.",
            show_default=False,
        ),
    ] = None,
    split: Annotated[
        str | None,
        typer.Option(
            help="train, val, test, all, or a split of a TFDS data set. Default: val; of photographs that the run was not "
            "trained on, and of images to validate on of their own, all.",
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The page. Default: RUN/report.html.", show_default=False),
    ] = None,
    backend: BackendOption = None,
    debug: DebugOption = False,
) -> None:
    """Write a page about a run: curves, scores, the best, median and worst image, the classes and the recipe.

    It is one file, which needs no other file and no network. The best checkpoint is judged, or the last one where
    there is no best.

    Example: segpaint report runs/enet --split test
    """
    page = out or run / "report.html"
    if page.is_dir():
        raise UserError(f"--out: {page} is a folder. Name the file, such as {page / 'report.html'}.")
    start(backend)
    from keras_segpaint import viz
    from keras_segpaint.cli.report_contents import contents
    from keras_segpaint.cli.runs import open_run

    opened = open_run(run)
    found = contents(opened, data, split)
    viz.write_report(page, **found)
    output.print(f"judged {plain(opened.checkpoint)}", soft_wrap=True, highlight=False)
    for name, value in found["summary"].items():
        output.print(f"{name:<26}{plain(value)}", soft_wrap=True, highlight=False)
    output.print(f"open {plain(page)}", soft_wrap=True, highlight=False)
