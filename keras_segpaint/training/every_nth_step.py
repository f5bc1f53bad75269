"""An optimizer that lets most of its steps pass."""

from typing import Any

import keras
from keras import ops

__all__ = ["EveryNthStep"]


@keras.saving.register_keras_serializable(package="keras_segpaint")
class EveryNthStep(keras.optimizers.Optimizer):
    """Applies every n-th gradient with another optimizer; the others leave no trace in weights or optimizer.

    After n steps the weights, the other optimizer's slots and its count of iterations (so its learning-rate schedule) are
    those of a single step with the n-th gradient. Gradient accumulation differs: it takes the mean of all n, and its
    schedule counts them.

    The other optimizer works at each step, and what it changed is put back where the step does not count: a choice of
    values, which compiles on every backend. It costs a copy of its variables.

    Args:
        inner_optimizer: The other optimizer. A `loss_scale_factor` of its own is not used.
        steps: Integer >= 1, n.
        name: String, or `None` for one of Keras's choice.

    Example:
        >>> weight = keras.Variable([1.0])
        >>> optimizer = EveryNthStep(keras.optimizers.SGD(1.0), steps=2)
        >>> for gradient in (0.5, 0.25):
        ...     optimizer.apply([ops.array([gradient])], [weight])
        ...     print(weight.numpy().tolist(), int(optimizer.iterations))
        [1.0] 0
        [0.75] 1
    """

    def __init__(self, inner_optimizer: keras.optimizers.Optimizer, steps: int, name: str | None = None):
        super().__init__(learning_rate=0.0, name=name)
        self.inner_optimizer = inner_optimizer
        self.steps = steps

    def build(self, variables: Any) -> None:
        if self.built:
            return
        # Who scales the loss scales the gradients back, outside.
        self.inner_optimizer.loss_scale_factor = None
        self.inner_optimizer.build(variables)
        super().build(variables)

    @property
    def variables(self) -> list[Any]:
        """The count of all steps, and the other optimizer's variables."""
        return [*super().variables, *self.inner_optimizer.variables]

    @property
    def iterations(self) -> Any:
        """How many steps counted."""
        return self.inner_optimizer.iterations

    @property
    def learning_rate(self) -> Any:
        """The other optimizer's."""
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, value: Any) -> None:
        self.inner_optimizer.learning_rate = value

    def apply(self, grads: Any, trainable_variables: Any = None) -> None:
        """Counts a step, and takes it if it is an n-th one."""
        if trainable_variables is None:
            trainable_variables = self._trainable_variables
        self.build(trainable_variables)
        changing = [*trainable_variables, *self.inner_optimizer.variables]
        before = [ops.copy(variable) for variable in changing]
        self.inner_optimizer.apply(grads, trainable_variables)
        counts = ops.equal((self._iterations + 1) % self.steps, 0)
        for variable, value in zip(changing, before, strict=True):
            variable.assign(ops.where(counts, ops.convert_to_tensor(variable), value))
        self._iterations.assign_add(1)

    def finalize_variable_values(self, var_list: Any) -> None:
        self.inner_optimizer.finalize_variable_values(var_list)

    def set_weights(self, weights: Any) -> None:
        own = len(super().variables)
        super().set_weights(weights[:own])
        self.inner_optimizer.set_weights(weights[own:])

    def get_config(self) -> dict[str, Any]:
        return {
            "inner_optimizer": keras.saving.serialize_keras_object(self.inner_optimizer),
            "steps": self.steps,
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> "EveryNthStep":
        """Builds the optimizer from what `get_config` gave."""
        inner = keras.saving.deserialize_keras_object(config["inner_optimizer"], custom_objects=custom_objects)
        return cls(**{**config, "inner_optimizer": inner})
