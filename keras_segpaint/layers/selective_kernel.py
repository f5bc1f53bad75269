"""Selective kernels: a convolution that chooses the size of its kernel."""

import math
from typing import Any

import keras
from keras import layers, ops

from keras_segpaint.layers.factory import LayerFactory
from keras_segpaint.layers.symmetric_padding import SymmetricPadding2D
from keras_segpaint.ops.global_pooling import global_average, over_positions
from keras_segpaint.ops.spatial import channel_axis, replace_spatial, standardize_data_format, static_spatial_size


@keras.saving.register_keras_serializable(package="keras_segpaint")
class SelectiveKernel(layers.Layer):
    """Several convolutions of growing windows, mixed for each channel by weights that the image gives.

    Each branch is a grouped convolution, normalised and rectified. From the means of the sum of all branches a small
    layer, normalised and rectified, and another for each branch make the weights: for each channel the softmax over the
    branches, in float32. The output is the weighted sum of the branches.

    The defaults are the paper's: branch `i` (from 0) is a 3x3 convolution of dilation rate `i + 1`. A widespread PyTorch
    port is `SelectiveKernel(dilated=False, conv_bias=True, fuse_norm=False)`.

    Args:
        branches: Integer >= 2. Defaults to `2`.
        groups: Integer >= 1, of the convolutions; where the channels are no multiple of it, their greatest common
            divisor is taken. Defaults to `32`.
        ratio: Integer >= 1; the small layer has `max(channels // ratio, min_units)` units. Defaults to `16`.
        min_units: Integer >= 1. Defaults to `32`.
        strides: Integer >= 1 of the convolutions; `2` halves the size. Defaults to `1`.
        dilated: Whether larger windows are dilated 3x3 kernels; otherwise branch `i` has kernels of `3 + 2 * i`.
            Defaults to `True`.
        conv_bias: Whether the convolutions have a bias. Defaults to `False`.
        fuse_norm: Whether the small layer is normalised and rectified; otherwise it has a bias and nothing else. In a
            batch of one, normalisation by the batch leaves nothing of it: train those without. Defaults to `True`.
        momentum: Float in [0, 1), of the moving statistics. Defaults to `0.9`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        **kwargs: Base layer arguments.

    Input shape:
        `(batch, height, width, channels)`.

    Output shape:
        `(batch, ceil(height / strides), ceil(width / strides), channels)`.

    63,040 parameters at 256 channels.

    Raises:
        ValueError: If a number is too small.

    References:
        - [Selective Kernel Networks](https://arxiv.org/abs/1903.06586), section 3.1.

    Example:
        >>> tuple(SelectiveKernel(groups=4, data_format="channels_last")(keras.ops.ones((1, 5, 7, 16))).shape)
        (1, 5, 7, 16)
    """

    def __init__(
        self,
        branches: int = 2,
        groups: int = 32,
        ratio: int = 16,
        min_units: int = 32,
        strides: int = 1,
        dilated: bool = True,
        conv_bias: bool = False,
        fuse_norm: bool = True,
        momentum: float = 0.9,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        for name, value, least in (
            ("branches", branches, 2),
            ("groups", groups, 1),
            ("ratio", ratio, 1),
            ("min_units", min_units, 1),
            ("strides", strides, 1),
        ):
            if not isinstance(value, int) or value < least:
                raise ValueError(f"`{name}` must be an integer >= {least}. Received: {name}={value!r}")
        self.branches = branches
        self.groups = groups
        self.ratio = ratio
        self.min_units = min_units
        self.strides = strides
        self.dilated = dilated
        self.conv_bias = conv_bias
        self.fuse_norm = fuse_norm
        self.momentum = momentum
        self.data_format = standardize_data_format(data_format)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        channels = input_shape[channel_axis(self.data_format)] or 1
        build = LayerFactory(self.data_format, self.dtype_policy, self.momentum, epsilon=1e-5)
        self.pads, self.convs, self.norms = [], [], []
        for index in range(self.branches):
            kernel_size = 3 if self.dilated else 3 + 2 * index
            # Keras has no dilated convolution with strides: of that of every position some are kept.
            rate, strides = (index + 1, 1) if self.dilated and index else (1, self.strides)
            conv = build.conv(
                channels,
                kernel_size,
                strides=strides,
                padding="same" if strides == 1 else "valid",
                dilation_rate=rate,
                groups=math.gcd(channels, self.groups),
                use_bias=self.conv_bias,
                name=f"conv{index}",
            )
            # Only the channels of the shape matter, and padding is yet to come.
            conv.build(replace_spatial(input_shape, (None, None), self.data_format))
            norm = build.batch_norm(name=f"norm{index}")
            norm.build(input_shape)
            self.pads.append(
                SymmetricPadding2D(
                    kernel_size, data_format=self.data_format, dtype=self.dtype_policy, name=f"pad{index}"
                )
            )
            self.convs.append(conv)
            self.norms.append(norm)
        units = max(channels // self.ratio, self.min_units)
        self.fuse = layers.Dense(
            units,
            use_bias=not self.fuse_norm,
            kernel_initializer="he_normal",
            dtype=self.dtype_policy,
            name="fuse",
        )
        self.fuse.build((None, channels))
        self.fuse_bn = None
        if self.fuse_norm:
            self.fuse_bn = layers.BatchNormalization(
                momentum=self.momentum, epsilon=1e-5, dtype=self.dtype_policy, name="fuse_norm"
            )
            self.fuse_bn.build((None, units))
        self.select = [
            layers.Dense(channels, dtype=self.dtype_policy, name=f"select{index}") for index in range(self.branches)
        ]
        for layer in self.select:
            layer.build((None, units))

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        features = [self._branch(inputs, index, training) for index in range(self.branches)]
        weights = self._weights(features, training)
        total = None
        for index, x in enumerate(features):
            weighted = x * over_positions(weights[:, index], self.data_format)
            total = weighted if total is None else total + weighted
        return total

    def _branch(self, inputs: Any, index: int, training: bool | None) -> Any:
        conv = self.convs[index]
        x = ops.cast(conv(inputs if conv.padding == "same" else self.pads[index](inputs)), self.compute_dtype)
        if self.strides > 1 and conv.padding == "same":
            step = slice(None, None, self.strides)
            x = x[:, step, step] if self.data_format == "channels_last" else x[:, :, step, step]
        return ops.relu(self.norms[index](x, training=training))

    def _weights(self, features: list[Any], training: bool | None) -> Any:
        """Of each branch and channel, `(batch, branches, channels)`."""
        mean = None
        for x in features:
            part = global_average(x, self.data_format)
            mean = part if mean is None else mean + part
        x = self.fuse(ops.cast(mean, self.compute_dtype))
        if self.fuse_bn is not None:
            x = ops.relu(self.fuse_bn(x, training=training))
        scores = ops.stack([layer(x) for layer in self.select], axis=1)
        return ops.cast(ops.softmax(ops.cast(scores, "float32"), axis=1), self.compute_dtype)

    def compute_output_spec(self, inputs: Any, training: bool | None = None) -> keras.KerasTensor:
        rows, columns = (
            None if extent is None else -(-extent // self.strides)
            for extent in static_spatial_size(inputs.shape, self.data_format)
        )
        shape = replace_spatial(inputs.shape, (rows, columns), self.data_format)
        return keras.KerasTensor(shape, dtype=self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.update(
            branches=self.branches,
            groups=self.groups,
            ratio=self.ratio,
            min_units=self.min_units,
            strides=self.strides,
            dilated=self.dilated,
            conv_bias=self.conv_bias,
            fuse_norm=self.fuse_norm,
            momentum=self.momentum,
            data_format=self.data_format,
        )
        return config
