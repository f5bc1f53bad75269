"""SAGAN's self-attention."""

from typing import Any

import keras
from keras import layers

from keras_segpaint.layers.factory import LayerFactory
from keras_segpaint.ops.attention_map import AttentionMap, position_weights
from keras_segpaint.ops.position_attention import (
    ATTENTION_AT_ONCE,
    energies,
    from_positions,
    gathered,
    softmax_mixture,
    standardize_limit,
    to_positions,
)
from keras_segpaint.ops.softmax import attention_weights
from keras_segpaint.ops.spatial import channel_axis, standardize_data_format


@keras.saving.register_keras_serializable(package="keras_segpaint")
class SelfAttention2D(layers.Layer):
    """Adds to each position a mixture of all positions, as SAGAN's generator and critic do.

    Queries (the paper's f), keys (g) and values (h) are 1x1 convolutions to an eighth of the channels; another one (v)
    leads from the mixture of the values back. It is scaled by one trained number that starts at 0, so that the layer
    starts as the identity. Weights are computed in float32, in blocks of positions beyond `max_attention_elements`.

    The published code differs from the paper: `SelfAttention2D(value_reduction=2, subsample=True)`.

    Args:
        reduction: Integer >= 1; queries and keys have `max(channels // reduction, 1)` channels. Defaults to `8`.
        value_reduction: Integer >= 1, the same of the values. Defaults to `8`.
        subsample: Whether keys and values are the maxima of 2x2 positions. Defaults to `False`.
        gamma_initializer: Initialiser of the mixture's scale. Defaults to `"zeros"`.
        max_attention_elements: Integer >= 1, how many weights are held at once for each image (those of one position if
            they are more); `None` for no limit. Defaults to `2**23`, 32 MB.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        **kwargs: Base layer arguments.

    Input shape:
        `(batch, height, width, channels)`.

    Output shape:
        Same as the input.

    Raises:
        ValueError: If a number is not an integer >= 1.

    References:
        - [Self-Attention Generative Adversarial Networks](https://arxiv.org/abs/1805.08318), section 3.

    Example:
        >>> tuple(SelfAttention2D(data_format="channels_last")(keras.ops.ones((1, 5, 7, 16))).shape)
        (1, 5, 7, 16)
    """

    def __init__(
        self,
        reduction: int = 8,
        value_reduction: int = 8,
        subsample: bool = False,
        gamma_initializer: Any = "zeros",
        max_attention_elements: int | None = ATTENTION_AT_ONCE,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        for name, value in (("reduction", reduction), ("value_reduction", value_reduction)):
            if not isinstance(value, int) or value < 1:
                raise ValueError(f"`{name}` must be an integer >= 1. Received: {name}={value!r}")
        self.reduction = reduction
        self.value_reduction = value_reduction
        self.subsample = subsample
        self.gamma_initializer = keras.initializers.get(gamma_initializer)
        self.max_attention_elements = standardize_limit(max_attention_elements)
        self.data_format = standardize_data_format(data_format)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        axis = channel_axis(self.data_format)
        channels = input_shape[axis] or 1
        inner, value_channels = (max(channels // by, 1) for by in (self.reduction, self.value_reduction))
        build = LayerFactory(self.data_format, self.dtype_policy)
        self.query = build.conv(inner, 1, name="query")
        self.key = build.conv(inner, 1, name="key")
        self.value = build.conv(value_channels, 1, name="value")
        for layer in (self.query, self.key, self.value):
            layer.build(input_shape)
        self.output_conv = build.conv(channels, 1, name="output_conv")
        self.output_conv.build(tuple(value_channels if i == axis % 4 else n for i, n in enumerate(input_shape)))
        self.gamma = self.add_weight(shape=(1,), initializer=self.gamma_initializer, name="gamma")

    def attention(self, inputs: Any) -> Any:
        """The weight of each position (column) for each (row), `(batch, positions, positions)`: all of them at once."""
        query, key = (to_positions(x, self.data_format) for x in self._queries_and_keys(inputs))
        return attention_weights(energies(query, key), "float32")

    def attention_map(self, inputs: Any, position: tuple[int, int] | None = None) -> AttentionMap:
        """How much a position, row and column, takes from each position (with `subsample` from each 2x2 of them)."""
        query, key = self._queries_and_keys(inputs)
        return AttentionMap("weights", position_weights(query, key, position, self.data_format))

    def call(self, inputs: Any) -> Any:
        value = gathered(self.value(inputs), self.subsample, self.data_format)
        query, key, value = (to_positions(x, self.data_format) for x in (*self._queries_and_keys(inputs), value))
        mixture = softmax_mixture(query, key, value, self.max_attention_elements)
        return inputs + self.gamma * self.output_conv(from_positions(mixture, inputs, self.data_format))

    def _queries_and_keys(self, inputs: Any) -> tuple[Any, Any]:
        return self.query(inputs), gathered(self.key(inputs), self.subsample, self.data_format)

    def compute_output_spec(self, inputs: Any) -> keras.KerasTensor:
        return keras.KerasTensor(inputs.shape, dtype=self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.update(
            reduction=self.reduction,
            value_reduction=self.value_reduction,
            subsample=self.subsample,
            gamma_initializer=keras.initializers.serialize(self.gamma_initializer),
            max_attention_elements=self.max_attention_elements,
            data_format=self.data_format,
        )
        return config
