"""DANet's position attention."""

from typing import Any

import keras
from keras import layers, ops

from keras_segpaint.layers.factory import LayerFactory
from keras_segpaint.ops.softmax import attention_weights
from keras_segpaint.ops.spatial import channel_axis, standardize_data_format


@keras.saving.register_keras_serializable(package="keras_segpaint")
class PositionAttention(layers.Layer):
    """Adds to each position a mixture of all positions, the more of one the more alike the two are.

    Queries and keys are 1x1 convolutions to an eighth of the channels, values one to all of them. The mixture is scaled
    by one trained number that starts at 0, so that the layer starts as the identity. The attention weights are
    computed in float32. The softmax is blind to the bias of the keys, kept for published weights.

    Memory grows with the square of `height * width`: one image of 97x97 positions needs 354 MB for the weights alone,
    and several times that in training. `CrissCrossAttention` needs `height * width * (height + width)`.

    Args:
        reduction: Integer >= 1; queries and keys have `max(channels // reduction, 1)` channels. Defaults to `8`.
        gamma_initializer: Initialiser of the mixture's scale. Defaults to `"zeros"`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        **kwargs: Base layer arguments.

    Input shape:
        `(batch, height, width, channels)`.

    Output shape:
        Same as the input.

    Raises:
        ValueError: If `reduction` is not an integer >= 1.

    References:
        - [Dual Attention Network for Scene Segmentation](https://arxiv.org/abs/1809.02983), section 3.2.

    Example:
        >>> tuple(PositionAttention(data_format="channels_last")(keras.ops.zeros((1, 5, 7, 16))).shape)
        (1, 5, 7, 16)
    """

    def __init__(
        self,
        reduction: int = 8,
        gamma_initializer: Any = "zeros",
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if not isinstance(reduction, int) or reduction < 1:
            raise ValueError(f"`reduction` must be an integer >= 1. Received: reduction={reduction!r}")
        self.reduction = reduction
        self.gamma_initializer = keras.initializers.get(gamma_initializer)
        self.data_format = standardize_data_format(data_format)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        channels = input_shape[channel_axis(self.data_format)] or 1
        inner = max(channels // self.reduction, 1)
        build = LayerFactory(self.data_format, self.dtype_policy)
        self.query = build.conv(inner, 1, name="query")
        self.key = build.conv(inner, 1, name="key")
        self.value = build.conv(channels, 1, name="value")
        for layer in (self.query, self.key, self.value):
            layer.build(input_shape)
        self.gamma = self.add_weight(shape=(1,), initializer=self.gamma_initializer, name="gamma")

    def call(self, inputs: Any) -> Any:
        query, key, value = (self._positions(layer(inputs)) for layer in (self.query, self.key, self.value))
        query, key = ops.cast(query, "float32"), ops.cast(key, "float32")
        last = self.data_format == "channels_last"
        energy = ops.einsum("bqc,bkc->bqk" if last else "bcq,bck->bqk", query, key)
        attention = attention_weights(energy, value.dtype)
        mixture = ops.einsum("bqk,bkc->bqc" if last else "bqk,bck->bcq", attention, value)
        return inputs + self.gamma * ops.reshape(mixture, ops.shape(inputs))

    def _positions(self, x: Any) -> Any:
        """The map with height and width made one axis."""
        shape = ops.shape(x)
        if self.data_format == "channels_last":
            return ops.reshape(x, (shape[0], shape[1] * shape[2], shape[3]))
        return ops.reshape(x, (shape[0], shape[1], shape[2] * shape[3]))

    def compute_output_spec(self, inputs: Any) -> keras.KerasTensor:
        return keras.KerasTensor(inputs.shape, dtype=self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.update(
            reduction=self.reduction,
            gamma_initializer=keras.initializers.serialize(self.gamma_initializer),
            data_format=self.data_format,
        )
        return config
