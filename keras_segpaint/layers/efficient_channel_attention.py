"""ECA-Net's channel attention."""

import math
from typing import Any

import keras
from keras import layers, ops

from keras_segpaint.layers.channel_scaling import ChannelScaling
from keras_segpaint.ops.global_pooling import global_average, over_positions
from keras_segpaint.ops.spatial import channel_axis


@keras.saving.register_keras_serializable(package="keras_segpaint")
class EfficientChannelAttention(ChannelScaling):
    """Multiplies each channel by a gate that is computed from the means of it and its neighbours among the channels.

    The gates are the sigmoid of one convolution along the channels, without bias. Means are taken in float32.

    Args:
        kernel_size: Odd integer >= 1, how many channels a gate sees; `None` for the paper's rule, the odd integer at or
            above the integer part of `(log2(channels) + 1) / 2`. Defaults to `None`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        **kwargs: Base layer arguments.

    Input shape:
        `(batch, height, width, channels)`.

    Output shape:
        Same as the input.

    As many parameters as `kernel_size`: 3 at 64 channels, 5 at 128, 256 and 512.

    Raises:
        ValueError: If `kernel_size` is neither `None` nor an odd integer >= 1.

    References:
        - [ECA-Net: Efficient Channel Attention for Deep Convolutional Neural Networks](
          https://arxiv.org/abs/1910.03151), section 3.2.

    Example:
        >>> tuple(EfficientChannelAttention(data_format="channels_last")(keras.ops.ones((1, 5, 7, 16))).shape)
        (1, 5, 7, 16)
    """

    def __init__(self, kernel_size: int | None = None, data_format: str | None = None, **kwargs: Any):
        super().__init__(data_format, **kwargs)
        if kernel_size is not None and (not isinstance(kernel_size, int) or kernel_size < 1 or kernel_size % 2 == 0):
            raise ValueError(
                f"`kernel_size` must be an odd integer >= 1 or None. Received: kernel_size={kernel_size!r}"
            )
        self.kernel_size = kernel_size

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        channels = input_shape[channel_axis(self.data_format)] or 1
        self.conv = layers.Conv1D(
            1,
            self.kernel_size or _kernel_size_for(channels),
            padding="same",
            use_bias=False,
            data_format="channels_last",
            dtype=self.dtype_policy,
            name="conv",
        )
        self.conv.build((None, channels, 1))

    def gate(self, inputs: Any) -> Any:
        """What each channel is multiplied by, in [0, 1]: a map of one position."""
        x = ops.cast(global_average(inputs, self.data_format), self.compute_dtype)
        x = ops.sigmoid(ops.squeeze(self.conv(ops.expand_dims(x, -1)), -1))
        return over_positions(x, self.data_format)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.update(kernel_size=self.kernel_size)
        return config


def _kernel_size_for(channels: int) -> int:
    """The paper's rule, rounded as its authors round it."""
    size = int((math.log2(channels) + 1) / 2)
    return size if size % 2 else size + 1
