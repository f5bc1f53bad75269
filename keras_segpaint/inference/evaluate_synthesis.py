"""How well images are made from the label maps of a data set."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from keras_segpaint.data import Example, SegmentationDataset, SynthesisDataset
from keras_segpaint.data.dataset import Progress
from keras_segpaint.inference.evaluate import evaluate
from keras_segpaint.inference.segmenter import Segmenter
from keras_segpaint.inference.synthesizer import Synthesizer
from keras_segpaint.metrics import Scores, SynthesisScores, SynthesisScoring, scores

__all__ = ["SynthesisEvaluation", "evaluate_synthesis"]


@dataclass(frozen=True)
class SynthesisEvaluation:
    """How well images were made.

    Args:
        scores: How near they are to the real ones.
        segmentation: What a segmentation network sees in them, against the label maps; `None` without one.
        real_segmentation: What it sees in the real images: as good as it gets.
    """

    scores: SynthesisScores
    segmentation: Scores | None = None
    real_segmentation: Scores | None = None


def evaluate_synthesis(
    model: keras.Model,
    dataset: SegmentationDataset,
    *,
    size: tuple[int, int] = (256, 256),
    seed: int = 0,
    segmenter: Segmenter | None = None,
    progress: Progress | None = None,
    each: Callable[[int, np.ndarray, np.ndarray, np.ndarray], None] | None = None,
) -> SynthesisEvaluation:
    """Makes an image from each label map and compares it with the image that belongs to it.

    Each example is cut to the largest window of the aspect ratio asked for and resized, as it is in validation.

    Args:
        model: As `Synthesizer` takes it; styles are drawn by the seed.
        dataset: Images with label maps.
        size: `(height, width)`, at least 11 each. Defaults to `(256, 256)`.
        seed: Integer >= 0, of crops and styles. Defaults to `0`.
        segmenter: A network for the same classes, trained on real images, to tell whether made images show what they should:
            the measure of the papers.
        progress: Called with `(done, total)`.
        each: Called with number, labels, image and made image (uint8) of each example.

    Raises:
        ValueError: If `size` is too small, or the data set has other labels than the network.

    Example:
        >>> from keras_segpaint.data import BrainTemplate
        >>> from keras_segpaint.models import CRN
        >>> network = CRN(4, filters=(4, 4), data_format="channels_last")
        >>> evaluate_synthesis(network, BrainTemplate("val").subset([0, 1]), size=(32, 32)).scores.images
        2
    """
    if min(size) < 11:
        raise ValueError(f"`size` must be at least 11 x 11, the window of SSIM. Received: size={tuple(size)}")
    make = Synthesizer(model, seed=seed)
    if dataset.num_classes != make.num_labels:
        raise ValueError(
            f"{dataset.name} has {dataset.num_classes} classes, {make.model.name} makes images of {make.num_labels}. Name a "
            "data set with the classes that it was trained for."
        )
    windows = SynthesisDataset(
        dataset, batch_size=1, size=size, fixed=True, seed=seed, workers=0, data_format="channels_last"
    )
    scoring = SynthesisScoring((0.0, 1.0), "channels_last")
    shown: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    for index in range(len(windows)):
        labels, images = windows[index]
        labels = np.where(labels == dataset.ignore_class, _known(make.ignore_class, labels), labels)
        made = make(labels[0])
        scoring.update((images + np.float32(1)) / np.float32(2), made[None].astype(np.float32) / np.float32(255))
        real = np.rint((images[0] + 1) * 127.5).astype(np.uint8)
        if each is not None:
            each(index, labels[0], real, made)
        if segmenter is not None:
            shown.append((windows[index][0][0], real, made))
        if progress is not None:
            progress(index + 1, len(windows))
    if segmenter is None:
        return SynthesisEvaluation(scoring.scores())
    of_real, of_made = (
        scores(evaluate(segmenter, _Shown(dataset, [(labels, pair[kind]) for labels, *pair in shown])))
        for kind in (0, 1)
    )
    return SynthesisEvaluation(scoring.scores(), of_made, of_real)


class _Shown(SegmentationDataset):
    """Images in memory with the classes of another data set."""

    def __init__(self, dataset: SegmentationDataset, pairs: list[tuple[np.ndarray, np.ndarray]]):
        super().__init__(dataset.name, dataset.class_names, dataset.palette, dataset.ignore_class)
        self._pairs = pairs

    def __len__(self) -> int:
        return len(self._pairs)

    def _load(self, index: int) -> Example:
        labels, image = self._pairs[index]
        return Example(image, labels, self.example_name(index))


def _known(ignore_class: int | None, labels: Any) -> Any:
    """What stands for unknown pixels in a network's own label maps; without it they stay, and are refused."""
    return labels if ignore_class is None else ignore_class
