"""Normalisation within one image: over a channel, or over a group of them."""

from typing import Any

from keras import ops

from keras_segpaint.ops.spatial import channel_axis, spatial_axes


def standardize(x: Any, groups: int, epsilon: float, data_format: str) -> Any:
    """Feature maps of mean 0 and variance 1 in each group of channels of each image, in float32.

    Args:
        x: Feature maps `(batch, height, width, channels)`.
        groups: Number of groups, a divisor of the channels; as many as channels for instance normalisation.
        epsilon: Added to the (biased) variance; what does not vary becomes 0.
        data_format: `"channels_last"` or `"channels_first"`.
    """
    x = ops.cast(x, "float32")
    axes = spatial_axes(data_format)
    channels = x.shape[channel_axis(data_format)]

    def over_group(means: Any) -> Any:
        """The mean of the channels' means in each group, for each channel again."""
        if groups == channels:
            return means
        size = channels // groups
        means = ops.repeat(ops.mean(ops.reshape(means, (-1, groups, size)), axis=-1), size, axis=-1)
        return ops.expand_dims(means, axes)

    x = x - over_group(ops.mean(x, axis=axes, keepdims=True))
    variance = over_group(ops.mean(ops.square(x), axis=axes, keepdims=True))
    return x * ops.rsqrt(variance + epsilon)
