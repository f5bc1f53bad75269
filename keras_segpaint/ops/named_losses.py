"""A loss as `compile` takes it, as an object that takes weights."""

from collections.abc import Callable
from typing import Any

import keras


class FunctionLoss(keras.losses.Loss):
    """A function of truth and prediction, whose values are weighted and averaged as those of Keras's losses are."""

    def __init__(self, function: Callable[[Any, Any], Any]):
        super().__init__(name=getattr(function, "__name__", None))
        self.function = function

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return self.function(y_true, y_pred)


def as_loss(identifier: Any) -> keras.losses.Loss:
    """The loss that a name, a function or an object stands for.

    Args:
        identifier: What `compile` takes as the loss of one output.

    Returns:
        A `keras.losses.Loss`, called with truth, prediction and weights.

    Raises:
        ValueError: If Keras knows no such loss.

    Example:
        >>> float(as_loss("mae")([[0.0, 0.0]], [[1.0, 3.0]]))
        2.0
    """
    loss = keras.losses.get(identifier)
    return loss if isinstance(loss, keras.losses.Loss) else FunctionLoss(loss)
