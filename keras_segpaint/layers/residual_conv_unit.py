"""RefineNet's residual convolution unit."""

from typing import Any

import keras
from keras import layers

from keras_segpaint.layers.factory import LayerFactory
from keras_segpaint.ops.spatial import channel_axis, standardize_data_format


@keras.saving.register_keras_serializable(package="keras_segpaint")
class ResidualConvUnit(layers.Layer):
    """Adds to a feature map what two rectified 3x3 convolutions make of it.

    The block of a residual network without its normalisation: rectifier, convolution with bias, rectifier, convolution
    without bias, and the sum with the input as it was.

    Args:
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        **kwargs: Base layer arguments.

    Input shape:
        `(batch, height, width, channels)`.

    Output shape:
        Same as the input.

    References:
        - [RefineNet: Multi-Path Refinement Networks](https://arxiv.org/abs/1611.06612), section 3.2.

    Example:
        >>> tuple(ResidualConvUnit(data_format="channels_last")(keras.ops.zeros((1, 5, 7, 4))).shape)
        (1, 5, 7, 4)
    """

    def __init__(self, data_format: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.data_format = standardize_data_format(data_format)
        self.relu = layers.ReLU(dtype=self.dtype_policy, name="relu")

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        channels = input_shape[channel_axis(self.data_format)] or 1
        build = LayerFactory(self.data_format, self.dtype_policy)
        self.conv1 = build.unnormalized_conv(channels, 3, name="conv1")
        self.conv2 = build.unnormalized_conv(channels, 3, use_bias=False, name="conv2")
        self.conv1.build(input_shape)
        self.conv2.build(input_shape)

    def call(self, inputs: Any) -> Any:
        return inputs + self.conv2(self.relu(self.conv1(self.relu(inputs))))

    def compute_output_spec(self, inputs: Any) -> keras.KerasTensor:
        return keras.KerasTensor(inputs.shape, dtype=self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.update(data_format=self.data_format)
        return config
