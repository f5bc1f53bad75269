"""Normalisation of each channel of each image."""

from typing import Any

import keras
from keras import layers, ops

from keras_segpaint.ops.spatial import channel_axis, standardize_data_format
from keras_segpaint.ops.standardization import standardize


@keras.saving.register_keras_serializable(package="keras_segpaint")
class InstanceNormalization(layers.Layer):
    """Brings each channel of each image to mean 0 and variance 1, without weights, computed in float32.

    What does not vary becomes 0: so does a map of one pixel.

    Args:
        epsilon: Float, added to the variance. Defaults to `1e-5`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        **kwargs: Base layer arguments.

    Input shape:
        `(batch, height, width, channels)`.

    Output shape:
        Same as the input.

    References:
        - [Instance Normalization](https://arxiv.org/abs/1607.08022), there with a scale and an offset.

    Example:
        >>> y = InstanceNormalization(data_format="channels_last")(keras.random.normal((2, 8, 8, 3), mean=5.0))
        >>> bool(abs(keras.ops.mean(y)) < 1e-4)
        True
    """

    def __init__(self, epsilon: float = 1e-5, data_format: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.epsilon = epsilon
        self.data_format = standardize_data_format(data_format)

    def call(self, inputs: Any) -> Any:
        channels = inputs.shape[channel_axis(self.data_format)]
        return ops.cast(standardize(inputs, channels, self.epsilon, self.data_format), self.compute_dtype)

    def compute_output_spec(self, inputs: Any) -> keras.KerasTensor:
        return keras.KerasTensor(inputs.shape, dtype=self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.update(epsilon=self.epsilon, data_format=self.data_format)
        return config
