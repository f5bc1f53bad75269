"""Attention over scales."""

from typing import Any

import keras
from keras import layers, ops

from keras_segpaint.layers.factory import LayerFactory
from keras_segpaint.ops.attention_map import AttentionMap
from keras_segpaint.ops.labels import channels_last
from keras_segpaint.ops.spatial import channel_axis, standardize_data_format


@keras.saving.register_keras_serializable(package="keras_segpaint")
class ScaleAttention(layers.Layer):
    """Says for each position how much each of several scales counts there.

    A 3x3 convolution with rectifier and dropout and a 1x1 convolution on the features of all scales, and a softmax over
    the scales, in float32.

    Args:
        scales: Integer >= 2, how many.
        filters: Integer >= 1, channels of the first convolution. Defaults to `512`.
        dropout: Float in [0, 1), rate between the convolutions. Defaults to `0.5`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        **kwargs: Base layer arguments.

    Input shape:
        `(batch, height, width, channels)`, the features of all scales at one size, concatenated.

    Output shape:
        `(batch, height, width, scales)`, in [0, 1], 1 in total.

    Raises:
        ValueError: If `scales` or `filters` is too small.

    References:
        - [Attention to Scale: Scale-aware Semantic Image Segmentation](https://arxiv.org/abs/1511.03339), section 3.2.

    Example:
        >>> weights = ScaleAttention(3, filters=8, data_format="channels_last")(keras.ops.zeros((1, 5, 7, 4)))
        >>> tuple(weights.shape)
        (1, 5, 7, 3)
    """

    def __init__(
        self,
        scales: int,
        filters: int = 512,
        dropout: float = 0.5,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        for name, value, least in (("scales", scales, 2), ("filters", filters, 1)):
            if not isinstance(value, int) or value < least:
                raise ValueError(f"`{name}` must be an integer >= {least}. Received: {name}={value!r}")
        self.scales = scales
        self.filters = filters
        self.dropout = dropout
        self.data_format = standardize_data_format(data_format)
        build = LayerFactory(self.data_format, self.dtype_policy)
        self.conv = build.conv(filters, 3, activation="relu", name="conv")
        self.drop = layers.Dropout(dropout, dtype=self.dtype_policy, name="dropout")
        self.score = build.conv(scales, 1, name="score")

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.conv.build(input_shape)
        inner = list(input_shape)
        inner[channel_axis(self.data_format)] = self.filters
        self.score.build(tuple(inner))

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        x = self.score(self.drop(self.conv(inputs), training=training))
        weights = ops.softmax(ops.cast(x, "float32"), axis=channel_axis(self.data_format))
        return ops.cast(weights, self.compute_dtype)

    def attention_map(self, inputs: Any, position: tuple[int, int] | None = None) -> AttentionMap:
        """How much each scale counts at each position, for display: `(batch, height, width, scales)`.

        Args:
            inputs: As in the call.
            position: Without effect; all positions are given.
        """
        weights = channels_last(self.call(inputs, training=False), self.data_format)
        return AttentionMap("gates", weights, tuple(f"scale {number}" for number in range(1, self.scales + 1)))

    def compute_output_spec(self, inputs: Any, training: bool | None = None) -> keras.KerasTensor:
        shape = list(inputs.shape)
        shape[channel_axis(self.data_format)] = self.scales
        return keras.KerasTensor(tuple(shape), dtype=self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.update(
            scales=self.scales,
            filters=self.filters,
            dropout=self.dropout,
            data_format=self.data_format,
        )
        return config
