"""What layers share that multiply each channel by a gate."""

from typing import Any

import keras
from keras import layers

from keras_segpaint.ops.attention_map import AttentionMap, channel_gates
from keras_segpaint.ops.spatial import standardize_data_format


class ChannelScaling(layers.Layer):
    """Base of layers that multiply each channel by a number in [0, 1], which a subclass computes in `gate`."""

    def __init__(self, data_format: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        self.data_format = standardize_data_format(data_format)

    def gate(self, inputs: Any) -> Any:
        """What each channel is multiplied by: a map of one position."""
        raise NotImplementedError

    def attention_map(self, inputs: Any, position: tuple[int, int] | None = None) -> AttentionMap:
        """By how much each channel is multiplied."""
        return channel_gates(self.gate(inputs), self.data_format)

    def call(self, inputs: Any) -> Any:
        return inputs * self.gate(inputs)

    def compute_output_spec(self, inputs: Any) -> keras.KerasTensor:
        return keras.KerasTensor(inputs.shape, dtype=self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "data_format": self.data_format}
