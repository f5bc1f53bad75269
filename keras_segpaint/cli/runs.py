"""Opening what `RUN_OR_MODEL` names: a run's folder or a model file."""

import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

# Importing the models registers their classes, which loading needs; training has that of a network with its critic.
from keras_segpaint import data, models, training
from keras_segpaint.cli.errors import UserError
from keras_segpaint.models.presets import is_preset
from keras_segpaint.training.adversarial_model import AdversarialModel

__all__ = [
    "OpenedRun",
    "RunRecord",
    "model_file",
    "open_model",
    "open_model_for",
    "open_photographs_to_judge",
    "open_run",
    "preset",
    "read_record",
    "task_of",
]

RECORD = "config.json"

# What a model of each task is, and the command that applies it.
_USES = {
    "segmentation": ("a segmentation model", "Segment images with it: segpaint predict {path} IN --out OUT"),
    "inpainting": (
        "an inpainting model",
        "Fill holes with it: segpaint inpaint IN --mask MASK --out OUT --model {path}",
    ),
    "style": (
        "a model that paints in a style",
        "Paint with it: segpaint stylize CONTENT --style STYLE --run {path} --out OUT",
    ),
    "synthesis": (
        "a model that makes images from label maps",
        "Make images with it: segpaint synthesize LABELS --run {path} --out OUT",
    ),
}


@dataclass(frozen=True)
class RunRecord:
    """What a run knows about its model.

    Args:
        class_names: The classes of the data it was trained on; none for inpainting.
        palette: uint8 `(num_classes, 3)`, their colours.
        size: Height and width it was trained at.
        data: The data set it was trained on, as `--data` takes it.
        val_data: What it was validated on, if that was not a part of `data`.
        seed: The seed of the run.
    """

    class_names: tuple[str, ...]
    palette: np.ndarray
    size: tuple[int, int]
    data: str
    val_data: str | None
    seed: int


@dataclass(frozen=True)
class OpenedRun:
    """A run's folder with its network.

    Args:
        folder: The folder.
        model: The network.
        checkpoint: The file that the network was loaded from: the best checkpoint, or the last where there is no best.
        record: What the run knows about the network.
        config: Everything in `config.json`.
    """

    folder: Path
    model: keras.Model
    checkpoint: Path
    record: RunRecord
    config: dict[str, Any]

    @property
    def task(self) -> str:
        """`"segmentation"`, `"inpainting"` or `"synthesis"`."""
        return self.config.get("task") or task_of(self.model)


def open_run(folder: Path) -> OpenedRun:
    """Loads the network of a run's folder.

    Raises:
        UserError: If there is no such folder, it holds no run, or no epoch of the run is finished.
    """
    if not folder.exists():
        raise UserError(f"{folder}: no such folder. Give the folder that --out named in training.")
    if not folder.is_dir() or not (folder / RECORD).exists():
        raise UserError(
            f"{folder}: holds no run, there is no {folder / RECORD}. Give the folder that --out named in training."
        )
    record = read_record(folder)
    try:
        checkpoint = model_file(folder)
    except UserError as error:
        raise UserError(
            f"{folder}: has no checkpoint yet, neither best.keras nor last.keras in {folder / 'checkpoints'}. "
            "Let it finish an epoch: continue it with `segpaint train ... --resume`."
        ) from error
    model, _ = open_model(checkpoint)
    return OpenedRun(folder, model, checkpoint, record, json.loads((folder / RECORD).read_text(encoding="utf-8")))


def open_photographs_to_judge(
    record: RunRecord | None, spec: str, split: str | None, model: keras.Model | None = None
) -> tuple[data.SegmentationDataset, str]:
    """The photographs to judge an inpainting network by, and the name of the part of them that they are.

    Args:
        record: What a run says.
        spec: The photographs, as `--data` takes them.
        split: `None` for the part that the run was validated on, of photographs that it was not trained on all.
        model: The network. Of one that learnt from label maps the photographs are those of a segmentation data set.

    Raises:
        UserError: If the data set has other classes than the label maps of the network.
    """
    if getattr(model, "guidance", None) is not None:
        return _open_labelled_to_judge(record, spec, split, model)
    own = record is not None and spec == record.data and not record.val_data
    split = split or ("val" if own else "all")
    return data.load_photographs(spec, split, seed=record.seed if record is not None and own else 0), split


def _open_labelled_to_judge(
    record: RunRecord | None, spec: str, split: str | None, model: Any
) -> tuple[data.SegmentationDataset, str]:
    """As `open_photographs_to_judge`, with the labels; of photographs without, where the network needs none."""
    split = split or ("all" if record is not None and spec == record.val_data else "val")
    try:
        dataset = data.load_dataset(spec, split, num_classes=model.num_classes)
    except data.DataError:
        if model.guidance == "input":
            raise
        return data.load_photographs(spec, split), split
    if dataset.num_classes != model.num_classes:
        raise UserError(
            f"{model.name} has {model.num_classes} classes, the data set {spec} has {dataset.num_classes}. Name one with the "
            "classes that it was trained for."
        )
    return dataset, split


def open_model(path: Path, adversaries: bool = False) -> tuple[keras.Model, RunRecord | None]:
    """Loads a `.keras` file, the best checkpoint of a run's folder, or a preset.

    Args:
        path: The file or folder, or `hf://user/name`.
        adversaries: Whether a network that was saved with its critic and its encoder keeps them.

    Returns:
        The network, and what its run knows about it; `None` for a file outside of a run.

    Raises:
        UserError: If there is no such file, or it is not a model.
    """
    if source := preset(path):
        model = models.from_preset(source)
        return model.predictor() if hasattr(model, "predictor") else model, None
    file = model_file(path)
    try:
        model = keras.saving.load_model(file, compile=False)
    except (ValueError, TypeError, KeyError, OSError, zipfile.BadZipFile) as error:
        reason = (str(error).strip() or type(error).__name__).splitlines()[0]
        raise UserError(
            f"{file}: cannot be loaded as a Keras model ({reason}). Use a file that training wrote."
        ) from error
    if hasattr(model, "predictor") and not (adversaries and isinstance(model, AdversarialModel)):
        model = model.predictor()
    folder = file.parent.parent
    in_run = file.parent.name == "checkpoints" and (folder / RECORD).exists()
    return model, read_record(folder) if in_run else None


def preset(path: Path) -> str | None:
    """The preset that is meant, as `models.from_preset` takes it; `None` if none is."""
    # A path has one slash where there were two.
    scheme, _, name = str(path).partition(":/")
    source = f"hf://{name.lstrip('/')}" if scheme == "hf" else str(path)
    return source if is_preset(source) else None


def model_file(path: Path) -> Path:
    """The `.keras` file that is meant: the path itself, or the best checkpoint of a run's folder.

    Raises:
        UserError: If there is no such file.
    """
    if not path.exists():
        raise UserError(
            f"{path}: no such file or folder. Give a .keras file or the folder that --out named in training."
        )
    if not path.is_dir():
        return path
    candidates = [path / "checkpoints" / name for name in ("best.keras", "last.keras")]
    found = [candidate for candidate in candidates if candidate.exists()]
    if not found:
        if preset(path):
            raise UserError(f"{path}: is a preset; here a .keras file is needed. Write one in Python with model.save.")
        raise UserError(f"{path}: holds no run, there is no {candidates[0]}. Train first, or give a .keras file.")
    return found[0]


def task_of(model: keras.Model) -> str:
    """What a model is for: what its recipe says, and of one without a recipe what its inputs say."""
    network = model.generator if isinstance(model, AdversarialModel) else model
    recipe = training.recipes.RECIPES.get(type(network).__name__)
    if recipe is not None:
        return recipe.task
    return "inpainting" if len(network.inputs) > 1 else "segmentation"


def open_model_for(task: str, path: Path, adversaries: bool = False) -> tuple[keras.Model, RunRecord | None]:
    """As `open_model`, for a command of one task.

    Raises:
        UserError: Also if the model is for another task; the message names the command to use.
    """
    model, record = open_model(path, adversaries)
    found = task_of(model)
    if found != task:
        kind, use = _USES.get(found, (f"a model for {found}", "See `segpaint --help` for what does that"))
        raise UserError(f"{path} holds {kind}, this command is for {task}. {use.format(path=path)}")
    return model, record


def read_record(folder: Path) -> RunRecord:
    """Reads what a run's folder says about its model.

    Raises:
        UserError: If the file is damaged.
    """
    path = folder / RECORD
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        return RunRecord(
            class_names=tuple(record.get("class_names", ())),
            palette=np.asarray(record.get("palette", ()), np.uint8).reshape(-1, 3),
            size=tuple(record["recipe"]["crop_size"]),
            data=record["config"]["data"],
            val_data=record["config"].get("val_data"),
            seed=record["config"]["seed"],
        )
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise UserError(
            f"{path}: damaged ({error!r}). Copy the .keras file out of the run's folder and give that."
        ) from error
