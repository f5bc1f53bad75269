"""What the losses share that compare predicted with true regions as a whole."""

from collections.abc import Sequence
from typing import Any

from keras import ops

from keras_segpaint.losses.base import LabelMapLoss
from keras_segpaint.ops.fusion import fused

EPSILON = 1e-7


class RegionLoss(LabelMapLoss):
    """One minus a coefficient of overlap of each class, averaged over classes.

    A subclass gives the coefficient. A class that does not occur in the batch's labels contributes a loss of zero.
    """

    def __init__(
        self,
        ignore_class: int | None,
        smooth: float,
        classes: Sequence[int] | None,
        log: bool,
        data_format: str | None,
        name: str,
    ):
        if smooth < 0:
            raise ValueError(f"`smooth` must be a float >= 0. Received: smooth={smooth}")
        super().__init__(ignore_class, data_format, name)
        self.smooth = smooth
        self.classes = None if classes is None else [int(index) for index in classes]
        self.log = log

    def call(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        labels, logits, counts = self.prepare(y_true, y_pred, sample_weight)
        channels = logits.shape[-1]
        if self.classes is not None and not all(0 <= index < channels for index in self.classes):
            raise ValueError(
                f"`classes` must be indices of the {channels} classes of the logits. Received: {self.classes}"
            )
        intersection, predicted, pixels = region_sums(labels, logits, counts)
        part, whole = self.overlap(intersection, predicted, pixels)
        coefficient = (part + self.smooth) / ops.maximum(whole + self.smooth, EPSILON)
        loss = -ops.log(ops.maximum(coefficient, EPSILON)) if self.log else 1.0 - coefficient
        loss = ops.where(pixels > 0, loss, 0.0)
        if self.classes is not None:
            loss = ops.take(loss, ops.convert_to_tensor(self.classes, "int32"), axis=0)
        return ops.mean(loss)

    def overlap(self, intersection: Any, predicted: Any, pixels: Any) -> tuple[Any, Any]:
        """Numerator and denominator of the coefficient, from what `region_sums` gives."""
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        return dict(
            ignore_class=self.ignore_class,
            smooth=self.smooth,
            classes=self.classes,
            log=self.log,
            data_format=self.data_format,
            name=self.name,
        )


def region_sums(labels: Any, logits: Any, counts: Any) -> tuple[Any, Any, Any]:
    """Sums over the batch, for each class, or for class 1 alone where there is one logit.

    Args:
        labels: int32 `(batch, height, width)`.
        logits: float32 `(batch, height, width, channels)`.
        counts: float32 `(batch, height, width)`, how much each pixel counts.

    Returns:
        `(channels,)` each: probability of the class on its own pixels, its probability everywhere, its pixels.
    """
    sums = fused(_probability_sums, _probability_gradient, (logits, labels, counts))
    if logits.shape[-1] == 1:
        pixels = ops.reshape(ops.sum(ops.where(ops.equal(labels, 1), counts, 0.0)), (1,))
    else:
        pixels = ops.sum(ops.where(_is_class(labels, logits), ops.expand_dims(counts, -1), 0.0), axis=(0, 1, 2))
    return sums[0], sums[1], pixels


def _is_class(labels: Any, logits: Any) -> Any:
    channels = logits.shape[-1]
    classes = ops.arange(channels, dtype="int32") if channels > 1 else ops.ones((1,), dtype="int32")
    return ops.equal(ops.expand_dims(labels, -1), classes)


def _probabilities(logits: Any) -> Any:
    return ops.softmax(logits, axis=-1) if logits.shape[-1] > 1 else ops.sigmoid(logits)


def _probability_sums(logits: Any, labels: Any, counts: Any) -> Any:
    """The first two of `region_sums`, `(2, channels)`."""
    probabilities = _probabilities(logits) * ops.expand_dims(counts, -1)
    on_class = ops.where(_is_class(labels, logits), probabilities, 0.0)
    return ops.stack([ops.sum(on_class, axis=(0, 1, 2)), ops.sum(probabilities, axis=(0, 1, 2))])


def _probability_gradient(inputs: Any, outputs: Any, upstream: Any) -> Any:
    logits, labels, counts = inputs
    probabilities = _probabilities(logits)
    own = ops.where(_is_class(labels, logits), upstream[0] + upstream[1], upstream[1]) * ops.expand_dims(counts, -1)
    if logits.shape[-1] == 1:
        return own * probabilities * (1.0 - probabilities)
    return probabilities * (own - ops.sum(own * probabilities, axis=-1, keepdims=True))
