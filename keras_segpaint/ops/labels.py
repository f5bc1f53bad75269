"""Class labels and logits of label maps, brought to one form."""

from typing import Any

from keras import ops


def sparse_labels(y_true: Any, logits_shape: tuple[Any, ...]) -> Any:
    """Labels `(batch, height, width)` or `(batch, height, width, 1)` as `int32` without the last axis.

    Raises:
        ValueError: If the labels have another rank or, where both are known, another size than the logits
            (channels last).
    """
    labels = ops.convert_to_tensor(y_true)
    if len(labels.shape) == len(logits_shape) and labels.shape[-1] == 1:
        labels = ops.squeeze(labels, -1)
    if len(labels.shape) != len(logits_shape) - 1:
        raise ValueError(
            "Labels must be integers of shape (batch, height, width) or (batch, height, width, 1), not one-hot. "
            f"Received: y_true.shape={tuple(y_true.shape)} for logits of shape {tuple(logits_shape)} (channels last)"
        )
    for have, want in zip(labels.shape[1:], logits_shape[1:-1], strict=True):
        if have is not None and want is not None and have != want:
            raise ValueError(
                "Labels and logits must have the same height and width: resize the labels (nearest) or the logits. "
                f"Received: y_true.shape={tuple(y_true.shape)}, logits of shape {tuple(logits_shape)} (channels last)"
            )
    return ops.cast(labels, "int32")


def channels_last(x: Any, data_format: str) -> Any:
    """A 4-D map with its channels at the end."""
    return x if data_format == "channels_last" else ops.transpose(x, (0, 2, 3, 1))
