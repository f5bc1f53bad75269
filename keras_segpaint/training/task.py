"""What runs of one kind of network do differently from those of another."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from keras_segpaint import data
from keras_segpaint.data.dataset import Progress
from keras_segpaint.training.config import TrainConfig
from keras_segpaint.training.recipe import Recipe
from keras_segpaint.training.stage import Stage

__all__ = ["RunResult", "Task"]


@dataclass(frozen=True)
class RunResult:
    """What a finished run gives back.

    Args:
        history: One list per logged quantity, one entry per epoch, the epochs before a resumption included.
        best_path: The checkpoint of the epoch with the best validation score: the highest mean IoU, of inpainting the lowest
            mean absolute error in the holes, of synthesis that of the images. It holds the network without its critic.
        last_path: The checkpoint of the last epoch.
        scores: `metrics.Scores` of the best checkpoint on the validation images at training size; of inpainting
            `metrics.FillScores`, of synthesis `metrics.SynthesisScores`.
        skipped: Names of the images that could not be read while training.
        confusion: The confusion matrix `(num_classes, num_classes)`, `[true, predicted]`, that the scores come from;
            `None` for images.
    """

    history: dict[str, list[float]]
    best_path: Path
    last_path: Path
    scores: Any
    skipped: list[str]
    confusion: np.ndarray | None = None


class Task:
    """A run's part that depends on what its network is for.

    Args:
        config: The settings of the run.
        recipe: What they lead to.
    """

    def __init__(self, config: TrainConfig, recipe: Recipe):
        self.config = config
        self.recipe = recipe

    def open(self, split: str) -> data.SegmentationDataset:
        """The images that the settings name, of `"train"` or `"val"`."""
        raise NotImplementedError

    def check(
        self,
        train_data: data.SegmentationDataset,
        val_data: data.SegmentationDataset,
        record: Mapping[str, Any] | None,
        progress: Progress | None,
    ) -> None:
        """Raises an error for what would go wrong later, before anything is written.

        Args:
            train_data: Training images.
            val_data: Validation images.
            record: What `config.json` holds, of a run that goes on.
            progress: Called with `(done, total)`.
        """
        raise NotImplementedError

    def record(
        self, train_data: data.SegmentationDataset, val_data: data.SegmentationDataset, progress: Progress | None
    ) -> dict[str, Any]:
        """What `config.json` holds beside the settings."""
        raise NotImplementedError

    def stages(
        self,
        folder: Path,
        record: Mapping[str, Any],
        train_data: data.SegmentationDataset,
        val_data: data.SegmentationDataset,
    ) -> list[Stage]:
        """The stages of the run; each but the first goes on from the best epoch of the one before."""
        raise NotImplementedError

    def fit(
        self,
        folder: Path,
        record: Mapping[str, Any],
        train_data: data.SegmentationDataset,
        val_data: data.SegmentationDataset,
        callbacks: Sequence[keras.callbacks.Callback],
        verbose: str | int,
    ) -> RunResult:
        """Trains the stages of the run, each from its last checkpoint."""
        initial_weights = None if self.config.initial_weights is None else Path(self.config.initial_weights)
        skipped: list[str] = []
        for number, stage in enumerate(self.stages(folder, record, train_data, val_data)):
            # The user's weights may be of other classes; the stages of a run fit each other.
            model, checkpoint, names = stage.fit(callbacks, verbose, initial_weights, skip_mismatch=number == 0)
            initial_weights = checkpoint.best
            skipped += names
        scores, confusion = stage.judge(model, checkpoint.best)
        return RunResult(
            history=checkpoint.state.columns(),
            best_path=checkpoint.best,
            last_path=checkpoint.last,
            scores=scores,
            skipped=skipped,
            confusion=confusion,
        )
