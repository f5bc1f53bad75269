"""`segpaint train`: fit a network to a data set."""

import difflib
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.table import Table

from keras_segpaint.cli.console import errors, fill_table, made_table, output, plain, score_table, style_table
from keras_segpaint.cli.errors import ARGUMENTS, RESUME, UserError
from keras_segpaint.cli.options import BackendOption, DataOption, DebugOption, SizeOption, start
from keras_segpaint.cli.settings import parse_settings

__all__ = ["train"]

SCHEDULE = "Schedule (defaults: the recipe of the model's paper)"
MACHINE = "Machine"


def train(
    ctx: typer.Context,
    model: Annotated[str, typer.Argument(help="A name from `segpaint models`.", show_default=False)],
    data: DataOption,
    out: Annotated[Path, typer.Option(help="Folder of the run.", show_default=False)],
    size: SizeOption = None,
    resume: Annotated[bool, typer.Option("--resume", help="Continue the run in --out after its last epoch.")] = False,
    epochs: Annotated[int | None, typer.Option(min=1, rich_help_panel=SCHEDULE, show_default=False)] = None,
    batch_size: Annotated[int | None, typer.Option(min=1, rich_help_panel=SCHEDULE, show_default=False)] = None,
    val_data: Annotated[
        str | None,
        typer.Option(
            metavar="FOLDER|SPEC",
            help="Images to validate on, as --data. Default: a part of --data.",
            show_default=False,
        ),
    ] = None,
    styles: Annotated[
        str | None,
        typer.Option(
            metavar="FOLDER|SPEC", help="Pictures whose styles are learnt, of StyleTransfer.", show_default=False
        ),
    ] = None,
    initial_weights: Annotated[
        Path | None,
        typer.Option(
            metavar="RUN_OR_MODEL",
            help="Start from these weights, wherever names and shapes agree.",
            show_default=False,
        ),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="KEY=VALUE",
            help="Any other setting: optimizer.learning_rate=1e-3, schedule.name=poly, class_weights=none, "
            "two_stage=true, model.ARGUMENT=VALUE; of a critic adversarial.adversarial_weight=0.1; "
            "for inpainting masks.name=RectangleMask; for images loss.features=none, encoder.name=SPADEEncoder; repeatable.",
            rich_help_panel=SCHEDULE,
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="One seed, one result.", rich_help_panel=SCHEDULE)] = 0,
    mixed_precision: Annotated[
        Literal["float16", "bfloat16"] | None,
        typer.Option(help="Compute in 16 bits, keep weights in 32.", rich_help_panel=MACHINE, show_default=False),
    ] = None,
    workers: Annotated[int, typer.Option(min=0, help="Threads that prepare batches.", rich_help_panel=MACHINE)] = 2,
    backend: BackendOption = None,
    debug: DebugOption = False,
) -> None:
    """Train a network, keep its best and last checkpoint, and print its scores on the validation images.

    A segmentation network and one that makes images learn from images and masks, an inpainting network from photographs alone.

    Example: segpaint train ENet --data my_folder --out runs/enet --size 360x480 --epochs 50

    Example: segpaint train DeepFillV2 --data photos --out runs/fill --size 128x128 --epochs 20

    Example: segpaint train StyleTransfer --data photos --styles paintings --out runs/style --epochs 5

    Example: segpaint train SPADEGenerator --data my_folder --out runs/make --size 128x128 --set loss.features=none
    """
    chosen = parse_settings(settings or (), own=("two_stage",))
    if (out / "config.json").exists() and not resume:
        raise UserError(f"{out} already holds a run. Continue it with --resume, or choose another folder with --out.")
    if resume and not (out / "config.json").exists():
        raise UserError(f"{out} holds no run to continue. Start it without --resume.")

    start(backend)
    from keras_segpaint import training
    from keras_segpaint.cli.progress import TrainingProgress
    from keras_segpaint.cli.runs import model_file, read_record

    if model not in training.recipes.RECIPES:
        known = training.recipes.RECIPES
        close = difflib.get_close_matches(model.lower(), [name.lower() for name in known], n=1)
        meant = [name for name in known if name.lower() in close]
        hint = f"Did you mean {meant[0]}? " if meant else ""
        raise typer.BadParameter(
            f"{model} is no model. {hint}There are: {training.recipes.choices()}", param_hint="MODEL"
        )
    config = training.TrainConfig(
        model,
        data,
        size=size,
        epochs=epochs,
        batch_size=batch_size,
        seed=seed,
        mixed_precision=f"mixed_{mixed_precision}" if mixed_precision else "float32",
        workers=workers,
        val_data=val_data,
        styles=styles,
        initial_weights=None if initial_weights is None else str(model_file(initial_weights)),
        **chosen,
    )
    arguments = [argument for argument in ctx.meta.get(ARGUMENTS, []) if argument != "--resume"]
    ctx.meta[RESUME] = shlex.join(["segpaint", *arguments, "--resume"])
    with TrainingProgress(f"{model} on {data}") as progress:
        result = training.train(config, out, resume, callbacks=[progress], verbose=0, progress=progress.check)

    heading = "Best epoch on the validation images"
    tables: dict[str, Callable[[], Table]] = {
        "segmentation": lambda: score_table(heading, result.scores, read_record(out).class_names),
        "inpainting": lambda: fill_table([("all", model, result.scores)]),
        "synthesis": lambda: made_table(result.scores),
        "style": lambda: style_table(result.scores),
    }
    task = training.recipes.get(model).task
    if task != "segmentation":
        output.print(heading)
    output.print(tables[task]())
    if result.skipped:
        names = ", ".join(result.skipped[:10]) + (", ..." if len(result.skipped) > 10 else "")
        count = "1 unreadable image" if len(result.skipped) == 1 else f"{len(result.skipped)} unreadable images"
        errors.print(f"[yellow]warning:[/] skipped {count}: {plain(names)}", soft_wrap=True, highlight=False)
    paths = {"best model": result.best_path, "last epoch": result.last_path, "curves": out / "history.csv"}
    for name, path in paths.items():
        output.print(f"{name:<12}{plain(path)}", soft_wrap=True, highlight=False)
    following = shlex.join(["segpaint", "evaluate", str(out), "--data", val_data or data])
    if task == "style":
        following = shlex.join(
            ["segpaint", "stylize", "CONTENT", "--style", "STYLE", "--run", str(out), "--out", "OUT"]
        )
    output.print(f"{'next':<12}{plain(following)}", soft_wrap=True, highlight=False)
