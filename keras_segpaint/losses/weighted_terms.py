"""What losses share that are the weighted sum of others."""

from typing import Any, Self

import keras
from keras import ops


class WeightedTerms:
    """Goes before the base of such a loss, which sets `terms` and `weights`, as many of one as of the other."""

    terms: list[Any]
    weights: list[float]
    name: str

    def call(self, y_true: Any, y_pred: Any, each: Any = None) -> Any:
        """The sum; `each` is what a term takes as its third argument, sample weights or a mask."""
        pairs = zip(self.weights, self.terms, strict=True)
        return sum((weight * term(y_true, y_pred, each) for weight, term in pairs), start=ops.zeros(()))

    def get_config(self) -> dict[str, Any]:
        terms = [keras.saving.serialize_keras_object(term) for term in self.terms]
        return {"terms": terms, "weights": self.weights, "name": self.name}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Self:
        """Builds the loss from what `get_config` gave."""
        terms = [keras.saving.deserialize_keras_object(term) for term in config["terms"]]
        return cls(**{**config, "terms": terms})
