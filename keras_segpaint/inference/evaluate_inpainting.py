"""How well holes of photographs are filled, by a model and by classical methods."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from keras_segpaint.data import (
    HOLE_RATIOS,
    FreeFormMask,
    GuidedInpaintingDataset,
    HoleRatioMask,
    InpaintingDataset,
    MaskGenerator,
)
from keras_segpaint.data.dataset import Progress, SegmentationDataset
from keras_segpaint.inference.fillers import METHODS
from keras_segpaint.inference.inpainter import Inpainter
from keras_segpaint.metrics import FillScores, FillScoring

__all__ = ["FillEvaluation", "evaluate_inpainting"]

_BATCH_SIZE = 4


@dataclass(frozen=True)
class FillEvaluation:
    """How well one method filled the holes.

    Args:
        scores: Over all masks.
        by_hole_ratio: In each bucket `(low, high]` of shares of holes.
    """

    scores: FillScores
    by_hole_ratio: dict[tuple[float, float], FillScores]


def evaluate_inpainting(
    model: keras.Model,
    photographs: SegmentationDataset,
    *,
    size: Sequence[int] = (256, 256),
    masks: MaskGenerator | None = None,
    masks_per_bucket: int = 1,
    baselines: Sequence[str] = METHODS,
    seed: int = 0,
    flips: str | bool = False,
    progress: Progress | None = None,
) -> dict[str, FillEvaluation]:
    """Fills holes drawn into photographs and compares the result with what was there.

    Each photograph is cut to the largest window of the aspect ratio asked for and resized. It gets masks of each of the
    six buckets of hole shares of the partial convolution paper. Crops and masks depend on the seed alone, so all methods
    and all models are judged by the same ones.

    Args:
        model: An inpainting model, as `Inpainter` takes it.
        photographs: The photographs, such as `keras_segpaint.data.load_photographs` gives; for a model that is guided by
            label maps a segmentation data set of its classes, such as `load_dataset` gives, whose labels it is given.
        size: `(height, width)`, at least 11 each. Defaults to `(256, 256)`.
        masks: Draws the holes that are laid over each other up to the share of a bucket. Defaults to `FreeFormMask()`.
        masks_per_bucket: Masks of each bucket for each photograph, at least 1. Defaults to `1`.
        baselines: Classical methods to compare with, of `"telea"`, `"ns"` and `"biharmonic"`, which is slow. Defaults to
            all.
        seed: Integer >= 0. Defaults to `0`.
        flips: Whether the model also fills images turned round, as `Inpainter` takes it. Defaults to `False`.
        progress: Called with `(done, total)`, counted in filled images.

    Returns:
        `{"model": FillEvaluation, ...}` with one more entry for each baseline.

    Raises:
        ValueError: If an argument is out of range.
        ImportError: If scikit-image is not installed, for `"biharmonic"`.

    Example:
        >>> from keras_segpaint.data import load_photographs
        >>> from keras_segpaint.models import PConvUNet
        >>> results = evaluate_inpainting(
        ...     PConvUNet(levels=4, base_filters=2), load_photographs("skimage").subset([1]), size=(32, 32),
        ...     baselines=["telea"],
        ... )
        >>> results["telea"].scores.images, results["telea"].scores.psnr > results["model"].scores.psnr
        (6, True)
    """
    if masks_per_bucket < 1:
        raise ValueError(f"`masks_per_bucket` must be an integer >= 1. Received: masks_per_bucket={masks_per_bucket}")
    if min(size) < 11:
        raise ValueError(f"`size` must be at least 11 x 11, the window of SSIM. Received: size={tuple(size)}")
    fillers: dict[str, Inpainter] = {"model": Inpainter(model, flips=flips)}
    fillers.update({method: Inpainter(method) for method in baselines})
    scorings = {name: FillScoring((0.0, 1.0), "channels_last") for name in fillers}
    classes = fillers["model"].filler.num_classes
    if classes is not None and photographs.num_classes != classes:
        raise ValueError(
            f"`photographs` must have the {classes} classes of the label maps that guide the model: give a segmentation "
            f"data set of them. Received: {photographs.name} with {photographs.num_classes} classes"
        )
    kind: Any = InpaintingDataset if classes is None else GuidedInpaintingDataset
    total = len(photographs) * len(HOLE_RATIOS) * masks_per_bucket * len(fillers)
    done = 0
    for number in range(len(HOLE_RATIOS) * masks_per_bucket):
        bucket = HOLE_RATIOS[number % len(HOLE_RATIOS)]
        batches = kind(
            photographs,
            HoleRatioMask(masks or FreeFormMask(), [bucket]),
            batch_size=_BATCH_SIZE,
            size=size,
            fixed=True,
            # Another crop and another mask for each time that a photograph comes up.
            seed=_seed(seed, number),
            workers=1,
            data_format="channels_last",
        )
        for index in range(len(batches)):
            inputs, images, holes = batches[index]
            truth = (images + np.float32(1)) / np.float32(2)
            for name, filler in fillers.items():
                guides = None if filler.filler.num_classes is None else inputs[2][..., 0]
                scorings[name].update(truth, filler(truth, _masks(holes), labels=guides), holes)
                done += len(truth)
                if progress is not None:
                    progress(done, total)
    return {name: FillEvaluation(scoring.scores(), scoring.by_hole_ratio()) for name, scoring in scorings.items()}


def _seed(seed: int, number: int) -> int:
    return int(np.random.SeedSequence((seed, number)).generate_state(1)[0])


def _masks(holes: np.ndarray) -> list[Any]:
    """One mask for each image of a batch."""
    return list(holes[..., 0])
