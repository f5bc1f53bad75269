"""`segpaint evaluate`: how good a trained network is on a data set."""

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, get_args

import typer

from keras_segpaint.cli.console import fill_table, made_table, output, plain, score_table
from keras_segpaint.cli.errors import UserError
from keras_segpaint.cli.options import (
    BackendOption,
    DataOption,
    DebugOption,
    FlipOption,
    Method,
    SizeOption,
    flips_of,
    start,
)

__all__ = ["evaluate"]

INPAINTING = "Inpainting"
PUBLISHED = "Published weights"
SYNTHESIS = "Images from label maps"
METHODS = get_args(Method)


def evaluate(
    data: DataOption,
    model: Annotated[
        Path | None,
        typer.Argument(
            help="A run's folder (its best checkpoint is taken) or a .keras file; or give --weights and --source.",
            metavar="RUN_OR_MODEL",
            show_default=False,
        ),
    ] = None,
    weights: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="A published checkpoint of --source, as `segpaint convert` takes it.",
            show_default=False,
            rich_help_panel=PUBLISHED,
        ),
    ] = None,
    source: Annotated[
        str | None,
        typer.Option(
            help="Where the checkpoint is from, such as davidtvs/enet.",
            show_default=False,
            rich_help_panel=PUBLISHED,
        ),
    ] = None,
    split: Annotated[
        str | None,
        typer.Option(
            help="train, val, test, all, or a split of a TFDS data set. Default: val; of photographs all, but of those that "
            "the run was trained on the part that it was validated on.",
            show_default=False,
        ),
    ] = None,
    size: SizeOption = None,
    flip: FlipOption = "none",
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Also write the numbers here.", show_default=False)
    ] = None,
    baselines: Annotated[
        str,
        typer.Option(
            help="Classical methods to compare with: telea, ns, biharmonic (slow), with commas between them, or none.",
            rich_help_panel=INPAINTING,
        ),
    ] = ",".join(METHODS),
    masks: Annotated[
        int,
        typer.Option(
            min=1, help="Masks for each photograph in each of six ranges of hole shares.", rich_help_panel=INPAINTING
        ),
    ] = 1,
    segmenter: Annotated[
        Path | None,
        typer.Option(
            metavar="RUN_OR_MODEL",
            help="A segmentation network of the same classes: how much of what they should show it sees in made images.",
            show_default=False,
            rich_help_panel=SYNTHESIS,
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of masks, crops and styles.")] = 0,
    backend: BackendOption = None,
    debug: DebugOption = False,
) -> None:
    """Print IoU, accuracy, precision and Dice score per class and their means, counted at the images' own size.

    Of an inpainting network: L1, PSNR and SSIM by the share of the holes, beside those of classical methods. Of one that makes
    images from label maps: L1, PSNR and SSIM against the real images, and what --segmenter sees.

    Example: segpaint evaluate runs/enet --data my_folder --split test --json scores.json

    Example: segpaint evaluate --source davidtvs/enet --weights ENet.pth --data CamVid --split test
    """
    methods = _methods(baselines)
    if (weights is None) != (source is None) or (model is None) == (weights is None):
        raise UserError("Give a run or a model, or --weights FILE with --source NAME. See `segpaint convert --help`.")
    start(backend)
    from keras_segpaint import convert
    from keras_segpaint.cli.runs import open_model, task_of

    network, record = (convert.build(weights, source), None) if weights and source else open_model(Path(model or ""))
    judged = Path(weights or model or "")
    flips = flips_of(flip)
    shared: dict[str, Any] = dict(network=network, record=record, model=judged, data=data, split=split, size=size)
    judges: dict[str, Callable[[], dict[str, Any]]] = {
        "segmentation": lambda: _segment(**shared, flips=flips),
        "inpainting": lambda: _fill(**shared, flips=flips, methods=methods, masks_per_bucket=masks, seed=seed),
        "synthesis": lambda: _make(**shared, segmenter=segmenter, seed=seed),
    }
    task = task_of(network)
    if task not in judges:
        raise UserError(f"{judged} is a model for {task}. There are measures for {', '.join(judges)}.")
    result = judges[task]()
    if json_file is not None:
        json_file.write_text(
            json.dumps({"model": str(judged), "data": data, **_json(result)}, indent=2) + "\n", encoding="utf-8"
        )
        output.print(f"written {plain(json_file)}", soft_wrap=True, highlight=False)


def _labelled(model: Path, classes: int, data: str, split: str) -> Any:
    """A data set of as many classes, checked."""
    from keras_segpaint.cli.progress import counted
    from keras_segpaint.data import DataError, load_dataset

    try:
        dataset = load_dataset(data, split, num_classes=classes)
    except DataError:
        raise
    except ValueError as error:
        raise UserError(
            f"{model} has {classes} classes, the data set {data} has others: {error}. "
            "Evaluate it on the classes that it was trained for."
        ) from error
    with counted("images checked") as report:
        dataset.validate(report)
    return dataset


def _segment(
    network: Any, record: Any, model: Path, data: str, split: str | None, size: Any, flips: str | bool
) -> dict[str, Any]:
    from keras_segpaint import inference, metrics
    from keras_segpaint.cli.progress import counted

    split = split or "val"
    judged_classes = _judged_classes(network)
    dataset = _labelled(model, len([label for label in judged_classes if label >= 0]), data, split)
    with counted("images evaluated") as report:
        segmenter = inference.Segmenter(network, size=size or (record.size if record else None), flips=flips)
        fits = network.num_classes == dataset.num_classes
        confusion = inference.evaluate(segmenter, dataset, progress=report, class_ids=None if fits else judged_classes)
    scores = metrics.scores(confusion)
    output.print(score_table(f"{data}, {split}: {len(dataset)} images", scores, dataset.class_names))
    return {
        "split": split,
        "images": len(dataset),
        "class_names": list(dataset.class_names),
        "scores": dataclasses.asdict(scores),
        "confusion": confusion,
    }


def _judged_classes(network: Any) -> list[int]:
    """The data set's class of each of the network's, `-1` for that of pixels without a label."""
    unlabelled = (getattr(network, "card", None) or {}).get("unlabelled")
    others = [label for label in range(network.num_classes) if label != unlabelled]
    return [-1 if label == unlabelled else others.index(label) for label in range(network.num_classes)]


def _make(
    network: Any,
    record: Any,
    model: Path,
    data: str,
    split: str | None,
    size: Any,
    segmenter: Path | None,
    seed: int,
) -> dict[str, Any]:
    from keras_segpaint import inference
    from keras_segpaint.cli.progress import counted
    from keras_segpaint.cli.runs import open_model_for

    judge = None
    if segmenter is not None:
        seeing, of_judge = open_model_for("segmentation", segmenter)
        judge = inference.Segmenter(seeing, size=of_judge.size if of_judge else None)
    split = split or ("all" if record is not None and data == record.val_data else "val")
    size = tuple(size or (record.size if record else (256, 256)))
    dataset = _labelled(model, inference.Synthesizer(network).num_labels, data, split)
    with counted("images made") as report:
        result = inference.evaluate_synthesis(network, dataset, size=size, seed=seed, segmenter=judge, progress=report)
    seen = {"made": result.segmentation, "real": result.real_segmentation} if judge is not None else {}
    output.print(
        plain(f"{data}, {split}: {len(dataset)} images at {size[0]} x {size[1]}"), soft_wrap=True, highlight=False
    )
    output.print(made_table(result.scores, seen))
    return {
        "split": split,
        "images": len(dataset),
        "size": list(size),
        "seed": seed,
        "scores": dataclasses.asdict(result.scores),
        "segmentation": {kind: dataclasses.asdict(scores) for kind, scores in seen.items() if scores is not None},
    }


def _fill(
    network: Any,
    record: Any,
    model: Path,
    data: str,
    split: str | None,
    size: Any,
    flips: str | bool,
    *,
    methods: tuple[str, ...],
    masks_per_bucket: int,
    seed: int,
) -> dict[str, Any]:
    from keras_segpaint import inference
    from keras_segpaint.cli.progress import counted
    from keras_segpaint.cli.runs import open_photographs_to_judge

    photographs, split = open_photographs_to_judge(record, data, split, network)
    size = tuple(size or (record.size if record else (256, 256)))
    with counted("holes filled") as report:
        results = inference.evaluate_inpainting(
            network,
            photographs,
            size=size,
            masks_per_bucket=masks_per_bucket,
            baselines=methods,
            seed=seed,
            flips=flips,
            progress=report,
        )
    ratios = sorted(next(iter(results.values())).by_hole_ratio)
    rows = [
        (_share(ratio), name, result.by_hole_ratio[ratio])
        for ratio in ratios
        for name, result in results.items()
        if ratio in result.by_hole_ratio
    ]
    rows += [("all", name, result.scores) for name, result in results.items()]
    title = f"{data}, {split}: {len(photographs)} photographs at {size[0]} x {size[1]}"
    output.print(plain(title), soft_wrap=True, highlight=False)
    output.print(fill_table(rows))
    return {
        "split": split,
        "photographs": len(photographs),
        "size": list(size),
        "seed": seed,
        "masks_per_bucket": masks_per_bucket,
        "scores": {
            name: {
                "all": dataclasses.asdict(result.scores),
                **{_share(ratio): dataclasses.asdict(scores) for ratio, scores in result.by_hole_ratio.items()},
            }
            for name, result in results.items()
        },
    }


def _methods(text: str) -> tuple[str, ...]:
    """The baselines that a list with commas names."""
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if names in ((), ("none",)):
        return ()
    unknown = [name for name in names if name not in METHODS]
    if unknown:
        raise UserError(f"--baselines: there is no {', '.join(unknown)}. There are: {', '.join(METHODS)}, or none.")
    return tuple(dict.fromkeys(names))


def _share(ratio: tuple[float, float]) -> str:
    return f"{100 * ratio[0]:.0f}-{100 * ratio[1]:.0f} %"


def _json(value: Any) -> Any:
    """Numbers as JSON has them: a class that is absent has no score, `null`."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, dict):
        return {name: _json(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_json(item) for item in value]
    return None if value != value else value
