"""DANet's position attention."""

from typing import Any

import keras
from keras import ops

from keras_segpaint.layers.query_key_value import QueryKeyValueAttention
from keras_segpaint.ops.softmax import attention_weights


@keras.saving.register_keras_serializable(package="keras_segpaint")
class PositionAttention(QueryKeyValueAttention):
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
