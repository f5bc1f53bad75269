"""`segpaint convert`: a published checkpoint as a model of this package."""

from pathlib import Path
from typing import Annotated

import typer

from keras_segpaint.cli.console import output, plain, table
from keras_segpaint.cli.errors import UserError
from keras_segpaint.cli.options import BackendOption, DebugOption, start
from keras_segpaint.cli.settings import parse_settings

__all__ = ["convert"]


def convert(
    checkpoint: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE",
            help="The checkpoint: .pth, .pt, .tar or .safetensors; of TensorFlow its folder, or snap-0 of snap-0.index.",
            show_default=False,
        ),
    ] = None,
    target: Annotated[
        Path | None, typer.Argument(metavar="OUT.keras", help="The model to write.", show_default=False)
    ] = None,
    source: Annotated[
        str | None, typer.Option(help="Where the checkpoint is from, such as davidtvs/enet.", show_default=False)
    ] = None,
    sources: Annotated[bool, typer.Option("--list", help="Show what can be read, and nothing else.")] = False,
    num_classes: Annotated[
        int | None,
        typer.Option(
            min=1, help="Build the model for so many classes, and leave its head untrained.", show_default=False
        ),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="model.ARGUMENT=VALUE of the model; repeatable."),
    ] = None,
    backend: BackendOption = None,
    debug: DebugOption = False,
) -> None:
    """Read a checkpoint of an original implementation, or a popular one, and write it as a .keras file.

    Weights are found by name and shape; all of them must fit. What is known of them is shown by `segpaint info`.

    Example: segpaint convert ENet.pth enet.keras --source davidtvs/enet
    """
    arguments = parse_settings(settings or (), own=())
    if arguments["recipe"]:
        raise UserError(f"--set: only model.ARGUMENT=VALUE can be set. Received: {', '.join(arguments['recipe'])}")
    if not sources and (checkpoint is None or target is None or source is None):
        raise UserError("Give FILE, OUT.keras and --source, or --list for what can be read.")
    if target is not None and target.suffix != ".keras":
        raise typer.BadParameter(f"must end in .keras. Received: {target}", param_hint="OUT.keras")
    start(backend)
    from keras_segpaint import convert as room
    from keras_segpaint.cli.info import print_card

    if sources or checkpoint is None or target is None or source is None:
        rows = [
            {"source": name, "models": ", ".join(known.models), "licence": known.card.licence, "from": known.card.url}
            for name, known in room.SOURCES.items()
        ]
        output.print(table("Published checkpoints", rows, whole=("source",)))
        return
    further = {} if num_classes is None else {"num_classes": num_classes}
    model = room.build(checkpoint, source, **arguments["model_args"], **further)
    model.save(target)
    output.print(f"written {plain(target)}", soft_wrap=True, highlight=False)
    print_card(model)
