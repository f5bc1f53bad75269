"""Keras layers with the settings that one network shares."""

import math
from typing import Any

from keras import initializers, layers

from keras_segpaint.layers.batch_normalization import BatchNormalization
from keras_segpaint.layers.channels_first import ChannelsFirstConv2D, ChannelsFirstConv2DTranspose
from keras_segpaint.ops.pooling import standardize_window
from keras_segpaint.ops.precision import dilated_policy
from keras_segpaint.ops.spatial import channel_axis

NORMALIZATIONS = ("batch", "frozen_batch", "group")


class LayerFactory:
    """Makes the layers of one network: same data format, dtype and normalisation everywhere.

    Args:
        data_format: `"channels_last"` or `"channels_first"`.
        dtype: A dtype policy.
        momentum: Of the moving statistics of batch normalisation. Defaults to `0.9`.
        epsilon: Of batch normalisation. Defaults to `1e-3`.
        normalization: What `norm` makes: `"batch"`, `"frozen_batch"` (moving statistics, never trained) or `"group"`
            (groups of channels within an image, for batches of one). Defaults to `"batch"`.

    Raises:
        ValueError: If `normalization` is not one of those named.
    """

    def __init__(
        self,
        data_format: str,
        dtype: Any,
        momentum: float = 0.9,
        epsilon: float = 1e-3,
        normalization: str = "batch",
    ):
        if normalization not in NORMALIZATIONS:
            raise ValueError(f"`normalization` must be one of {NORMALIZATIONS}. Received: {normalization!r}")
        self.data_format = data_format
        self.dtype = dtype
        self.momentum = momentum
        self.epsilon = epsilon
        self.normalization = normalization

    def with_statistics(self, momentum: float, epsilon: float) -> "LayerFactory":
        """A factory that differs in the momentum and the epsilon of its normalisation."""
        return LayerFactory(self.data_format, self.dtype, momentum, epsilon, self.normalization)

    @property
    def channel_axis(self) -> int:
        """The axis of the channels."""
        return channel_axis(self.data_format)

    def channels(self, x: Any) -> int:
        """How many channels `x` has."""
        return x.shape[self.channel_axis]

    def conv(self, filters: int, kernel_size: Any, **kwargs: Any) -> layers.Conv2D:
        """A convolution with He-normal initialisation, `"same"` padding unless told otherwise."""
        kwargs.setdefault("padding", "same")
        kwargs.setdefault("kernel_initializer", "he_normal")
        layer = layers.Conv2D if self.data_format == "channels_last" else ChannelsFirstConv2D
        return layer(filters, kernel_size, data_format=self.data_format, dtype=self._conv_dtype(kwargs), **kwargs)

    def unnormalized_conv(self, filters: int, kernel_size: Any, **kwargs: Any) -> layers.Conv2D:
        """A convolution whose sums no normalisation follows, initialised as PyTorch does.

        With He's variance each residual sum doubles the power of the features, and a decoder of tens of them starts with
        logits in the hundreds. This is a sixth of it, with which ports of such networks are trained.
        """
        initializer = initializers.VarianceScaling(1 / 3, mode="fan_in", distribution="uniform")
        return self.conv(filters, kernel_size, kernel_initializer=initializer, **kwargs)

    def depthwise_conv(self, kernel_size: Any, **kwargs: Any) -> layers.DepthwiseConv2D:
        """A convolution of each channel alone with He-normal initialisation, `"same"` padding unless told otherwise."""
        rows, columns = standardize_window(kernel_size, "kernel_size")
        kwargs.setdefault("padding", "same")
        # Keras's own counts the other channels among an output's inputs.
        kwargs.setdefault("depthwise_initializer", initializers.RandomNormal(stddev=math.sqrt(2 / (rows * columns))))
        dtype = self._conv_dtype(kwargs)
        return layers.DepthwiseConv2D((rows, columns), data_format=self.data_format, dtype=dtype, **kwargs)

    def conv_transpose(self, filters: int, kernel_size: Any, **kwargs: Any) -> layers.Conv2DTranspose:
        """A transposed convolution with He-normal initialisation, `"same"` padding unless told otherwise."""
        kwargs.setdefault("padding", "same")
        kwargs.setdefault("kernel_initializer", "he_normal")
        layer = layers.Conv2DTranspose if self.data_format == "channels_last" else ChannelsFirstConv2DTranspose
        return layer(filters, kernel_size, data_format=self.data_format, dtype=self.dtype, **kwargs)

    def batch_norm(self, **kwargs: Any) -> BatchNormalization:
        """Batch normalisation over the channels."""
        return BatchNormalization(
            axis=self.channel_axis, momentum=self.momentum, epsilon=self.epsilon, dtype=self.dtype, **kwargs
        )

    def norm(self, x: Any, name: str) -> Any:
        """Normalises `x` over its channels in the way that the user chose."""
        return self.norm_layer(self.channels(x), name=name)(x)

    def norm_layer(self, channels: int, **kwargs: Any) -> layers.Layer:
        """The layer that `norm` applies to a map of so many channels."""
        if self.normalization == "group":
            return layers.GroupNormalization(
                math.gcd(channels, 32), axis=self.channel_axis, epsilon=self.epsilon, dtype=self.dtype, **kwargs
            )
        return self.batch_norm(trainable=self.normalization == "batch", **kwargs)

    def relu(self, **kwargs: Any) -> layers.ReLU:
        """A rectifier."""
        return layers.ReLU(dtype=self.dtype, **kwargs)

    def max_pool(self, pool_size: int, **kwargs: Any) -> layers.MaxPooling2D:
        """Max pooling without positions."""
        return layers.MaxPooling2D(pool_size, data_format=self.data_format, dtype=self.dtype, **kwargs)

    def concatenate(self, **kwargs: Any) -> layers.Concatenate:
        """Concatenation along the channels."""
        return layers.Concatenate(axis=self.channel_axis, dtype=self.dtype, **kwargs)

    def add(self, **kwargs: Any) -> layers.Add:
        """An element-wise sum."""
        return layers.Add(dtype=self.dtype, **kwargs)

    def _conv_dtype(self, arguments: dict[str, Any]) -> Any:
        """The dtype policy of a convolution with these arguments."""
        rates = standardize_window(arguments.get("dilation_rate", 1), "dilation_rate")
        return self.dtype if max(rates) == 1 else dilated_policy(self.dtype)
