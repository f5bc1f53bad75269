"""Lovasz losses of label maps."""

from typing import Any, Literal

import keras
from keras import ops

from keras_segpaint.losses.base import LabelMapLoss

_TINY = 1e-12


@keras.saving.register_keras_serializable(package="keras_segpaint")
class LovaszSoftmax(LabelMapLoss):
    """The Lovasz extension of the Jaccard loss: a convex surrogate of one minus the intersection over union.

    With several logits the errors are those of the softmax probabilities (Lovasz-softmax), with one logit hinge errors of
    the logit (Lovasz hinge), as the authors have it. The errors of each class are sorted, over the whole batch or each
    image. Computed in float32. If every pixel is ignored, loss and gradients are zero, and right predictions that are sure
    (of one logit: beyond 1 and -1) give zero. A class that does not occur is left out of the mean, or with `classes="all"`
    costs its largest error; of one logit, labels without class 1 cost the largest error, too.

    Args:
        per_image: Boolean, take the loss of each image and average over images (those with a pixel that counts). Defaults
            to `False`, one loss of the batch.
        classes: `"present"` averages over the classes that occur in the labels of the batch or image, `"all"` over all.
            Defaults to `"present"`.
        ignore_class: Integer, the label of pixels that do not count, or `None`. Defaults to `255`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default: the axis of the logits.
        name: String. Defaults to `"lovasz_softmax"`.

    Call arguments:
        y_true: Integers `(batch, height, width)` or `(batch, height, width, 1)`.
        y_pred: Logits `(batch, height, width, num_classes)`, or `(batch, height, width, 1)` with labels of 0 and 1.
        sample_weight: Optional weights `(batch, height, width)` or `(batch,)`: a pixel of weight 2 is one that is there
            twice.

    Raises:
        ValueError: If `classes` is unknown, or labels, logits and weights do not fit each other.

    References:
        - [The Lovasz-Softmax loss](https://arxiv.org/abs/1705.08790)

    Example:
        >>> import numpy as np
        >>> loss = LovaszSoftmax(data_format="channels_last")
        >>> float(loss(np.array([[[0, 1]]]), np.zeros((1, 1, 2, 2), "float32")))
        0.5
    """

    def __init__(
        self,
        per_image: bool = False,
        classes: Literal["present", "all"] = "present",
        ignore_class: int | None = 255,
        data_format: str | None = None,
        name: str = "lovasz_softmax",
    ):
        if classes not in ("present", "all"):
            raise ValueError(f'`classes` must be "present" or "all". Received: classes={classes!r}')
        super().__init__(ignore_class, data_format, name)
        self.per_image = per_image
        self.classes = classes

    def call(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        labels, logits, counts = self.prepare(y_true, y_pred, sample_weight)
        counts = counts * ops.ones_like(labels, dtype="float32")
        channels = logits.shape[-1]
        groups = ops.shape(labels)[0] if self.per_image else 1
        # (groups, classes, pixels); one class if there is one logit.
        labels = ops.reshape(labels, (groups, 1, -1))
        counts = ops.reshape(counts, (groups, 1, -1))
        if channels == 1:
            is_class = ops.equal(labels, 1)
            logit = ops.reshape(logits, (groups, 1, -1))
            errors = ops.relu(1.0 - ops.where(is_class, logit, -logit))
        else:
            is_class = ops.equal(labels, ops.reshape(ops.arange(channels, dtype="int32"), (1, -1, 1)))
            probabilities = ops.softmax(logits, axis=-1)
            probabilities = ops.transpose(ops.reshape(probabilities, (groups, -1, channels)), (0, 2, 1))
            errors = ops.where(is_class, 1.0 - probabilities, probabilities)
        losses, present = _extension(errors, is_class, counts)
        counted = ops.sum(counts, axis=-1) > 0
        if channels == 1 or self.classes == "all":
            present = ops.logical_or(present, counted)
        present = ops.cast(present, "float32")
        of_group = ops.sum(losses * present, axis=-1) / ops.maximum(ops.sum(present, axis=-1), 1.0)
        counted = ops.cast(ops.squeeze(counted, -1), "float32")
        return ops.sum(of_group * counted) / ops.maximum(ops.sum(counted), 1.0)

    def get_config(self) -> dict[str, Any]:
        return dict(
            per_image=self.per_image,
            classes=self.classes,
            ignore_class=self.ignore_class,
            data_format=self.data_format,
            name=self.name,
        )


def _extension(errors: Any, is_class: Any, counts: Any) -> tuple[Any, Any]:
    """Losses `(groups, classes)`, and whether each class has a pixel.

    The sorted errors are weighted by how much the Jaccard loss grows when each pixel in turn is taken for wrong. That is
    written down for a pixel of the class and for another one, not as a difference of two large Jaccard losses, which
    float32 would leave few digits. Pixels that do not count let nothing grow, wherever they are sorted.
    """
    order = ops.argsort(-ops.stop_gradient(errors), axis=-1)
    errors = ops.take_along_axis(errors, order, axis=-1)
    # Positive: of the class. Negative: of another one.
    signed = ops.take_along_axis(ops.where(is_class, counts, -counts), order, axis=-1)
    on_class, off_class = ops.relu(signed), ops.relu(-signed)
    total = ops.sum(on_class, axis=-1, keepdims=True)
    intersection = ops.relu(total - ops.cumsum(on_class, axis=-1))
    union = total + ops.cumsum(off_class, axis=-1)
    former_union = union - off_class
    grown = intersection * off_class / ops.maximum(union * former_union, _TINY)
    # The first wrong pixel of a class that is absent makes its loss whole.
    first = ops.cast(ops.logical_and(off_class > 0, former_union <= 0), "float32")
    growth = on_class / ops.maximum(union, _TINY) + grown + first
    return ops.sum(errors * ops.stop_gradient(growth), axis=-1), ops.squeeze(total, -1) > 0
