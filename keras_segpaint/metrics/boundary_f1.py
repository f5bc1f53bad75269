"""How well the boundaries of classes are met."""

import math
from typing import Any

import keras
from keras import metrics, ops

from keras_segpaint.metrics.confusion_matrix import class_map, counted, inside, prepare
from keras_segpaint.ops.boundaries import class_boundaries, squared_distance
from keras_segpaint.ops.spatial import standardize_data_format


@keras.saving.register_keras_serializable(package="keras_segpaint")
class BoundaryF1(metrics.Metric):
    """F1 score of the boundaries of each class, met within a tolerance, averaged over images and classes.

    A pixel lies at the boundary of its class if another class is above, below, left or right of it. Of one class in one
    image, precision is the share of the predicted boundary pixels that have a true one within the tolerance, recall the
    share of the true ones that have a predicted one; F1 is their harmonic mean. The score of a class is the mean over the
    images of the data set that show a boundary of it in the truth or in the prediction (0 where only one of them does), the
    result the mean over these classes. Distances are Euclidean and exact. 0 before any boundary.

    Args:
        num_classes: Integer >= 2.
        tolerance: Distance up to which a boundary is met: at least 1, in pixels; below 1, as a share of the image's
            diagonal. Defaults to `0.0075`, as in the paper.
        ignore_class: Integer, the true label of pixels that do not count, or `None`: they and what is predicted on them
            are no boundary. Defaults to `255`.
        sparse_y_pred: Boolean, predictions are class maps of the labels' shape, not logits. Defaults to `False`.
        per_class: Boolean, give the score of every class, `(num_classes,)`, `nan` for those without a boundary, in place of
            their mean. Defaults to `False`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default: the axis of the logits.
        name: String. Defaults to `"boundary_f1"`.

    Call arguments:
        y_true: Integers `(batch, height, width)` or `(batch, height, width, 1)`.
        y_pred: Logits `(batch, height, width, num_classes)`; of two classes also `(batch, height, width, 1)`, the logit of
            class 1.
        sample_weight: Optional `(batch, height, width)` or `(batch,)`: pixels of weight 0 are ignored.

    Raises:
        ValueError: If an argument is out of range, labels and predictions do not fit each other, or the tolerance is a share
            of a diagonal that a compiled step does not know.

    References:
        - Csurka, Larlus, Perronnin: What is a good evaluation measure for semantic segmentation?, BMVC 2013.

    Example:
        >>> import numpy as np
        >>> metric = BoundaryF1(2, tolerance=1, sparse_y_pred=True)
        >>> metric.update_state(np.array([[[0, 0, 0, 1, 1, 1]]]), np.array([[[0, 0, 1, 1, 1, 1]]]))
        >>> float(metric.result())
        1.0
    """

    def __init__(
        self,
        num_classes: int,
        tolerance: float = 0.0075,
        ignore_class: int | None = 255,
        sparse_y_pred: bool = False,
        per_class: bool = False,
        data_format: str | None = None,
        name: str = "boundary_f1",
    ):
        if not isinstance(num_classes, int) or num_classes < 2:
            raise ValueError(f"`num_classes` must be an integer >= 2. Received: num_classes={num_classes!r}")
        if not 0 < tolerance < math.inf:
            raise ValueError(f"`tolerance` must be a number above 0. Received: tolerance={tolerance}")
        super().__init__(name=name, dtype="float32")
        self.num_classes = num_classes
        self.tolerance = tolerance
        self.ignore_class = ignore_class
        self.sparse_y_pred = sparse_y_pred
        self.per_class = per_class
        self.data_format = standardize_data_format(data_format)
        self.total = self.add_variable(name="total", shape=(num_classes,), initializer="zeros", dtype="float32")
        self.images = self.add_variable(name="images", shape=(num_classes,), initializer="zeros", dtype="float32")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        labels, predicted = prepare(y_true, y_pred, self.num_classes, self.sparse_y_pred, self.data_format)
        if not self.sparse_y_pred:
            predicted = class_map(predicted)
        counts = ops.logical_and(inside(labels, self.num_classes), counted(labels, self.ignore_class, sample_weight))
        # -1 is what does not count, whatever the ignored class; then -1 is also what is no boundary.
        truth, predicted = (
            ops.where(class_boundaries(class_ids, -1), class_ids, -1)
            for class_ids in (ops.where(counts, labels, -1), ops.where(counts, predicted, -1))
        )
        tolerance = self._pixels(labels.shape)
        reach = int(tolerance)

        def of_class(index: Any) -> Any:
            true_points, predicted_points = ops.equal(truth, index), ops.equal(predicted, index)
            found = _share_within(predicted_points, true_points, tolerance, reach)
            met = _share_within(true_points, predicted_points, tolerance, reach)
            score = 2.0 * found * met / ops.maximum(found + met, 1e-12)
            shown = ops.any(ops.logical_or(true_points, predicted_points), axis=(1, 2))
            return ops.stack([ops.sum(score), ops.sum(ops.cast(shown, "float32"))])

        # One class after the other: distances of all at once would take as much memory as there are classes.
        sums = ops.map(of_class, ops.arange(self.num_classes, dtype="int32"))
        self.total.assign(self.total + sums[:, 0])
        self.images.assign(self.images + sums[:, 1])

    def _pixels(self, shape: tuple[Any, ...]) -> float:
        if self.tolerance >= 1:
            return float(self.tolerance)
        if None in shape[1:]:
            raise ValueError(
                "`tolerance` below 1 is a share of the diagonal, which must be known when the step is compiled: give a "
                "tolerance in pixels, the images' size to the model, or compile with run_eagerly=True. "
                f"Received: tolerance={self.tolerance} for labels of shape {tuple(shape)}"
            )
        return self.tolerance * math.hypot(*shape[1:])

    def result(self) -> Any:
        known = self.images > 0
        scores = self.total / ops.maximum(self.images, 1.0)
        if self.per_class:
            return ops.where(known, scores, float("nan"))
        return ops.sum(scores) / ops.maximum(ops.sum(ops.cast(known, "float32")), 1.0)

    def get_config(self) -> dict[str, Any]:
        return dict(
            num_classes=self.num_classes,
            tolerance=self.tolerance,
            ignore_class=self.ignore_class,
            sparse_y_pred=self.sparse_y_pred,
            per_class=self.per_class,
            data_format=self.data_format,
            name=self.name,
        )


def _share_within(points: Any, others: Any, tolerance: float, reach: int) -> Any:
    """The share of each image's points that have one of the others within the tolerance; 0 without points."""
    near = ops.cast(squared_distance(others, reach), "float32") <= tolerance**2
    points = ops.cast(points, "float32")
    return ops.sum(points * ops.cast(near, "float32"), axis=(1, 2)) / ops.maximum(ops.sum(points, axis=(1, 2)), 1.0)
