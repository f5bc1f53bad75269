"""Checkpoints of a run: one file holds everything that the next epoch depends on, and is never half written."""

import contextlib
import csv
import errno
import io
import json
import math
import os
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import keras
import numpy as np

__all__ = [
    "CheckpointError",
    "Monitor",
    "RunCheckpoint",
    "RunState",
    "load_checkpoint",
    "read_state",
    "write_atomically",
]

_STATE_ENTRY = "run_state.json"


class CheckpointError(OSError):
    """A checkpoint could not be written or read; the message names the file and what to do."""


class Monitor(NamedTuple):
    """The logged quantity that makes an epoch the best, and whether low values are good."""

    name: str
    lower_is_better: bool = False

    def improves(self, score: float, best: float | None) -> bool:
        """Whether a score is better than the best so far, `None` before the first."""
        if not math.isfinite(score):
            return False
        return best is None or (score < best if self.lower_is_better else score > best)


@dataclass
class RunState:
    """What a checkpoint knows beyond weights and optimizer.

    Args:
        epochs_done: Number of finished epochs.
        best: The best validation score so far, `None` before the first.
        best_epoch: The epoch (from 0) in which it was reached.
        history: The logs of every finished epoch.
        seeds: The states of the model's random generators, which `.keras` files leave out.
    """

    epochs_done: int = 0
    best: float | None = None
    best_epoch: int | None = None
    history: list[dict[str, float]] = field(default_factory=list)
    seeds: list[list[int]] = field(default_factory=list)

    def columns(self) -> dict[str, list[float]]:
        """The history as one list per logged quantity, as `keras.callbacks.History` gives it."""
        names = list(dict.fromkeys(name for row in self.history for name in row))
        return {name: [row.get(name, math.nan) for row in self.history] for name in names}


class RunCheckpoint(keras.callbacks.Callback):
    """Writes `last.keras` and `history.csv` after every epoch and `best.keras` after the best ones.

    `keras.callbacks.BackupAndRestore` and `ModelCheckpoint` are not used: they leave out the states of dropout's
    random generators, write in place, so that a kill can destroy the only copy, and keep the best value in a second
    file that can disagree with the first.

    Args:
        folder: The run's folder, with a folder `checkpoints` in it.
        state: Where to start from; a new `RunState()` for a new run.
        monitor: Which epoch is the best.
        kept: Gives what of the model `best.keras` holds.

    Attributes:
        state: The `RunState` of the last finished epoch.
        diverged: The number of the epoch whose loss was not finite, `None` as long as there is none.
    """

    def __init__(
        self,
        folder: str | os.PathLike,
        state: RunState,
        monitor: Monitor,
        kept: Callable[[keras.Model], keras.Model] = lambda model: model,
    ):
        super().__init__()
        self.monitor = monitor
        self.kept = kept
        self.folder = Path(folder)
        self.state = state
        self.diverged: int | None = None

    @property
    def last(self) -> Path:
        """The checkpoint of the last finished epoch."""
        return self.folder / "checkpoints" / "last.keras"

    @property
    def best(self) -> Path:
        """The checkpoint of the epoch with the best validation score."""
        return self.folder / "checkpoints" / "best.keras"

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        row = {name: float(value) for name, value in (logs or {}).items()}
        if not math.isfinite(row.get("loss", 0.0)):
            # Weights that produced this are of no use to anybody; the former checkpoint stays.
            self.diverged = epoch + 1
            return
        model = self.model
        state = self.state
        score = row.get(self.monitor.name, math.nan)
        improved = self.monitor.improves(score, state.best)
        self.state = RunState(
            epochs_done=epoch + 1,
            best=score if improved else state.best,
            best_epoch=epoch if improved else state.best_epoch,
            history=[*state.history, row],
            seeds=[np.asarray(keras.ops.convert_to_numpy(v)).tolist() for v in random_states(model)],
        )
        self._save(model, improved or state.best is None)
        write_atomically(self.folder / "history.csv", _csv(self.state))

    def _save(self, model: keras.Model, best: bool) -> None:
        # A folder of its own, because Keras puts files of unknown names beside the one it writes.
        work = self.last.with_name(".writing")
        temporary, linked = work / "last.keras", work / "best.keras"
        shutil.rmtree(work, ignore_errors=True)
        try:
            work.mkdir()
            model.save(temporary)
            with zipfile.ZipFile(temporary, "a") as archive:
                archive.writestr(_STATE_ENTRY, json.dumps(asdict(self.state)))
            _flush(temporary)
            if best:
                # The best one first: killed in between, the run repeats this epoch and writes the same file again.
                kept = self.kept(model)
                if kept is model:
                    _link_or_copy(temporary, linked)
                else:
                    kept.save(linked)
                    _flush(linked)
                os.replace(linked, self.best)
            os.replace(temporary, self.last)
        except OSError as error:
            consolation = (
                "the checkpoint of the epoch before is intact" if self.last.exists() else "it is the first one"
            )
            raise write_error(error, self.last, consolation) from error
        finally:
            shutil.rmtree(work, ignore_errors=True)


def random_states(model: keras.Model) -> list[Any]:
    """The variables of a model's random generators."""
    weights = {id(variable) for variable in model.non_trainable_weights}
    return [variable for variable in model.non_trainable_variables if id(variable) not in weights]


def read_state(path: str | os.PathLike) -> RunState:
    """Reads the `RunState` in a checkpoint.

    Raises:
        CheckpointError: If the file is damaged or was not written by a run.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return RunState(**json.loads(archive.read(_STATE_ENTRY)))
    except (OSError, zipfile.BadZipFile, KeyError, ValueError, TypeError) as error:
        raise CheckpointError(
            errno.EINVAL,
            "is not a checkpoint that a run can continue from; start a new run in another folder",
            str(path),
        ) from error


def load_checkpoint(model: keras.Model, path: str | os.PathLike) -> RunState:
    """Puts everything that a checkpoint holds into a compiled model: weights, optimizer, random generators.

    Raises:
        CheckpointError: If the file is damaged or was not written by a run.
    """
    state = read_state(path)
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    model.load_weights(path)
    for variable, value in zip(random_states(model), state.seeds, strict=True):
        variable.assign(np.asarray(value, variable.dtype))
    return state


def write_atomically(path: Path, text: str) -> None:
    """Writes a text file so that either the old or the new content is there, whatever happens."""
    temporary = path.with_name(f".{path.name}.tmp")
    try:
        temporary.write_text(text, encoding="utf-8")
        _flush(temporary)
        os.replace(temporary, path)
    except OSError as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise write_error(error, path, "the file is as it was") from error


def write_error(error: OSError, path: Path, consolation: str) -> CheckpointError:
    """The error for a file that could not be written."""
    code = error.errno or errno.EIO
    reason = os.strerror(code) if error.errno else str(error)
    return CheckpointError(
        code,
        f"{reason}: could not write it; {consolation}. Make room, then continue the run with resume=True",
        str(path),
    )


def _flush(path: Path) -> None:
    with open(path, "rb+") as file:
        os.fsync(file.fileno())


def _link_or_copy(source: Path, target: Path) -> None:
    try:
        os.link(source, target)
    except OSError:
        # Some file systems have no hard links.
        shutil.copyfile(source, target)


def _csv(state: RunState) -> str:
    columns = state.columns()
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["epoch", *columns])
    writer.writerows([epoch, *values] for epoch, values in enumerate(zip(*columns.values(), strict=True), start=1))
    return text.getvalue()
