"""`segpaint info`: what a model file holds."""

import math
from typing import Any

from keras_segpaint.cli.console import output, plain
from keras_segpaint.cli.options import BackendOption, DebugOption, RunArgument, start

__all__ = ["info", "print_card"]


def info(model: RunArgument, backend: BackendOption = None, debug: DebugOption = False) -> None:
    """Show a model's class, size and classes, and where published weights came from.

    Example: segpaint info enet.keras
    """
    start(backend)
    from keras_segpaint.cli.runs import model_file, open_model, preset

    network, record = open_model(model)
    lines = {
        "file": preset(model) or str(model_file(model)),
        "model": type(network).__name__,
        "parameters": f"{sum(math.prod(weight.shape) for weight in network.trainable_weights):,}",
        "inputs": "; ".join(f"{tensor.name} {_shape(tensor.shape)}" for tensor in network.inputs),
        "paper": getattr(network, "paper", ""),
    }
    if record is not None:
        lines["trained on"] = f"{record.data}, at {record.size[0]} x {record.size[1]}"
        lines["classes"] = ", ".join(record.class_names)
    _print(lines)
    print_card(network)


def print_card(network: Any) -> None:
    """Prints what is known about published weights; nothing for a model without them."""
    card = getattr(network, "card", None) or {}
    lines = {name: value for name, value in card.items() if name not in ("classes", "palette", "unlabelled")}
    lines["classes"] = ", ".join(card.get("classes", ()))
    _print(lines)


def _print(lines: dict[str, str]) -> None:
    for name, value in lines.items():
        if value:
            output.print(f"{name:<20}{plain(value)}", soft_wrap=True, highlight=False)


def _shape(shape: tuple[int | None, ...]) -> str:
    return " x ".join("any" if extent is None else str(extent) for extent in shape[1:])
