"""Pyramid pooling, the module of PSPNet."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers, ops

from keras_segpaint.layers.factory import NORMALIZATIONS, LayerFactory
from keras_segpaint.layers.resize import Resize
from keras_segpaint.ops.adaptive_pooling import adaptive_average_pool
from keras_segpaint.ops.spatial import channel_axis, standardize_data_format


@keras.saving.register_keras_serializable(package="keras_segpaint")
class PyramidPooling(layers.Layer):
    """Adds to a feature map what coarse grids laid over it see.

    For each number of bins the map is averaged over that many times as many rectangles, taken through a 1x1
    convolution, normalisation and a rectifier, and resized to the map again. The map and all these are concatenated.
    Where the size is no multiple of the bins their edges are those of PyTorch's adaptive pooling: bin `i` of `k` over
    `n` pixels holds the pixels from `floor(i * n / k)` to `ceil((i + 1) * n / k)`.

    Args:
        bins: Integers >= 1, rows (and columns) of each grid. Defaults to `(1, 2, 3, 6)`.
        filters: Integer >= 1, channels of each grid; `None` for those of the input divided by the number of grids, the
            paper's choice. Defaults to `None`.
        normalization: `"batch"`, `"frozen_batch"` or `"group"`. Defaults to `"batch"`.
        single_bin_norm: Boolean. `False` replaces the normalisation of a grid of one bin by a bias, as
            segmentation_models.pytorch does. Defaults to `True`.
        align_corners: Boolean, the convention of the resizing. Defaults to `True`, the authors'.
        momentum: Of the moving statistics of batch normalisation. Defaults to `0.9`.
        epsilon: Of normalisation. Defaults to `1e-5`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        **kwargs: Base layer arguments.

    Input shape:
        `(batch, height, width, channels)`.

    Output shape:
        `(batch, height, width, channels + filters * len(bins))`, the input first.

    A single bin of a batch of one is one number for each channel, and batch normalisation makes of one number its
    `beta`, whatever it was: that grid then says nothing and its convolution is not trained. Train batches of one with
    `normalization="group"` (which needs more than 32 `filters`, lest each group hold one number again),
    `"frozen_batch"`, or `single_bin_norm=False`.

    Raises:
        ValueError: If an argument is not one of those named.

    References:
        - [Pyramid Scene Parsing Network](https://arxiv.org/abs/1612.01105), section 3.2.

    Example:
        >>> x = keras.random.normal((2, 13, 17, 8))
        >>> tuple(PyramidPooling(data_format="channels_last")(x).shape)
        (2, 13, 17, 16)
    """

    def __init__(
        self,
        bins: Sequence[int] = (1, 2, 3, 6),
        filters: int | None = None,
        normalization: str = "batch",
        single_bin_norm: bool = True,
        align_corners: bool = True,
        momentum: float = 0.9,
        epsilon: float = 1e-5,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.bins = tuple(bins)
        if not self.bins or not all(isinstance(count, int) and count >= 1 for count in self.bins):
            raise ValueError(f"`bins` must be integers >= 1, at least one. Received: bins={bins!r}")
        if filters is not None and (not isinstance(filters, int) or filters < 1):
            raise ValueError(f"`filters` must be an integer >= 1 or None. Received: filters={filters!r}")
        if normalization not in NORMALIZATIONS:
            raise ValueError(f"`normalization` must be one of {NORMALIZATIONS}. Received: {normalization!r}")
        self.filters = filters
        self.normalization = normalization
        self.single_bin_norm = single_bin_norm
        self.align_corners = align_corners
        self.momentum = momentum
        self.epsilon = epsilon
        self.data_format = standardize_data_format(data_format)

    def _filters_for(self, channels: int) -> int:
        return self.filters if self.filters is not None else max(channels // len(self.bins), 1)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        channels = input_shape[channel_axis(self.data_format)]
        if channels is None:
            raise ValueError(f"The channels of the input must be known. Received: input_shape={input_shape}")
        factory = LayerFactory(
            self.data_format, self.dtype_policy, self.momentum, self.epsilon, normalization=self.normalization
        )
        filters = self._filters_for(channels)
        self.branches = []
        for index, count in enumerate(self.bins):
            normalized = count > 1 or self.single_bin_norm
            unit: list[layers.Layer] = [factory.conv(filters, 1, use_bias=not normalized, name="conv")]
            if normalized:
                unit.append(factory.norm_layer(filters, name="bn"))
            branch = keras.Sequential([*unit, factory.relu(name="relu")], name=f"branch{index}")
            branch.build(input_shape)
            self.branches.append(branch)
        self.resize = Resize(
            align_corners=self.align_corners, data_format=self.data_format, dtype=self.dtype_policy, name="resize"
        )

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        results = [inputs]
        for count, branch in zip(self.bins, self.branches, strict=True):
            pooled = branch(adaptive_average_pool(inputs, count, self.data_format), training=training)
            results.append(self.resize(pooled, like=inputs))
        return ops.concatenate(results, axis=channel_axis(self.data_format))

    def compute_output_spec(self, inputs: Any, training: bool | None = None) -> keras.KerasTensor:
        axis = channel_axis(self.data_format)
        shape = list(inputs.shape)
        shape[axis] += len(self.bins) * self._filters_for(shape[axis])
        return keras.KerasTensor(shape, dtype=self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.update(
            bins=self.bins,
            filters=self.filters,
            normalization=self.normalization,
            single_bin_norm=self.single_bin_norm,
            align_corners=self.align_corners,
            momentum=self.momentum,
            epsilon=self.epsilon,
            data_format=self.data_format,
        )
        return config
