"""The non-local block."""

from typing import Any

import keras
from keras import layers, ops

from keras_segpaint.layers.factory import LayerFactory
from keras_segpaint.ops.attention_map import AttentionMap, position_weights
from keras_segpaint.ops.position_attention import (
    ATTENTION_AT_ONCE,
    energies,
    from_positions,
    gathered,
    mean_product_mixture,
    softmax_mixture,
    standardize_limit,
    to_positions,
)
from keras_segpaint.ops.softmax import attention_weights
from keras_segpaint.ops.spatial import channel_axis, standardize_data_format

MODES = ("embedded_gaussian", "gaussian", "dot_product")


@keras.saving.register_keras_serializable(package="keras_segpaint")
class NonLocalBlock(layers.Layer):
    """Adds to each position what it gathers from all positions, the more of one the more alike the two are.

    Queries, keys and values are 1x1 convolutions to half of the channels; another one leads back. The block starts as
    the identity. How alike two positions are is computed in float32.

    Memory does not grow with the square of the positions: beyond `max_attention_elements` the positions are worked on in
    blocks, in training too, where the weights of a block are computed a second time for the gradient. The result is the
    same. With `mode="dot_product"` products are summed in an order that needs no such weights at all.

    Args:
        mode: `"embedded_gaussian"`, the softmax of the products of queries and keys; `"gaussian"`, that of the products
            of the inputs themselves, without queries and keys; `"dot_product"`, the products over the number of
            positions. Defaults to `"embedded_gaussian"`.
        inner_channels: Integer >= 1, channels of queries, keys and values; `None` for half of the input's. Defaults to
            `None`.
        subsample: Whether keys and values are the maxima of 2x2 positions: a quarter of the arithmetic. An odd last row
            or column is left out. Defaults to `False`.
        norm: Whether batch normalisation stands behind the last convolution. Its scale starts at 0, otherwise the
            convolution does. Defaults to `True`.
        max_attention_elements: Integer >= 1, how many weights are held at once for each image (those of one position if
            they are more); `None` for no limit. Defaults to `2**23`, 32 MB.
        momentum: Float in [0, 1), of the moving statistics. Defaults to `0.9`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        **kwargs: Base layer arguments.

    Input shape:
        `(batch, height, width, channels)`.

    Output shape:
        Same as the input.

    132,224 parameters at 256 channels.

    Raises:
        ValueError: If an argument is not one of the above.

    References:
        - [Non-local Neural Networks](https://arxiv.org/abs/1711.07971), section 3.

    Example:
        >>> tuple(NonLocalBlock(subsample=True, data_format="channels_last")(keras.ops.ones((1, 5, 7, 16))).shape)
        (1, 5, 7, 16)
    """

    def __init__(
        self,
        mode: str = "embedded_gaussian",
        inner_channels: int | None = None,
        subsample: bool = False,
        norm: bool = True,
        max_attention_elements: int | None = ATTENTION_AT_ONCE,
        momentum: float = 0.9,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if mode not in MODES:
            raise ValueError(f"`mode` must be one of {MODES}. Received: mode={mode!r}")
        if inner_channels is not None and (not isinstance(inner_channels, int) or inner_channels < 1):
            raise ValueError(
                f"`inner_channels` must be an integer >= 1 or None. Received: inner_channels={inner_channels!r}"
            )
        self.mode = mode
        self.inner_channels = inner_channels
        self.subsample = subsample
        self.norm = norm
        self.max_attention_elements = standardize_limit(max_attention_elements)
        self.momentum = momentum
        self.data_format = standardize_data_format(data_format)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        channels = input_shape[channel_axis(self.data_format)] or 1
        inner = self.inner_channels or max(channels // 2, 1)
        build = LayerFactory(self.data_format, self.dtype_policy, self.momentum, epsilon=1e-5)
        self.query = self.key = self.output_norm = None
        if self.mode != "gaussian":
            self.query = build.conv(inner, 1, name="query")
            self.key = build.conv(inner, 1, name="key")
        self.value = build.conv(inner, 1, name="value")
        for layer in (self.query, self.key, self.value):
            if layer is not None:
                layer.build(input_shape)
        start: dict[str, Any] = {} if self.norm else {"kernel_initializer": "zeros"}
        self.output_conv = build.conv(channels, 1, name="output_conv", **start)
        inner_shape = list(input_shape)
        inner_shape[channel_axis(self.data_format)] = inner
        self.output_conv.build(tuple(inner_shape))
        if self.norm:
            self.output_norm = build.batch_norm(gamma_initializer="zeros", name="output_norm")
            self.output_norm.build(input_shape)

    def attention(self, inputs: Any) -> Any:
        """The weight of each position (column) for each (row), `(batch, positions, positions)`: all of them at once."""
        query, key = (to_positions(x, self.data_format) for x in self._queries_and_keys(inputs))
        energy = energies(query, key)
        if self.mode == "dot_product":
            return energy / ops.cast(ops.shape(key)[1], "float32")
        return attention_weights(energy, "float32")

    def attention_map(self, inputs: Any, position: tuple[int, int] | None = None) -> AttentionMap:
        """How much a position, row and column, takes from each position (with `subsample` from each 2x2 of them)."""
        query, key = self._queries_and_keys(inputs)
        return AttentionMap(
            "weights", position_weights(query, key, position, self.data_format, softmax=self.mode != "dot_product")
        )

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        value = gathered(self.value(inputs), self.subsample, self.data_format)
        query, key, value = (to_positions(x, self.data_format) for x in (*self._queries_and_keys(inputs), value))
        if self.mode == "dot_product":
            mixture = mean_product_mixture(query, key, value)
        else:
            mixture = softmax_mixture(query, key, value, self.max_attention_elements)
        x = self.output_conv(from_positions(mixture, inputs, self.data_format))
        return inputs + (x if self.output_norm is None else self.output_norm(x, training=training))

    def _queries_and_keys(self, inputs: Any) -> tuple[Any, Any]:
        query, key = (inputs if layer is None else layer(inputs) for layer in (self.query, self.key))
        return query, gathered(key, self.subsample, self.data_format)

    def compute_output_spec(self, inputs: Any, training: bool | None = None) -> keras.KerasTensor:
        return keras.KerasTensor(inputs.shape, dtype=self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.update(
            mode=self.mode,
            inner_channels=self.inner_channels,
            subsample=self.subsample,
            norm=self.norm,
            max_attention_elements=self.max_attention_elements,
            momentum=self.momentum,
            data_format=self.data_format,
        )
        return config
