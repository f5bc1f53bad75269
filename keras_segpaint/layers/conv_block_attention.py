"""CBAM, the convolutional block attention module."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers

from keras_segpaint.layers.channel_gate import ChannelGate
from keras_segpaint.layers.spatial_gate import SpatialGate
from keras_segpaint.ops.attention_map import AttentionMap
from keras_segpaint.ops.spatial import standardize_data_format


@keras.saving.register_keras_serializable(package="keras_segpaint")
class ConvBlockAttention(layers.Layer):
    """CBAM: gates for the channels, then gates for the positions.

    `ChannelGate` and `SpatialGate`, its parts, are layers of their own.

    Args:
        ratio: Integer >= 1, by how much the channel gate's hidden layer is narrower. Defaults to `16`.
        poolings: What the channel gate sees, of `"average"` and `"maximum"`. Defaults to both.
        spatial: Whether there is a spatial gate. Defaults to `True`.
        kernel_size: Odd integer >= 1, of the spatial gate's convolution. Defaults to `7`.
        momentum: Float in [0, 1), of the moving statistics of the spatial gate's normalisation. Defaults to `0.99`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        **kwargs: Base layer arguments.

    Input shape:
        `(batch, height, width, channels)`.

    Output shape:
        Same as the input.

    8,564 parameters at 256 channels.

    Raises:
        ValueError: If an argument is not one of the above.

    References:
        - [CBAM: Convolutional Block Attention Module](https://arxiv.org/abs/1807.06521)

    Example:
        >>> tuple(ConvBlockAttention(ratio=8, data_format="channels_last")(keras.ops.ones((1, 5, 7, 16))).shape)
        (1, 5, 7, 16)
    """

    def __init__(
        self,
        ratio: int = 16,
        poolings: Sequence[str] = ("average", "maximum"),
        spatial: bool = True,
        kernel_size: int = 7,
        momentum: float = 0.99,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.ratio = ratio
        self.poolings = tuple(poolings)
        self.spatial = spatial
        self.kernel_size = kernel_size
        self.momentum = momentum
        self.data_format = standardize_data_format(data_format)
        settings: dict[str, Any] = dict(data_format=self.data_format, dtype=self.dtype_policy)
        self.channel_gate = ChannelGate(ratio, self.poolings, name="channel_gate", **settings)
        self.spatial_gate = SpatialGate(kernel_size, momentum, name="spatial_gate", **settings) if spatial else None

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.channel_gate.build(input_shape)
        if self.spatial_gate is not None:
            self.spatial_gate.build(input_shape)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        x = self.channel_gate(inputs)
        return x if self.spatial_gate is None else self.spatial_gate(x, training=training)

    def attention_map(self, inputs: Any, position: tuple[int, int] | None = None) -> AttentionMap:
        """By how much each position is multiplied, or without the spatial gate each channel."""
        if self.spatial_gate is None:
            return self.channel_gate.attention_map(inputs)
        return self.spatial_gate.attention_map(self.channel_gate(inputs))

    def compute_output_spec(self, inputs: Any, training: bool | None = None) -> keras.KerasTensor:
        return keras.KerasTensor(inputs.shape, dtype=self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.update(
            ratio=self.ratio,
            poolings=self.poolings,
            spatial=self.spatial,
            kernel_size=self.kernel_size,
            momentum=self.momentum,
            data_format=self.data_format,
        )
        return config
