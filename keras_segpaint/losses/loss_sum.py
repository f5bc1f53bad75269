"""Several losses of label maps as one."""

import math
from collections.abc import Sequence

import keras

from keras_segpaint.losses.base import LabelMapLoss
from keras_segpaint.losses.weighted_terms import WeightedTerms


@keras.saving.register_keras_serializable(package="keras_segpaint")
class LossSum(WeightedTerms, LabelMapLoss):
    """The weighted sum of losses of label maps; what `+` and `*` of losses give.

    Sums among the terms are opened, so that `2 * (a + b) + c` has the three terms `a`, `b` and `c`. The terms have their own
    ignored class and data format. It is saved with the model, as any loss.

    Args:
        terms: At least one loss of this package that takes label maps.
        weights: One finite number for each; `None` for 1 each. Defaults to `None`.
        name: String. Defaults to `"loss_sum"`.

    Call arguments:
        y_true: Integers `(batch, height, width)` or `(batch, height, width, 1)`.
        y_pred: Logits `(batch, height, width, num_classes)`, or one channel for two classes.
        sample_weight: Optional weights `(batch, height, width)` or `(batch,)`, handed to each term.

    Raises:
        ValueError: If there is no term, a term is no loss of label maps, or the weights do not fit.

    Example:
        >>> from keras_segpaint.losses import Dice, SparseCrossentropy
        >>> loss = 0.5 * Dice() + SparseCrossentropy()
        >>> loss.weights
        [0.5, 1.0]
        >>> [term.name for term in loss.terms]
        ['dice', 'sparse_crossentropy']
    """

    def __init__(self, terms: Sequence[LabelMapLoss], weights: Sequence[float] | None = None, name: str = "loss_sum"):
        super().__init__(None, None, name)
        given = [1.0] * len(terms) if weights is None else [float(weight) for weight in weights]
        if not terms or len(given) != len(terms) or not all(map(math.isfinite, given)):
            raise ValueError(
                "`terms` must hold at least one loss, and `weights` one finite number for each. "
                f"Received: {len(terms)} terms, weights={weights}"
            )
        self.terms: list[LabelMapLoss] = []
        self.weights: list[float] = []
        for term, weight in zip(terms, given, strict=True):
            if not isinstance(term, LabelMapLoss):
                raise ValueError(f"`terms` must be losses of label maps of keras_segpaint.losses. Received: {term!r}")
            inner = (term.terms, term.weights) if isinstance(term, LossSum) else ([term], [1.0])
            self.terms.extend(inner[0])
            self.weights.extend(weight * other for other in inner[1])
