"""`--set KEY=VALUE` to the fields of a `training.TrainConfig`."""

import ast
from collections.abc import Iterable
from typing import Any

import typer

__all__ = ["parse_settings"]


def parse_settings(settings: Iterable[str], own: Iterable[str]) -> dict[str, Any]:
    """Sorts settings into arguments of the model, of the run and changes of the recipe.

    Args:
        settings: Texts `key=value`. `model.KEY` is an argument of the model's class, a name in `own` one of the run,
            anything else a field of the recipe, `optimizer.learning_rate` a key inside one. A value is read as a
            Python literal, and as text where it is none.
        own: Names of the run's own settings that may be set.

    Returns:
        Keyword arguments for `TrainConfig`.

    Raises:
        typer.BadParameter: If a text is not `key=value` or a key appears twice.

    Example:
        >>> parse_settings(["model.stage=encoder", "optimizer.learning_rate=1e-3", "workers=4"], own=["workers"])
        {'workers': 4, 'model_args': {'stage': 'encoder'}, 'recipe': {'optimizer': {'learning_rate': 0.001}}}
    """
    tree: dict[str, Any] = {}
    for setting in settings:
        key, separator, text = setting.partition("=")
        *parents, leaf = key.strip().split(".")
        if not separator or not all([*parents, leaf]) or len(parents) > 1:
            raise typer.BadParameter(f"must be KEY=VALUE, such as optimizer.learning_rate=1e-3. Received: {setting}")
        branch = tree.setdefault(parents[0], {}) if parents else tree
        if not isinstance(branch, dict) or leaf in branch:
            raise typer.BadParameter(f"{key.strip()} is set twice. Received: {setting}")
        branch[leaf] = _value(text.strip())
    model_args = tree.pop("model", {})
    if not isinstance(model_args, dict):
        raise typer.BadParameter("model needs the name of an argument, such as model.stage=encoder")
    run = {name: tree.pop(name) for name in own if name in tree}
    return {**run, "model_args": model_args, "recipe": tree}


def _value(text: str) -> Any:
    constants = {"true": True, "false": False, "none": None, "null": None}
    if text.lower() in constants:
        return constants[text.lower()]
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text
