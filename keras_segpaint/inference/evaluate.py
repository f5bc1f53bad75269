"""The confusion matrix of a model over a data set, at the images' own size."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from keras_segpaint.inference.segmenter import Segmenter
from keras_segpaint.metrics.scores import count_confusion

__all__ = ["evaluate"]


def evaluate(
    model: keras.Model | Segmenter,
    dataset: Any,
    size: tuple[int, int] | None = None,
    progress: Callable[[int, int], None] | None = None,
    each: Callable[[int, np.ndarray], None] | None = None,
) -> np.ndarray:
    """Compares predictions with labels pixel by pixel; no label is resized.

    Args:
        model: A segmentation model that gives logits, or a `Segmenter`.
        dataset: A `keras_segpaint.data.SegmentationDataset`.
        size: As in `Segmenter`, which has its own if it is given.
        progress: Called with `(done, total)`.
        each: Called with the index of an image and the matrix of its pixels.

    Returns:
        int64 `(num_classes, num_classes)`: pixels by `[true class, predicted class]`, for
        `keras_segpaint.metrics.scores`.

    Raises:
        ValueError: If the model and the data set have different numbers of classes.

    Example:
        >>> from keras_segpaint.data import Example, SegmentationDataset
        >>> from keras_segpaint.models import UNet
        >>> class Black(SegmentationDataset):
        ...     def __len__(self):
        ...         return 2
        ...     def _load(self, index):
        ...         return Example(np.zeros((8, 9, 3), np.uint8), np.zeros((8, 9), np.uint8), "black")
        >>> matrix = evaluate(UNet(2, base_filters=2), Black("black", class_names=["a", "b"]))
        >>> matrix.shape, int(matrix.sum())
        ((2, 2), 144)
    """
    segmenter = model if isinstance(model, Segmenter) else Segmenter(model, size=size)
    classes = dataset.num_classes
    model_classes = getattr(segmenter.model, "num_classes", classes)
    if model_classes != classes:
        raise ValueError(
            f"The model has {model_classes} classes and the data set {dataset.name} has {classes}. They must be equal."
        )
    matrix = np.zeros((classes, classes), np.int64)
    for index in range(len(dataset)):
        example = dataset[index]
        pixels = count_confusion(example.mask, segmenter(example.image).classes, classes, dataset.ignore_class)
        matrix += pixels
        if each is not None:
            each(index, pixels)
        if progress is not None:
            progress(index + 1, len(dataset))
    return matrix
