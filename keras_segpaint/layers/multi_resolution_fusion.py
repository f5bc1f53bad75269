"""RefineNet's fusion of feature maps of different sizes."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers

from keras_segpaint.layers.factory import LayerFactory
from keras_segpaint.layers.resize import Resize
from keras_segpaint.ops.spatial import channel_axis, standardize_data_format


@keras.saving.register_keras_serializable(package="keras_segpaint")
class MultiResolutionFusion(layers.Layer):
    """Sums feature maps of different sizes and widths.

    Each goes through a 3x3 convolution without bias to a common number of channels and is resized, bilinearly with the
    corners aligned, to the size of the first.

    Args:
        filters: Integer >= 1, channels of the sum, or `None` for those of the narrowest input, as in the paper.
            Defaults to `None`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        **kwargs: Base layer arguments.

    Input shape:
        A list of `(batch, height, width, channels)`, the one of the highest resolution first.

    Output shape:
        `(batch, height of the first, width of the first, filters)`.

    Raises:
        ValueError: If `filters` is not an integer >= 1, or the input is not a list of two or more.

    References:
        - [RefineNet: Multi-Path Refinement Networks](https://arxiv.org/abs/1611.06612), section 3.2.

    Example:
        >>> from keras import ops
        >>> fuse = MultiResolutionFusion(data_format="channels_last")
        >>> tuple(fuse([ops.zeros((1, 8, 6, 4)), ops.zeros((1, 4, 3, 8))]).shape)
        (1, 8, 6, 4)
    """

    def __init__(self, filters: int | None = None, data_format: str | None = None, **kwargs: Any):
        super().__init__(**kwargs)
        if filters is not None and (not isinstance(filters, int) or filters < 1):
            raise ValueError(f"`filters` must be an integer >= 1 or None. Received: filters={filters!r}")
        self.filters = filters
        self.data_format = standardize_data_format(data_format)
        self.resize = Resize(align_corners=True, data_format=self.data_format, dtype=self.dtype_policy, name="resize")

    def build(self, input_shape: Sequence[tuple[int | None, ...]]) -> None:
        if len(input_shape) < 2 or not isinstance(input_shape[0], list | tuple):
            raise ValueError(f"MultiResolutionFusion takes a list of two or more maps. Received shape: {input_shape}")
        build = LayerFactory(self.data_format, self.dtype_policy)
        filters = self._filters(input_shape)
        self.convolutions = [
            build.unnormalized_conv(filters, 3, use_bias=False, name=f"conv{index}")
            for index in range(1, len(input_shape) + 1)
        ]
        for layer, shape in zip(self.convolutions, input_shape, strict=True):
            layer.build(shape)

    def call(self, inputs: Sequence[Any]) -> Any:
        total = self.convolutions[0](inputs[0])
        for conv, x in zip(self.convolutions[1:], inputs[1:], strict=True):
            total = total + self.resize(conv(x), like=inputs[0])
        return total

    def compute_output_spec(self, inputs: Sequence[Any]) -> keras.KerasTensor:
        shape = list(inputs[0].shape)
        shape[channel_axis(self.data_format)] = self._filters([x.shape for x in inputs])
        return keras.KerasTensor(tuple(shape), dtype=self.compute_dtype)

    def _filters(self, shapes: Sequence[tuple[int | None, ...]]) -> int:
        if self.filters is not None:
            return self.filters
        return min(shape[channel_axis(self.data_format)] or 1 for shape in shapes)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.update(filters=self.filters, data_format=self.data_format)
        return config
