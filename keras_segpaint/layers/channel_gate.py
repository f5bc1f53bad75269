"""CBAM's channel attention."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers, ops

from keras_segpaint.layers.channel_scaling import ChannelScaling
from keras_segpaint.ops.global_pooling import global_average, global_maximum, over_positions
from keras_segpaint.ops.spatial import channel_axis

POOLINGS = {"average": global_average, "maximum": global_maximum}


@keras.saving.register_keras_serializable(package="keras_segpaint")
class ChannelGate(ChannelScaling):
    """Multiplies each channel by a gate that is computed from the means and the maxima of all channels.

    One perceptron with biases, of `channels // ratio` rectified units, sees the means and sees the maxima; the gates are
    the sigmoid of the sum of both answers. The channel part of `ConvBlockAttention`.

    Args:
        ratio: Integer >= 1; the perceptron has `max(channels // ratio, 1)` hidden units. Defaults to `16`.
        poolings: What the perceptron sees, of `"average"` and `"maximum"`. Defaults to both.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        **kwargs: Base layer arguments.

    Input shape:
        `(batch, height, width, channels)`.

    Output shape:
        Same as the input.

    Raises:
        ValueError: If `ratio` is not an integer >= 1 or `poolings` names none or another pooling.

    References:
        - [CBAM: Convolutional Block Attention Module](https://arxiv.org/abs/1807.06521), section 3.1.

    Example:
        >>> tuple(ChannelGate(ratio=8, data_format="channels_last")(keras.ops.ones((1, 5, 7, 16))).shape)
        (1, 5, 7, 16)
    """

    def __init__(
        self,
        ratio: int = 16,
        poolings: Sequence[str] = ("average", "maximum"),
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(data_format, **kwargs)
        if not isinstance(ratio, int) or ratio < 1:
            raise ValueError(f"`ratio` must be an integer >= 1. Received: ratio={ratio!r}")
        self.ratio = ratio
        self.poolings = tuple(poolings)
        if not self.poolings or not set(self.poolings) <= set(POOLINGS):
            raise ValueError(f"`poolings` must be some of {tuple(POOLINGS)}. Received: poolings={poolings!r}")

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        channels = input_shape[channel_axis(self.data_format)] or 1
        inner = max(channels // self.ratio, 1)
        self.hidden = layers.Dense(
            inner, activation="relu", kernel_initializer="he_normal", dtype=self.dtype_policy, name="hidden"
        )
        self.score = layers.Dense(channels, dtype=self.dtype_policy, name="score")
        self.hidden.build((None, channels))
        self.score.build((None, inner))

    def gate(self, inputs: Any) -> Any:
        """What each channel is multiplied by, in [0, 1]: a map of one position."""
        total = None
        for pooling in self.poolings:
            pooled = ops.cast(POOLINGS[pooling](inputs, self.data_format), self.compute_dtype)
            score = self.score(self.hidden(pooled))
            total = score if total is None else total + score
        return over_positions(ops.sigmoid(total), self.data_format)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.update(ratio=self.ratio, poolings=self.poolings)
        return config
