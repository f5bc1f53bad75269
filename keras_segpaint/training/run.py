"""One training run: data checked, model fitted, every epoch kept."""

import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_segpaint import __version__, data, metrics
from keras_segpaint.data.dataset import Progress
from keras_segpaint.training.checkpoint import write_atomically
from keras_segpaint.training.config import TrainConfig
from keras_segpaint.training.recipe import Recipe
from keras_segpaint.training.stage import Stage, compute_class_weights

__all__ = ["RunResult", "train"]

CONFIG_FILE = "config.json"

# What may differ when a run is continued: how long it goes on and how many threads prepare batches.
_FREE_SETTINGS = ("epochs", "workers")


@dataclass(frozen=True)
class RunResult:
    """What a finished run gives back.

    Args:
        history: One list per logged quantity, one entry per epoch, the epochs before a resumption included.
        best_path: The checkpoint of the epoch with the highest validation mean IoU.
        last_path: The checkpoint of the last epoch.
        scores: `metrics.Scores` of the best checkpoint on the validation images at training size.
        confusion: The confusion matrix `(num_classes, num_classes)`, `[true, predicted]`, that they come from.
        skipped: Names of the images that could not be read while training.
    """

    history: dict[str, list[float]]
    best_path: Path
    last_path: Path
    scores: Any
    confusion: np.ndarray
    skipped: list[str]


def train(
    config: TrainConfig,
    run_dir: str | os.PathLike,
    resume: bool = False,
    callbacks: Iterable[keras.callbacks.Callback] = (),
    train_data: data.SegmentationDataset | None = None,
    val_data: data.SegmentationDataset | None = None,
    verbose: str | int = "auto",
    progress: Progress | None = None,
) -> RunResult:
    """Trains a model with plain `fit` and keeps everything in a folder.

    The folder holds `config.json`, `history.csv`, `checkpoints/last.keras` (every epoch), `checkpoints/best.keras`
    (highest validation mean IoU) and, where the package is installed, `tensorboard/`. Checkpoints replace each other
    in one step: a kill or a full disk leaves the former one. A resumed run ends with the weights of one that was
    never stopped.

    Args:
        config: The settings.
        run_dir: The folder of the run; made if it does not exist.
        resume: Boolean, continue the run in `run_dir` after its last finished epoch. Defaults to `False`.
        callbacks: Keras callbacks to run after the run's own. Their state is not part of the checkpoints.
        train_data: Training images, instead of those that `config.data` names. Given together with `val_data`.
        val_data: Validation images.
        verbose: As in `keras.Model.fit`. Defaults to `"auto"`, Keras's progress bar.
        progress: Called with `(done, total)` while the data is checked.

    Returns:
        A `RunResult`.

    Raises:
        DataError: If an image or a mask cannot be used; nothing has been written then.
        ValueError: If `run_dir` already has a run and `resume` is `False`, has none and `resume` is `True`, or has
            one of other settings.
        TrainingError: If the loss is no longer finite.
        CheckpointError: If a checkpoint cannot be written or read.

    Example:

        ```python
        config = training.TrainConfig("ENet", data="brain", size=(112, 96), epochs=20)
        result = training.train(config, "runs/brain")
        print(result.scores.mean_iou, result.best_path)
        ```
    """
    folder = Path(run_dir)
    record = _stored_record(config, folder, resume)
    train_data, val_data = _data_sets(config, train_data, val_data, progress)
    recipe = config.resolve()
    if record is None:
        record = _record(config, recipe, train_data, progress)
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(folder / CONFIG_FILE, json.dumps(record, indent=2) + "\n")
    weights = record["class_weights"]
    callbacks = list(callbacks)

    initial_weights = None
    skipped: list[str] = []
    if config.two_stage:
        encoder_recipe = recipe.with_changes({"epochs": max(recipe.encoder_epochs, 1)})
        encoder = Stage(
            folder / "encoder", config, encoder_recipe, weights["encoder"], train_data, val_data, part="encoder"
        )
        _, checkpoint, skipped = encoder.fit(callbacks, verbose)
        initial_weights = checkpoint.best
    stage = Stage(
        folder, config, recipe, weights["full"], train_data, val_data, part="full" if config.two_stage else None
    )
    model, checkpoint, more_skipped = stage.fit(callbacks, verbose, initial_weights)
    confusion = stage.confusion(model, checkpoint.best)
    return RunResult(
        history=checkpoint.state.columns(),
        best_path=checkpoint.best,
        last_path=checkpoint.last,
        scores=metrics.scores(confusion),
        confusion=confusion,
        skipped=[*skipped, *more_skipped],
    )


def _stored_record(config: TrainConfig, folder: Path, resume: bool) -> dict[str, Any] | None:
    """What the folder says about its run; `None` for a new run."""
    path = folder / CONFIG_FILE
    if not resume:
        if path.exists():
            raise ValueError(
                f"`run_dir` must be a folder without a run; {folder} holds one. Continue it with resume=True, or "
                "choose "
                "another folder."
            )
        return None
    if not path.exists():
        raise ValueError(f"`run_dir` must hold a run to continue; there is no {path}. Start it without resume.")
    record = json.loads(path.read_text(encoding="utf-8"))
    # The same way through JSON, where a pair is a list.
    wanted = json.loads(json.dumps(config.to_dict()))
    changed = [key for key in wanted if key not in _FREE_SETTINGS and wanted[key] != record["config"].get(key)]
    if changed:
        differences = "; ".join(f"{key}: {record['config'].get(key)!r} before, {wanted[key]!r} now" for key in changed)
        raise ValueError(
            f"The run in {folder} was started with other settings ({differences}). Continue it with its own, which "
            "are in "
            f"{CONFIG_FILE}, or start a new run in another folder."
        )
    return record


def _data_sets(
    config: TrainConfig,
    train_data: data.SegmentationDataset | None,
    val_data: data.SegmentationDataset | None,
    progress: Progress | None,
) -> tuple[data.SegmentationDataset, data.SegmentationDataset]:
    if (train_data is None) != (val_data is None):
        raise ValueError("`train_data` and `val_data` must be given together.")
    if train_data is None or val_data is None:
        if not config.data:
            raise ValueError("`config.data` must name a data set unless `train_data` and `val_data` are given.")
        train_data, val_data = data.load_dataset(config.data, "train"), data.load_dataset(config.data, "val")
    if train_data.num_classes != val_data.num_classes:
        raise data.DataError(
            f"Training and validation images must have the same classes. {train_data.name} has "
            f"{train_data.num_classes}, "
            f"{val_data.name} has {val_data.num_classes}."
        )
    for dataset in (train_data, val_data):
        dataset.validate(progress)
    return train_data, val_data


def _record(
    config: TrainConfig, recipe: Recipe, train_data: data.SegmentationDataset, progress: Progress | None
) -> dict[str, Any]:
    """What `config.json` holds: settings, what they lead to, and what prediction needs to know about the classes."""
    encoder_weights = "enet_encoder" if recipe.class_weights == "enet" else recipe.class_weights
    return {
        "config": config.to_dict(),
        "recipe": recipe.to_dict(),
        "num_classes": train_data.num_classes,
        "class_names": list(train_data.class_names),
        "palette": np.asarray(train_data.palette).tolist(),
        "ignore_class": train_data.ignore_class,
        "class_weights": {
            "full": compute_class_weights(recipe.class_weights, train_data, progress),
            "encoder": compute_class_weights(encoder_weights, train_data, progress) if config.two_stage else None,
        },
        "versions": {"keras_segpaint": __version__, "keras": keras.__version__, "backend": keras.backend.backend()},
    }
