"""Cross-entropy of each pixel, of one logit or of several."""

from collections.abc import Sequence
from typing import Any

from keras import ops

from keras_segpaint.ops.fusion import fused


def pixel_crossentropy(logits: Any, labels: Any) -> Any:
    """Minus the logarithm of the probability that each pixel's own class is given.

    Args:
        logits: float32 `(batch, height, width, num_classes)`; with one channel the logit of class 1 against class 0.
        labels: int32 `(batch, height, width)`.

    Returns:
        float32 `(batch, height, width)`.
    """
    if logits.shape[-1] == 1:
        logit = ops.squeeze(logits, -1)
        return ops.softplus(ops.where(ops.equal(labels, 1), -logit, logit))
    return fused(_softmax_crossentropy, _logits_gradient, (logits, labels))


def standardize_class_weights(class_weights: Sequence[float] | None) -> list[float] | None:
    """`class_weights` as a configuration holds them."""
    return None if class_weights is None else [float(weight) for weight in class_weights]


def class_weights_of(labels: Any, class_weights: Sequence[float] | None, channels: int) -> Any:
    """Each pixel's weight by its class, float32 like the labels; 1.0 without weights.

    Raises:
        ValueError: If there are not as many weights as classes, of which one logit has two.
    """
    if class_weights is None:
        return 1.0
    num_classes = max(channels, 2)
    if len(class_weights) != num_classes:
        raise ValueError(
            f"`class_weights` must have one weight for each of the {num_classes} classes of the logits. "
            f"Received: {len(class_weights)} weights"
        )
    return ops.take(ops.convert_to_tensor(class_weights, "float32"), labels, axis=0)


def mean_of(values: Any, counts: Any) -> Any:
    """The mean weighted by `counts`; 0, with gradients of 0, if nothing counts."""
    total = ops.sum(counts)
    return ops.sum(values * counts) / ops.where(ops.equal(total, 0.0), 1.0, total)


def _softmax_crossentropy(logits: Any, labels: Any) -> Any:
    # Keras hands this to the backend's own kernel, which keeps no one-hot labels.
    return ops.sparse_categorical_crossentropy(labels, logits, from_logits=True)


def _logits_gradient(inputs: Any, outputs: Any, upstream: Any) -> Any:
    logits, labels = inputs
    truth = ops.one_hot(labels, logits.shape[-1], dtype="float32")
    return (ops.softmax(logits, axis=-1) - truth) * ops.expand_dims(upstream, -1)
