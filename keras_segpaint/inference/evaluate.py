"""The confusion matrix of a model over a data set, at the images' own size."""

from collections.abc import Callable, Sequence
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
    class_ids: Sequence[int] | None = None,
) -> np.ndarray:
    """Compares predictions with labels pixel by pixel; no label is resized.

    Args:
        model: A segmentation model that gives logits, or a `Segmenter`.
        dataset: A `keras_segpaint.data.SegmentationDataset`.
        size: As in `Segmenter`, which has its own if it is given.
        progress: Called with `(done, total)`.
        each: Called with the index of an image and the matrix of its pixels.
        class_ids: For each class of the model that of the data set, `-1` for one that it has not, such as a class for
            unlabelled pixels: what is predicted as that is not counted. Defaults to `None`, the same classes.

    Returns:
        int64 `(num_classes, num_classes)`: pixels by `[true class, predicted class]`, for
        `keras_segpaint.metrics.scores`.

    Raises:
        ValueError: If the model and the data set have different numbers of classes, or `class_ids` does not fit them.

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
    ids = _class_ids(class_ids, getattr(segmenter.model, "num_classes", classes), dataset)
    matrix = np.zeros((classes, classes), np.int64)
    for index in range(len(dataset)):
        example = dataset[index]
        truth, predicted = example.mask, segmenter(example.image).classes
        if ids is not None:
            predicted = ids[predicted]
            truth, predicted = truth[predicted >= 0], predicted[predicted >= 0]
        pixels = count_confusion(truth, predicted, classes, dataset.ignore_class)
        matrix += pixels
        if each is not None:
            each(index, pixels)
        if progress is not None:
            progress(index + 1, len(dataset))
    return matrix


def _class_ids(class_ids: Sequence[int] | None, model_classes: int, dataset: Any) -> np.ndarray | None:
    """Checks `class_ids`, or without them that the classes are as many."""
    if class_ids is None:
        if model_classes != dataset.num_classes:
            raise ValueError(
                f"The model has {model_classes} classes and the data set {dataset.name} has {dataset.num_classes}. "
                "They must be equal, or `class_ids` must say which is which."
            )
        return None
    if len(class_ids) != model_classes or not all(-1 <= label < dataset.num_classes for label in class_ids):
        raise ValueError(
            f"`class_ids` must be {model_classes} integers from -1 to {dataset.num_classes - 1}. "
            f"Received: class_ids={list(class_ids)}"
        )
    return np.asarray(class_ids, np.int64)
