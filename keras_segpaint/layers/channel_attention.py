"""DANet's channel attention."""

from typing import Any

import keras
from keras import layers, ops

from keras_segpaint.ops.attention_map import AttentionMap
from keras_segpaint.ops.softmax import attention_weights
from keras_segpaint.ops.spatial import standardize_data_format


@keras.saving.register_keras_serializable(package="keras_segpaint")
class ChannelAttention(layers.Layer):
    """Adds to each channel a mixture of all channels, the more of one the less alike the two are.

    How alike two channels are is the sum of their products over all positions; the weights are the softmax of the
    largest of a channel's sums less each sum, as the authors' code has it. The mixture is scaled by one trained number
    that starts at 0, so that the layer starts as the identity. Sums and weights are computed in float32.

    Args:
        gamma_initializer: Initialiser of the mixture's scale. Defaults to `"zeros"`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        **kwargs: Base layer arguments.

    Input shape:
        `(batch, height, width, channels)`.

    Output shape:
        Same as the input.

    References:
        - [Dual Attention Network for Scene Segmentation](https://arxiv.org/abs/1809.02983), section 3.3.

    Example:
        >>> tuple(ChannelAttention(data_format="channels_last")(keras.ops.zeros((1, 5, 7, 16))).shape)
        (1, 5, 7, 16)
    """

    def __init__(self, gamma_initializer: Any = "zeros", data_format: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.gamma_initializer = keras.initializers.get(gamma_initializer)
        self.data_format = standardize_data_format(data_format)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        self.gamma = self.add_weight(shape=(1,), initializer=self.gamma_initializer, name="gamma")

    def call(self, inputs: Any) -> Any:
        attention = self._attention(inputs)
        last = self.data_format == "channels_last"
        mixture = ops.einsum("bcd,bhwd->bhwc" if last else "bcd,bdhw->bchw", attention, inputs)
        return inputs + self.gamma * mixture

    def attention_map(self, inputs: Any, position: tuple[int, int] | None = None) -> AttentionMap:
        """How much each channel takes from each channel, for display: `(batch, channels, channels)`.

        Args:
            inputs: As in the call.
            position: Without effect; the channels of all positions are mixed alike.
        """
        return AttentionMap("channels", self._attention(inputs))

    def _attention(self, inputs: Any) -> Any:
        # In float16 a sum over all positions would overflow.
        x = ops.cast(inputs, "float32")
        last = self.data_format == "channels_last"
        energy = ops.einsum("bhwc,bhwd->bcd" if last else "bchw,bdhw->bcd", x, x)
        # The softmax is the same whether or not a channel's largest sum is added to all of its entries.
        return attention_weights(-energy, inputs.dtype)

    def compute_output_spec(self, inputs: Any) -> keras.KerasTensor:
        return keras.KerasTensor(inputs.shape, dtype=self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.update(
            gamma_initializer=keras.initializers.serialize(self.gamma_initializer),
            data_format=self.data_format,
        )
        return config
