"""`segpaint evaluate`: how good a trained network is on a data set."""

import dataclasses
import json
from pathlib import Path
from typing import Annotated, Any

import typer

from keras_segpaint.cli.console import output, plain, score_table
from keras_segpaint.cli.errors import UserError
from keras_segpaint.cli.options import BackendOption, DataOption, DebugOption, RunArgument, SizeOption, start

__all__ = ["evaluate"]


def evaluate(
    model: RunArgument,
    data: DataOption,
    split: Annotated[str, typer.Option(help="train, val, test, all, or a split of a TFDS data set.")] = "val",
    size: SizeOption = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Also write the numbers here.", show_default=False)
    ] = None,
    backend: BackendOption = None,
    debug: DebugOption = False,
) -> None:
    """Print IoU per class, mean IoU, accuracies and frequency-weighted IoU, counted at the images' own size.

    Example: segpaint evaluate runs/enet --data my_folder --split test --json scores.json
    """
    start(backend)
    from keras_segpaint import inference, metrics
    from keras_segpaint.cli.progress import counted
    from keras_segpaint.cli.runs import open_model
    from keras_segpaint.data import DataError, load_dataset

    network, record = open_model(model)
    try:
        dataset = load_dataset(data, split, num_classes=network.num_classes)
    except DataError:
        raise
    except ValueError as error:
        raise UserError(
            f"{model} has {network.num_classes} classes, the data set {data} has others: {error}. "
            "Evaluate it on the classes that it was trained for."
        ) from error
    with counted("images checked") as report:
        dataset.validate(report)
    with counted("images evaluated") as report:
        confusion = inference.evaluate(network, dataset, size or (record.size if record else None), report)
    scores = metrics.scores(confusion)
    output.print(score_table(f"{data}, {split}: {len(dataset)} images", scores, dataset.class_names))
    if json_file is not None:
        result: dict[str, Any] = {
            "model": str(model),
            "data": data,
            "split": split,
            "images": len(dataset),
            "class_names": list(dataset.class_names),
            "scores": {name: _json(value) for name, value in dataclasses.asdict(scores).items()},
            "confusion": confusion.tolist(),
        }
        json_file.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")
        output.print(f"written {plain(json_file)}", soft_wrap=True, highlight=False)


def _json(value: Any) -> Any:
    """Numbers as JSON has them: a class that is absent has no score, `null`."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, list):
        return [_json(item) for item in value]
    return None if value != value else value
