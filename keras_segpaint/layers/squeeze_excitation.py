"""Squeeze-and-excitation channel attention."""

from typing import Any

import keras
from keras import layers, ops

from keras_segpaint.layers.channel_scaling import ChannelScaling
from keras_segpaint.ops.global_pooling import global_average, over_positions
from keras_segpaint.ops.spatial import channel_axis


@keras.saving.register_keras_serializable(package="keras_segpaint")
class SqueezeExcitation(ChannelScaling):
    """Multiplies each channel by a gate that is computed from the means of all channels.

    The gates are made by a layer of `channels // ratio` rectified units and one of a sigmoid for each channel. Means
    are taken in float32.

    Args:
        ratio: Integer >= 1; the first layer has `max(channels // ratio, 1)` units. Defaults to `16`.
        use_bias: Whether both layers have a bias; many implementations have none. Defaults to `True`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        **kwargs: Base layer arguments.

    Input shape:
        `(batch, height, width, channels)`.

    Output shape:
        Same as the input.

    8,464 parameters at 256 channels, 8,192 without biases.

    Raises:
        ValueError: If `ratio` is not an integer >= 1.

    References:
        - [Squeeze-and-Excitation Networks](https://arxiv.org/abs/1709.01507), section 3.

    Example:
        >>> tuple(SqueezeExcitation(ratio=8, data_format="channels_last")(keras.ops.ones((1, 5, 7, 16))).shape)
        (1, 5, 7, 16)
    """

    def __init__(self, ratio: int = 16, use_bias: bool = True, data_format: str | None = None, **kwargs: Any):
        super().__init__(data_format, **kwargs)
        if not isinstance(ratio, int) or ratio < 1:
            raise ValueError(f"`ratio` must be an integer >= 1. Received: ratio={ratio!r}")
        self.ratio = ratio
        self.use_bias = use_bias

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        channels = input_shape[channel_axis(self.data_format)] or 1
        inner = max(channels // self.ratio, 1)
        settings: dict[str, Any] = dict(use_bias=self.use_bias, dtype=self.dtype_policy)
        self.squeeze = layers.Dense(
            inner, activation="relu", kernel_initializer="he_normal", name="squeeze", **settings
        )
        self.excite = layers.Dense(channels, activation="sigmoid", name="excite", **settings)
        self.squeeze.build((None, channels))
        self.excite.build((None, inner))

    def gate(self, inputs: Any) -> Any:
        """What each channel is multiplied by, in [0, 1]: a map of one position."""
        x = ops.cast(global_average(inputs, self.data_format), self.compute_dtype)
        return over_positions(self.excite(self.squeeze(x)), self.data_format)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.update(ratio=self.ratio, use_bias=self.use_bias)
        return config
