"""A sum of maps whose weights differ from position to position."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers, ops

from keras_segpaint.ops.spatial import channel_axis, standardize_data_format


@keras.saving.register_keras_serializable(package="keras_segpaint")
class WeightedSum(layers.Layer):
    """Sums feature maps of one size, each multiplied position by position by a weight.

    Args:
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        **kwargs: Base layer arguments.

    Call arguments:
        inputs: A list of feature maps `(batch, height, width, channels)`.
        weights: `(batch, height, width, number of maps)`, such as those of `ScaleAttention`.

    Output shape:
        `(batch, height, width, channels)`.

    Raises:
        ValueError: If there are not as many weights as maps.

    Example:
        >>> from keras import ops
        >>> maps = [ops.full((1, 1, 1, 2), 1.0), ops.full((1, 1, 1, 2), 3.0)]
        >>> weights = ops.reshape(ops.convert_to_tensor([0.5, 2.0]), (1, 1, 1, 2))
        >>> total = WeightedSum(data_format="channels_last")(maps, weights)
        >>> ops.convert_to_numpy(total)[0, 0, 0].tolist()
        [6.5, 6.5]
    """

    def __init__(self, data_format: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.data_format = standardize_data_format(data_format)

    def call(self, inputs: Sequence[Any], weights: Any) -> Any:
        axis = channel_axis(self.data_format)
        if len(inputs) != weights.shape[axis]:
            raise ValueError(
                f"WeightedSum takes one weight for each map. Received: {len(inputs)} maps, "
                f"weights of shape {tuple(weights.shape)}"
            )
        total = None
        for x, weight in zip(inputs, ops.split(weights, len(inputs), axis=axis), strict=True):
            total = x * weight if total is None else total + x * weight
        return total

    def compute_output_spec(self, inputs: Sequence[Any], weights: Any) -> keras.KerasTensor:
        return keras.KerasTensor(inputs[0].shape, dtype=self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.update(data_format=self.data_format)
        return config
