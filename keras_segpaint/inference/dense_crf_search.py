"""Choosing the settings of a dense CRF on a validation set."""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from keras_segpaint.inference.dense_crf import DenseCRF
from keras_segpaint.inference.pairwise import BilateralPairwise, GaussianPairwise
from keras_segpaint.metrics.scores import count_confusion, scores

__all__ = ["DenseCRFSearch", "DenseCRFTrial", "search_dense_crf"]

_DEFAULTS: dict[str, Any] = {
    "gaussian_sxy": GaussianPairwise.sxy,
    "gaussian_compat": GaussianPairwise.compat,
    "bilateral_sxy": BilateralPairwise.sxy,
    "bilateral_srgb": BilateralPairwise.srgb,
    "bilateral_compat": BilateralPairwise.compat,
    "iterations": 5,
}


@dataclass(frozen=True)
class DenseCRFTrial:
    """One setting and what came of it.

    Attributes:
        settings: The values of the names in the grid.
        pairwise: The pairwise terms, for `dense_crf`.
        iterations: The number of iterations, for `dense_crf`.
        mean_iou: Of the whole validation set.
    """

    settings: dict[str, Any]
    pairwise: tuple[GaussianPairwise, BilateralPairwise]
    iterations: int
    mean_iou: float


@dataclass(frozen=True)
class DenseCRFSearch:
    """What a search found.

    Attributes:
        trials: All settings, the best first; of equal ones the one that comes first in the grid.
        without: The mean IoU without a CRF.
    """

    trials: tuple[DenseCRFTrial, ...]
    without: float

    @property
    def best(self) -> DenseCRFTrial:
        return self.trials[0]

    def table(self) -> str:
        """The mean IoU of each setting, a line each, and without a CRF."""
        names = list(self.trials[0].settings)
        rows = [[*names, "mean IoU"]]
        rows += [[*(str(trial.settings[name]) for name in names), f"{trial.mean_iou:.4f}"] for trial in self.trials]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
        return "\n".join([*lines, f"without a CRF: {self.without:.4f}"])


def search_dense_crf(
    probabilities: Sequence[np.ndarray],
    images: Sequence[np.ndarray],
    labels: Sequence[np.ndarray],
    grid: Mapping[str, Sequence[Any]],
    ignore_class: int | None = 255,
    threads: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> DenseCRFSearch:
    """Tries all combinations of settings of a dense CRF and gives the mean IoU of each.

    Each image is taken once, and its filters are shared by all settings of the same standard deviations: weights cost
    only their inference.

    Args:
        probabilities: Of each image, floating `(height, width, classes)` in [0, 1]. Any sequence, such as one that
            predicts when it is indexed; DeepLab's authors take 100 images.
        images: uint8 `(height, width, 3)` each.
        labels: Integers `(height, width)` each; those outside of the classes do not count.
        grid: Values to try by name: `gaussian_sxy`, `gaussian_compat`, `bilateral_sxy`, `bilateral_srgb`,
            `bilateral_compat`, `iterations`. Names that it lacks have the default of `dense_crf`.
        ignore_class: The label of pixels that do not count, or `None`. Defaults to `255`.
        threads: As in `dense_crf`.
        progress: Called with `(done, total)`, counted in refined images.

    Returns:
        The settings with their mean IoU, the best first.

    Raises:
        ValueError: If the grid has another name or no value for one, an image or label map is missing, or a value or
            image is refused by `dense_crf`.

    References:
        - [DeepLab](https://arxiv.org/abs/1606.00915), section 4.1: the search that its authors do.

    Example:
        >>> image = np.zeros((8, 12, 3), "uint8")
        >>> image[:, 6:] = 255
        >>> left = np.where(np.arange(12) < 8, 0.7, 0.3) * np.ones((8, 1))
        >>> label = np.tile(np.arange(12) >= 6, (8, 1)).astype("uint8")
        >>> grid = {"bilateral_compat": [0, 10]}
        >>> found = search_dense_crf([np.stack([left, 1 - left], axis=-1)], [image], [label], grid)
        >>> print(found.table())
        bilateral_compat  mean IoU
                      10    1.0000
                       0    0.7083
        without a CRF: 0.7083
    """
    if not len(probabilities) == len(images) == len(labels) or not len(images):
        raise ValueError(
            "`probabilities`, `images` and `labels` must be as many as each other, one or more. "
            f"Received: {len(probabilities)} probabilities, {len(images)} images, {len(labels)} labels"
        )
    settings = _combinations(grid)
    terms = [_pairwise(setting) for setting in settings]
    matrices: list[Any] = [0] * len(settings)
    without: Any = 0
    total, done = len(images) * len(settings), 0

    def confusion(truth: np.ndarray, probabilities: np.ndarray) -> np.ndarray:
        return count_confusion(truth, probabilities.argmax(axis=-1), probabilities.shape[-1], ignore_class)

    for index in range(len(images)):
        crf = DenseCRF(images[index], threads)
        unrefined = np.asarray(probabilities[index])
        truth = _checked(labels[index], unrefined, index)
        for number, setting in enumerate(settings):
            refined = crf(unrefined, terms[number], setting["iterations"])
            matrices[number] = matrices[number] + confusion(truth, refined)
            done += 1
            if progress is not None:
                progress(done, total)
        without = without + confusion(truth, unrefined)
    trials = [
        DenseCRFTrial({name: setting[name] for name in grid}, pairwise, setting["iterations"], scores(matrix).mean_iou)
        for setting, pairwise, matrix in zip(settings, terms, matrices, strict=True)
    ]
    trials.sort(key=lambda trial: -trial.mean_iou)
    return DenseCRFSearch(tuple(trials), scores(without).mean_iou)


def _combinations(grid: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    for name, values in grid.items():
        if name not in _DEFAULTS:
            raise ValueError(f"`grid` may name {', '.join(_DEFAULTS)}. Received: {name!r}")
        if isinstance(values, str) or not hasattr(values, "__len__") or not len(values):
            raise ValueError(f"`grid` must give one or more values for each name. Received: {name}={values!r}")
    return [{**_DEFAULTS, **dict(zip(grid, values, strict=True))} for values in itertools.product(*grid.values())]


def _pairwise(setting: dict[str, Any]) -> tuple[GaussianPairwise, BilateralPairwise]:
    return (
        GaussianPairwise(setting["gaussian_sxy"], setting["gaussian_compat"]),
        BilateralPairwise(setting["bilateral_sxy"], setting["bilateral_compat"], srgb=setting["bilateral_srgb"]),
    )


def _checked(labels: np.ndarray, probabilities: np.ndarray, index: int) -> np.ndarray:
    labels = np.asarray(labels)
    if labels.dtype.kind not in "iub" or labels.shape != probabilities.shape[:2]:
        raise ValueError(
            f"`labels` must be integers (height, width) like the probabilities. Received: labels[{index}] {labels.dtype} "
            f"of shape {labels.shape} for probabilities of shape {probabilities.shape}"
        )
    return labels
