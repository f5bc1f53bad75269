"""Progress for long work: Rich bars on a terminal, plain lines elsewhere."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

import keras
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from keras_segpaint.cli.console import output, plain

__all__ = ["TrainingProgress", "counted"]

# What a training line shows, in this order, when the logs hold it.
_SHOWN = {
    "loss": "loss",
    "mean_iou": "mIoU",
    "hole_l1": "hole L1",
    "l1": "L1",
    "val_loss": "val loss",
    "val_mean_iou": "val mIoU",
    "val_hole_l1": "val hole L1",
    "val_l1": "val L1",
}


def _bars() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(elapsed_when_finished=True),
        TextColumn("{task.fields[note]}"),
        console=output,
        transient=True,
        disable=not output.is_terminal,
    )


@contextmanager
def counted(description: str) -> Iterator[Callable[[int, int], None]]:
    """A bar for work that reports `(done, total)`.

    Args:
        description: What is being done.

    Yields:
        The function to call with how many of how many parts are done.
    """
    began = time.monotonic()
    done_last = 0
    with _bars() as bars:
        task = bars.add_task(plain(description), total=None, note="")

        def report(done: int, total: int) -> None:
            nonlocal done_last
            done_last = done
            bars.update(task, completed=done, total=total)

        yield report
    output.print(f"{plain(description)}: {done_last} in {time.monotonic() - began:.1f} s", highlight=False)


class TrainingProgress(keras.callbacks.Callback):
    """Shows the check of the data, then epochs, steps, loss and score while `fit` runs.

    On a terminal bars move, one for the epochs and one for the steps of the current epoch. Elsewhere each epoch ends
    with one line. Used as a context manager, which takes the bars off the screen whatever happens.

    Args:
        description: Name of the run, shown before the bar.
    """

    def __init__(self, description: str):
        super().__init__()
        self.description = description
        self._bars = _bars()
        self._tasks: dict[str, TaskID] = {}
        self._began = 0.0

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def check(self, done: int, total: int) -> None:
        """Reports how many of how many examples have been looked at."""
        self._show("check", description="checking the data", completed=done, total=total)

    def on_train_begin(self, logs: dict | None = None) -> None:
        self._hide("check")
        self._show("epochs", description=plain(self.description), completed=0, total=self.params.get("epochs"))

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        self._began = time.monotonic()
        self._show("epochs", completed=epoch)
        self._hide("steps")
        note = "" if epoch else "building the network's graph"
        self._show("steps", description=f"epoch {epoch + 1}", total=self.params.get("steps"), note=note)

    def on_train_batch_end(self, batch: int, logs: dict | None = None) -> None:
        self._show("steps", completed=batch + 1, note=_line(logs))

    def on_test_begin(self, logs: dict | None = None) -> None:
        self._show("steps", description="validating")

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        self._show("epochs", completed=epoch + 1)
        seconds = time.monotonic() - self._began
        output.print(
            f"epoch {epoch + 1}/{self.params.get('epochs')}  {_line(logs)}  {seconds:.1f} s",
            soft_wrap=True,
            highlight=False,
        )

    def on_train_end(self, logs: dict | None = None) -> None:
        self._hide("steps")
        self._hide("epochs")

    def _show(self, name: str, **fields: Any) -> None:
        if name not in self._tasks:
            fields.setdefault("note", "")
            self._tasks[name] = self._bars.add_task(fields.pop("description", name), **fields)
        else:
            self._bars.update(self._tasks[name], **fields)

    def _hide(self, name: str) -> None:
        if name in self._tasks:
            self._bars.remove_task(self._tasks.pop(name))


def _line(logs: dict | None) -> str:
    return "  ".join(f"{label} {float(logs[key]):.4f}" for key, label in _SHOWN.items() if logs and key in logs)
