"""CBAM's spatial attention."""

from typing import Any

import keras
from keras import layers, ops

from keras_segpaint.layers.factory import LayerFactory
from keras_segpaint.ops.attention_map import AttentionMap, spatial_gates
from keras_segpaint.ops.spatial import channel_axis, standardize_data_format


@keras.saving.register_keras_serializable(package="keras_segpaint")
class SpatialGate(layers.Layer):
    """Multiplies each position by a gate that is computed from the maximum and the mean of its channels nearby.

    The gates are the sigmoid of a normalised convolution of two maps, the maximum and the mean over the channels. The
    spatial part of `ConvBlockAttention`. They are computed in float32.

    Args:
        kernel_size: Odd integer >= 1, of the convolution. Defaults to `7`.
        momentum: Float in [0, 1), of the moving statistics of its normalisation. Defaults to `0.99`, the authors'.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        **kwargs: Base layer arguments.

    Input shape:
        `(batch, height, width, channels)`.

    Output shape:
        Same as the input.

    Raises:
        ValueError: If `kernel_size` is not an odd integer >= 1.

    References:
        - [CBAM: Convolutional Block Attention Module](https://arxiv.org/abs/1807.06521), section 3.2.

    Example:
        >>> tuple(SpatialGate(data_format="channels_last")(keras.ops.ones((1, 5, 7, 16))).shape)
        (1, 5, 7, 16)
    """

    def __init__(self, kernel_size: int = 7, momentum: float = 0.99, data_format: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        if not isinstance(kernel_size, int) or kernel_size < 1 or kernel_size % 2 == 0:
            raise ValueError(f"`kernel_size` must be an odd integer >= 1. Received: kernel_size={kernel_size!r}")
        self.kernel_size = kernel_size
        self.momentum = momentum
        self.data_format = standardize_data_format(data_format)
        # Of so few channels float32 costs nothing, and PyTorch's CPU cannot train such a convolution in float16.
        build = LayerFactory(self.data_format, "float32", momentum=momentum, epsilon=1e-5)
        self.conv = build.conv(1, kernel_size, use_bias=False, name="conv")
        self.norm = build.batch_norm(name="norm")

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        shape = list(input_shape)
        shape[channel_axis(self.data_format)] = 2
        self.conv.build(tuple(shape))
        shape[channel_axis(self.data_format)] = 1
        self.norm.build(tuple(shape))

    def gate(self, inputs: Any, training: bool | None = None) -> Any:
        """What each position is multiplied by, in [0, 1]: a map of one channel."""
        axis = channel_axis(self.data_format)
        x = ops.cast(inputs, "float32")
        pooled = [reduce(x, axis=axis, keepdims=True) for reduce in (ops.max, ops.mean)]
        x = self.norm(self.conv(ops.concatenate(pooled, axis=axis)), training=training)
        return ops.cast(ops.sigmoid(x), self.compute_dtype)

    def attention_map(self, inputs: Any, position: tuple[int, int] | None = None) -> AttentionMap:
        """By how much each position is multiplied."""
        return spatial_gates(self.gate(inputs), self.data_format, "spatial gate")

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        return inputs * self.gate(inputs, training=training)

    def compute_output_spec(self, inputs: Any, training: bool | None = None) -> keras.KerasTensor:
        return keras.KerasTensor(inputs.shape, dtype=self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.update(kernel_size=self.kernel_size, momentum=self.momentum, data_format=self.data_format)
        return config
