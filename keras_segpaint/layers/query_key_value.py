"""What attention layers with queries, keys and values by 1x1 convolutions share."""

from typing import Any

import keras
from keras import layers

from keras_segpaint.layers.factory import LayerFactory
from keras_segpaint.ops.attention_map import AttentionMap, position_weights
from keras_segpaint.ops.spatial import channel_axis, spatial_size, standardize_data_format


class QueryKeyValueAttention(layers.Layer):
    """Base of layers that add to their input a mixture of its positions, scaled by one trained number.

    A subclass mixes in `call`, by `self.query`, `self.key`, `self.value` and `self.gamma`.
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

    def attention_map(self, inputs: Any, position: tuple[int, int] | None = None) -> AttentionMap:
        """How much a position takes from each position, for display.

        Args:
            inputs: As in the call.
            position: Row and column in the feature map.

        Returns:
            Weights `(batch, height, width)`, float32, 1 in total.

        Raises:
            ValueError: If there is no such position.
        """
        reach = self._reach(position, *spatial_size(inputs, self.data_format))
        return AttentionMap(
            "weights", position_weights(self.query(inputs), self.key(inputs), position, self.data_format, reach)
        )

    def _reach(self, position: tuple[int, int] | None, height: int, width: int) -> Any:
        """Boolean `(height, width)`, what the position attends to; `None` for everything."""
        return None

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
