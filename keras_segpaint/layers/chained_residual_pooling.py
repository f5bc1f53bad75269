"""RefineNet's chained residual pooling."""

from typing import Any

import keras
from keras import layers

from keras_segpaint.layers.factory import LayerFactory
from keras_segpaint.ops.spatial import channel_axis, standardize_data_format


@keras.saving.register_keras_serializable(package="keras_segpaint")
class ChainedResidualPooling(layers.Layer):
    """Adds to a feature map a chain of pools of it, each followed by a convolution, for context from far around.

    Each link takes the link before it: a maximum of stride 1 and a 3x3 convolution without bias; all links are added
    to the input. The rectifier that the paper puts in front of the chain is not part of the layer.

    Args:
        pools: Integer >= 1, links of the chain. Defaults to `2`, the paper's; its published code has 4.
        pool_size: Odd integer >= 1. Defaults to `5`.
        conv_first: Whether each link convolves first and pools then, the "improved pooling" of the authors' code.
            Defaults to `False`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        **kwargs: Base layer arguments.

    Input shape:
        `(batch, height, width, channels)`.

    Output shape:
        Same as the input.

    Raises:
        ValueError: If `pools` or `pool_size` is out of range.

    References:
        - [RefineNet: Multi-Path Refinement Networks](https://arxiv.org/abs/1611.06612), section 3.2.

    Example:
        >>> tuple(ChainedResidualPooling(data_format="channels_last")(keras.ops.zeros((1, 5, 7, 4))).shape)
        (1, 5, 7, 4)
    """

    def __init__(
        self,
        pools: int = 2,
        pool_size: int = 5,
        conv_first: bool = False,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if not isinstance(pools, int) or pools < 1:
            raise ValueError(f"`pools` must be an integer >= 1. Received: pools={pools!r}")
        if not isinstance(pool_size, int) or pool_size < 1 or pool_size % 2 == 0:
            raise ValueError(f"`pool_size` must be an odd integer >= 1. Received: pool_size={pool_size!r}")
        self.pools = pools
        self.pool_size = pool_size
        self.conv_first = conv_first
        self.data_format = standardize_data_format(data_format)
        build = LayerFactory(self.data_format, self.dtype_policy)
        self.pool = build.max_pool(pool_size, strides=1, padding="same", name="pool")

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        channels = input_shape[channel_axis(self.data_format)] or 1
        build = LayerFactory(self.data_format, self.dtype_policy)
        self.convolutions = [
            build.unnormalized_conv(channels, 3, use_bias=False, name=f"conv{index}")
            for index in range(1, self.pools + 1)
        ]
        for layer in self.convolutions:
            layer.build(input_shape)

    def call(self, inputs: Any) -> Any:
        total = link = inputs
        for conv in self.convolutions:
            link = self.pool(conv(link)) if self.conv_first else conv(self.pool(link))
            total = total + link
        return total

    def compute_output_spec(self, inputs: Any) -> keras.KerasTensor:
        return keras.KerasTensor(inputs.shape, dtype=self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.update(
            pools=self.pools,
            pool_size=self.pool_size,
            conv_first=self.conv_first,
            data_format=self.data_format,
        )
        return config
