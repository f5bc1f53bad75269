"""One training run: data checked, model fitted, every epoch kept."""

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import keras

from keras_segpaint import __version__, data, models
from keras_segpaint.data.dataset import Progress
from keras_segpaint.training.checkpoint import write_atomically
from keras_segpaint.training.config import TrainConfig
from keras_segpaint.training.guided_task import GuidedInpaintingTask
from keras_segpaint.training.inpainting_task import InpaintingTask
from keras_segpaint.training.segmentation_task import SegmentationTask
from keras_segpaint.training.style_task import StyleTask
from keras_segpaint.training.synthesis_task import SynthesisTask
from keras_segpaint.training.task import RunResult, Task
from keras_segpaint.training.weights import check_model_file

__all__ = ["train"]

_TASKS: dict[str, type[Task]] = {
    "segmentation": SegmentationTask,
    "inpainting": InpaintingTask,
    "synthesis": SynthesisTask,
    "style": StyleTask,
}

CONFIG_FILE = "config.json"

# What may differ when a run is continued: how long it goes on and how many threads prepare batches.
_FREE_SETTINGS = ("epochs", "workers")


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

    The folder holds `config.json`, `history.csv`, `checkpoints/last.keras` (every epoch), `checkpoints/best.keras` and,
    where the package is installed, `tensorboard/`. The best epoch is that of the highest validation mean IoU. Of
    inpainting it is that of the lowest error in the holes of the validation photographs, which are the same holes in
    every epoch; `best.keras` is then the network without its critic. Of networks that make images from label maps it is that of
    the least mean absolute error of the validation images. Checkpoints replace each other in one step: a kill
    or a full disk leaves the former one. A resumed run ends with the weights of one that was never stopped.

    Args:
        config: The settings.
        run_dir: The folder of the run; made if it does not exist.
        resume: Boolean, continue the run in `run_dir` after its last finished epoch. Defaults to `False`.
        callbacks: Keras callbacks to run after the run's own. Their state is not part of the checkpoints.
        train_data: Training images, instead of those that `config.data` names. Given together with `val_data`. Of
            inpainting the labels are used by networks with label maps alone.
        val_data: Validation images.
        verbose: As in `keras.Model.fit`. Defaults to `"auto"`, Keras's progress bar.
        progress: Called with `(done, total)` while the data is checked.

    Returns:
        A `RunResult`.

    Raises:
        DataError: If an image or a mask cannot be used; nothing has been written then. (A photograph of inpainting is
            left out and named in `skipped`.)
        ValueError: If `run_dir` already has a run and `resume` is `False`, has none and `resume` is `True`, or has
            one of other settings.
        TrainingError: If the loss is no longer finite.
        CheckpointError: If a checkpoint cannot be written or read.
        FileNotFoundError: If there is no file of `config.initial_weights`.

    Example:

        ```python
        config = training.TrainConfig("ENet", data="brain", size=(112, 96), epochs=20)
        result = training.train(config, "runs/brain")
        print(result.scores.mean_iou, result.best_path)

        config = training.TrainConfig("DeepFillV2", data="photos/", size=(128, 128), epochs=20)
        result = training.train(config, "runs/fill")
        print(result.scores.hole_l1)
        ```
    """
    folder = Path(run_dir)
    record = _stored_record(config, folder, resume)
    recipe = config.resolve()
    guided = getattr(getattr(models, config.model), "guidance", None) is not None
    task = (GuidedInpaintingTask if guided else _TASKS[recipe.task])(config, recipe)
    train_data, val_data = _data_sets(task, train_data, val_data)
    task.check(train_data, val_data, record, progress)
    if record is None:
        if config.initial_weights is not None:
            check_model_file(config.initial_weights)
        record = {
            "task": recipe.task,
            "config": config.to_dict(),
            "recipe": recipe.to_dict(),
            **task.record(train_data, val_data, progress),
            "versions": {
                "keras_segpaint": __version__,
                "keras": keras.__version__,
                "backend": keras.backend.backend(),
            },
        }
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(folder / CONFIG_FILE, json.dumps(record, indent=2) + "\n")
    return task.fit(folder, record, train_data, val_data, list(callbacks), verbose)


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
    task: Task, train_data: data.SegmentationDataset | None, val_data: data.SegmentationDataset | None
) -> tuple[data.SegmentationDataset, data.SegmentationDataset]:
    if (train_data is None) != (val_data is None):
        raise ValueError("`train_data` and `val_data` must be given together.")
    if train_data is None or val_data is None:
        if not task.config.data:
            raise ValueError("`config.data` must name a data set unless `train_data` and `val_data` are given.")
        return task.open("train"), task.open("val")
    return train_data, val_data
