"""What the page about a run shows."""

import csv
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from keras_segpaint import data as datasets
from keras_segpaint import inference, metrics, viz
from keras_segpaint.cli.errors import UserError
from keras_segpaint.cli.progress import counted
from keras_segpaint.cli.runs import OpenedRun, open_photographs_to_judge
from keras_segpaint.training import recipes
from keras_segpaint.training.inpainting_stage import InpaintingStage
from keras_segpaint.training.segmentation_stage import SegmentationStage
from keras_segpaint.training.synthesis_stage import SynthesisStage

__all__ = ["contents", "read_history"]

_MONITORS = {
    "segmentation": SegmentationStage.monitor,
    "inpainting": InpaintingStage.monitor,
    "synthesis": SynthesisStage.monitor,
}
_BATCH_SIZE = 4


def contents(run: OpenedRun, data: str | None, split: str | None) -> dict[str, Any]:
    """The arguments of `viz.write_report` for a run.

    Args:
        run: The run.
        data: What to judge it on; `None` for what it was validated on.
        split: Which part of that; `None` for the default.

    Raises:
        UserError: If there is nothing to judge it on.
    """
    own = run.record.val_data or run.record.data
    spec = data or own
    if not spec:
        raise UserError(f"{run.folder} does not say what it was trained on. Name a data set with --data.")
    judges = {"segmentation": _segmented, "inpainting": _filled, "synthesis": _made}
    if run.task not in judges:
        raise UserError(f"{run.folder} holds a run for {run.task}. There are pages for {', '.join(judges)}.")
    try:
        judged = judges[run.task](run, spec, split)
    except (OSError, datasets.DataError) as error:
        if data is not None:
            raise
        raise UserError(
            f"The images that {run.folder} was validated on cannot be used: {error} Name others with --data."
        ) from error
    history = read_history(run.folder / "history.csv")
    summary = {**judged.pop("scores"), **_epochs(history, run), "parameters": f"{run.model.count_params():,}"}
    # Which weights the numbers are of.
    summary["checkpoint"] = run.checkpoint.name
    tables = {**judged.pop("tables", {}), "Recipe": _recipe(run.config)}
    return {
        "title": f"{run.config['config']['model']} on {judged.pop('name')}",
        "summary": summary,
        "history": history,
        "tables": tables,
        **judged,
    }


def read_history(path: Path) -> dict[str, list[float]]:
    """The values per epoch that a run has logged; none if there is no such file.

    Raises:
        UserError: If the file is damaged.
    """
    if not path.exists():
        return {}
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        return {name: [float(row[name]) for row in rows] for name in rows[0] if name != "epoch"} if rows else {}
    except (TypeError, ValueError, csv.Error) as error:
        raise UserError(f"{path}: damaged ({error}). Move it away for a page without learning curves.") from error


def _segmented(run: OpenedRun, spec: str, split: str | None) -> dict[str, Any]:
    record = run.record
    part = split or ("all" if spec == record.val_data else "val")
    dataset = _opened(run, spec, part)
    with counted("images checked") as progress:
        dataset.validate(progress)
    scores: list[float] = []
    segmenter = inference.Segmenter(run.model, size=record.size)
    with counted("images judged") as progress:
        confusion = inference.evaluate(
            segmenter,
            dataset,
            progress=progress,
            each=lambda _, pixels: scores.append(metrics.scores(pixels).mean_iou),
        )
    samples = []
    for verdict, index in _chosen(scores).items():
        example = dataset[index]
        prediction = segmenter(example.image).classes.astype(np.int64)
        name = f"{verdict}: mean IoU {scores[index]:.4f}, {Path(example.name).name}"
        samples.append(viz.Sample(example.image, example.mask.astype(np.int64), prediction, name))
    figures = _trained_on(run) if spec in (record.data, record.val_data) else {}
    figures[f"Classes of the {len(dataset)} images judged"] = viz.plot_class_histogram(dataset)
    result = metrics.scores(confusion)
    return {
        "name": f"{spec} ({part})",
        "scores": {
            "mean IoU": _number(result.mean_iou),
            "pixel accuracy": _number(result.pixel_accuracy),
            "images judged": str(len(dataset)),
        },
        "confusion": confusion,
        "class_names": dataset.class_names,
        "palette": dataset.palette,
        "ignore_class": dataset.ignore_class,
        "samples": samples,
        "figures": figures,
    }


def _trained_on(run: OpenedRun) -> dict[str, Any]:
    """The class histogram of the images that the run was trained on, where they are still there."""
    if not run.record.data:
        return {}
    try:
        dataset = datasets.load_dataset(run.record.data, "all" if run.record.val_data else "train")
        with counted("labels counted") as progress:
            figure = viz.plot_class_histogram(dataset, progress=progress)
    except (OSError, datasets.DataError):
        return {}
    return {f"Classes of the {len(dataset)} images trained on": figure}


def _opened(run: OpenedRun, spec: str, split: str) -> Any:
    classes = len(run.record.class_names) or run.model.num_classes
    try:
        return datasets.load_dataset(spec, split, num_classes=classes)
    except datasets.DataError:
        raise
    except ValueError as error:
        raise UserError(
            f"{run.folder} has {classes} classes, the data set {spec} has others: {error}. "
            "Name one with the classes that it was trained for."
        ) from error


def _filled(run: OpenedRun, spec: str, split: str | None) -> dict[str, Any]:
    photographs, part = open_photographs_to_judge(run.record, spec, split, run.model)
    guided = getattr(run.model, "guidance", None) == "input"
    kind: Any = datasets.GuidedInpaintingDataset if guided else datasets.InpaintingDataset
    batches = kind(
        photographs,
        datasets.masks_from_config(run.config["recipe"]["masks"]),
        batch_size=_BATCH_SIZE,
        size=run.record.size,
        # The holes that every epoch of the run was validated with, where these are its photographs.
        fixed=True,
        seed=run.record.seed,
        workers=1,
        data_format="channels_last",
    )
    fillers = {"network": inference.Inpainter(run.model), "telea": inference.Inpainter("telea")}
    scorings = {name: metrics.FillScoring((0.0, 1.0), "channels_last") for name in fillers}
    errors: list[float] = []
    with counted("holes filled") as progress:
        for index in range(len(batches)):
            truth, masks, results = _fill_batch(batches, index, fillers)
            for name, filled in results.items():
                scorings[name].update(truth, filled, masks)
            missed = np.abs(results["network"] - truth).mean(axis=-1) * masks[..., 0]
            holes = masks.sum(axis=(1, 2, 3))
            errors += (missed.sum(axis=(1, 2)) / np.where(holes, holes, np.nan)).tolist()
            progress(len(errors), len(photographs))
    samples = []
    for verdict, index in _chosen([-error for error in errors]).items():
        truth, masks, results = _fill_batch(batches, index // _BATCH_SIZE, {"network": fillers["network"]})
        place = index % _BATCH_SIZE
        name = f"{verdict}: L1 in the holes {100 * errors[index]:.2f} %, {Path(photographs.example_name(index)).name}"
        samples.append(viz.FillSample(truth[place], masks[place, ..., 0], results["network"][place], name))
    scores = {name: scoring.scores() for name, scoring in scorings.items()}
    network = scores["network"]
    return {
        "name": f"{spec} ({part})",
        "scores": {
            "L1 in the holes": f"{100 * network.hole_l1:.2f} %",
            "PSNR in the holes": f"{network.hole_psnr:.2f} dB",
            "SSIM in the holes": _number(network.hole_ssim),
            "photographs judged": str(len(errors)),
        },
        "fills": samples,
        "tables": {"Scores": [_score_row(name, values) for name, values in scores.items()]},
    }


def _made(run: OpenedRun, spec: str, split: str | None) -> dict[str, Any]:
    record = run.record
    part = split or ("all" if spec == record.val_data else "val")
    dataset = _opened(run, spec, part)
    with counted("images checked") as progress:
        dataset.validate(progress)
    errors: list[float] = []
    seen: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []

    def look(index: int, labels: np.ndarray, real: np.ndarray, made: np.ndarray) -> None:
        errors.append(float(np.abs(real.astype(np.float32) - made).mean() / 255))
        seen.append((labels.astype(np.uint16), real, made))

    with counted("images made") as progress:
        # The crops that every epoch of the run was validated with, where these are its images.
        result = inference.evaluate_synthesis(
            run.model, dataset, size=record.size, seed=record.seed, progress=progress, each=look
        )
    rows = {}
    for verdict, index in _chosen([-error for error in errors]).items():
        labels, real, made = seen[index]
        name = f"{verdict}: L1 {100 * errors[index]:.2f} %, {Path(dataset.example_name(index)).name}"
        rows[name] = {"label map": viz.colorize(labels, dataset.palette), "real": real, "made": made}
    return {
        "name": f"{spec} ({part})",
        "scores": {
            "L1": f"{100 * result.scores.l1:.2f} %",
            "PSNR": f"{result.scores.psnr:.2f} dB",
            "SSIM": _number(result.scores.ssim),
            "images judged": str(result.scores.images),
        },
        "pictures": rows,
    }


def _fill_batch(batches: Any, index: int, fillers: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
    """Images in [0, 1], masks, and the images as each filler fills them."""
    inputs, images, masks = batches[index]
    truth = (images + np.float32(1)) / np.float32(2)

    def fill(filler: Any) -> np.ndarray:
        labels = None if filler.filler.num_classes is None else inputs[2][..., 0]
        return filler(truth, list(masks[..., 0]), labels=labels)

    return truth, masks, {name: fill(filler) for name, filler in fillers.items()}


def _score_row(name: str, scores: metrics.FillScores) -> dict[str, Any]:
    return {
        "filled by": name,
        "L1 %": round(100 * scores.l1, 2),
        "PSNR": round(scores.psnr, 2),
        "SSIM": round(scores.ssim, 3),
        "hole L1 %": round(100 * scores.hole_l1, 2),
        "hole PSNR": round(scores.hole_psnr, 2),
        "hole SSIM": round(scores.hole_ssim, 3),
    }


def _chosen(scores: list[float]) -> dict[str, int]:
    """Which images to show: those of the highest, the middle and the lowest score, without one that has none."""
    order = [int(index) for index in np.argsort(-np.asarray(scores), kind="stable") if not math.isnan(scores[index])]
    wanted = {"best": 0, "median": len(order) // 2, "worst": len(order) - 1} if order else {}
    if len(order) < 3:
        wanted.pop("median", None)
    if len(order) == 1:
        wanted.pop("worst", None)
    return {verdict: order[place] for verdict, place in wanted.items()}


def _epochs(history: Mapping[str, list[float]], run: OpenedRun) -> dict[str, str]:
    """How many epochs were trained, and which was the best."""
    if not history:
        return {}
    monitor = _MONITORS[run.task]
    values = np.asarray(history.get(monitor.name, ()), "float64")
    cards = {"epochs": str(len(next(iter(history.values()))))}
    if np.isfinite(values).any():
        best = int((np.nanargmin if monitor.lower_is_better else np.nanargmax)(values))
        cards["best epoch"] = str(best + 1)
    return cards


def _recipe(config: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What the run was told, and where the numbers of the recipe come from."""
    recipe, settings = config["recipe"], config["config"]
    sources = recipe.get("sources", {})
    # The same way through JSON, where a pair is a list.
    published = json.loads(json.dumps(recipes.get(settings["model"]).to_dict()))
    rows = []
    for name, value in recipe.items():
        if name in ("model", "sources"):
            continue
        source = sources.get(name, "")
        if value != published.get(name):
            source = f"this run; the model's recipe has {_text(published.get(name))}"
        rows.append({"setting": name.replace("_", " "), "value": _text(value), "source": source})
    for name in ("model_args", "seed", "mixed_precision", "two_stage", "initial_weights"):
        if settings.get(name) is not None and settings[name] not in ("", {}) and settings[name] is not False:
            rows.append({"setting": name.replace("_", " "), "value": _text(settings[name]), "source": "this run"})
    versions = config.get("versions", {})
    rows.append({"setting": "versions", "value": _text(versions), "source": ""})
    return rows


def _text(value: Any) -> str:
    """A value of a recipe, without the signs of a programming language."""
    if isinstance(value, Mapping):
        name = value.get("name")
        rest = ", ".join(f"{key} {_text(item)}" for key, item in value.items() if key != "name")
        return ": ".join(part for part in (name, rest) if part) or "none"
    if isinstance(value, list | tuple):
        if len(value) == 2 and all(isinstance(item, int) for item in value):
            return f"{value[0]} x {value[1]}"
        return "; ".join(_text(item) for item in value) or "none"
    return "none" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def _number(value: float) -> str:
    return "absent" if math.isnan(value) else f"{value:.4f}"
