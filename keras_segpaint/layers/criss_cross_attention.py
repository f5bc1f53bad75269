"""CCNet's criss-cross attention."""

from typing import Any

import keras
from keras import ops

from keras_segpaint.layers.query_key_value import QueryKeyValueAttention
from keras_segpaint.ops.softmax import attention_weights
from keras_segpaint.ops.spatial import spatial_size


@keras.saving.register_keras_serializable(package="keras_segpaint")
class CrissCrossAttention(QueryKeyValueAttention):
    """Adds to each position a mixture of the positions of its row and column.

    Queries and keys are 1x1 convolutions to an eighth of the channels, values one to all of them. One softmax runs over
    the `height + width - 1` positions of column and row. The mixture is scaled by one trained number that starts at 0.
    Applied twice, each position hears of every other. The weights, `height * width * (height + width)` for an image,
    are computed in float32. The softmax is blind to the bias of the keys, kept for published weights.

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
        - [CCNet: Criss-Cross Attention for Semantic Segmentation](https://arxiv.org/abs/1811.11721), section 3.2.

    Example:
        >>> tuple(CrissCrossAttention(data_format="channels_last")(keras.ops.zeros((1, 5, 7, 16))).shape)
        (1, 5, 7, 16)
    """

    def call(self, inputs: Any) -> Any:
        query, key = (ops.cast(layer(inputs), "float32") for layer in (self.query, self.key))
        value = self.value(inputs)
        height, _ = spatial_size(inputs, self.data_format)
        last = self.data_format == "channels_last"
        # g runs over the rows of a position's column, v over the columns of its row.
        column = ops.einsum("bhwc,bgwc->bhwg" if last else "bchw,bcgw->bhwg", query, key)
        row = ops.einsum("bhwc,bhvc->bhwv" if last else "bchw,bchv->bhwv", query, key)
        # A position is in both; it counts as one of its row.
        rows = ops.arange(height, dtype="int32")
        own = ops.equal(ops.reshape(rows, (1, -1, 1, 1)), ops.reshape(rows, (1, 1, 1, -1)))
        column = ops.where(own, float("-inf"), column)
        attention = attention_weights(ops.concatenate([column, row], axis=-1), value.dtype)
        mixture = ops.einsum(
            "bhwg,bgwc->bhwc" if last else "bhwg,bcgw->bchw", attention[..., :height], value
        ) + ops.einsum("bhwv,bhvc->bhwc" if last else "bhwv,bchv->bchw", attention[..., height:], value)
        return inputs + self.gamma * mixture

    def _reach(self, position: tuple[int, int] | None, height: int, width: int) -> Any:
        if position is None:
            return None
        rows, columns = ops.reshape(ops.arange(height), (-1, 1)), ops.reshape(ops.arange(width), (1, -1))
        return ops.logical_or(ops.equal(rows, position[0]), ops.equal(columns, position[1]))
