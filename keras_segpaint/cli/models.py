"""`segpaint models`: which networks there are."""

from typing import Any

from keras_segpaint.cli.console import output, table
from keras_segpaint.cli.options import BackendOption, DebugOption, start

__all__ = ["models"]


def models(backend: BackendOption = None, debug: DebugOption = False) -> None:
    """List the networks: paper, parameters, one line each.

    Example: segpaint models
    """
    start(backend)
    from keras_segpaint import models as room

    rows = []
    for name in sorted(room.__all__):
        model = getattr(room, name)
        parameters = ", ".join(f"{count:,} ({describe(arguments)})" for arguments, count in model.reference_parameters)
        rows.append(
            {
                "model": name,
                "parameters": parameters,
                "what": (model.__doc__ or "").strip().splitlines()[0],
                "paper": model.paper,
            }
        )
    output.print(table("Models: segpaint train NAME", rows))


def describe(arguments: dict[str, Any]) -> str:
    """The arguments of a model, in few words."""
    rest = [f"{name}={value}" for name, value in arguments.items() if name != "num_classes"]
    return ", ".join([f"{arguments['num_classes']} classes", *rest])
