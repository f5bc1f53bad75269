"""The adaptive context module of APCNet."""

from typing import Any

import keras
from keras import layers, ops

from keras_segpaint.layers.factory import NORMALIZATIONS, LayerFactory
from keras_segpaint.ops.adaptive_pooling import adaptive_average_pool
from keras_segpaint.ops.attention_map import AttentionMap, checked_position
from keras_segpaint.ops.labels import channels_last
from keras_segpaint.ops.spatial import channel_axis, spatial_axes, spatial_size, standardize_data_format


@keras.saving.register_keras_serializable(package="keras_segpaint")
class AdaptiveContextModule(layers.Layer):
    """Gives each pixel a mixture of the means of the map's regions, in proportions that the pixel chooses itself.

    The map is averaged over `bins` times `bins` regions. A pixel's affinity to each region is the sigmoid of a 1x1
    convolution of its own features plus those of the whole image; its context is the sum of the regions weighted so,
    added to its own features.

    Args:
        filters: Integer >= 1, channels of everything inside and of the result.
        bins: Integer >= 1, rows and columns of regions. Defaults to `1`.
        fusion: Boolean, whether a last 1x1 convolution follows the sum. Defaults to `True`.
        normalization: `"batch"`, `"frozen_batch"` or `"group"`. The features of the whole image are a single pixel, and
            batch normalisation of a batch of one of them gives a constant: train batches of one with one of the other
            two (`"group"` with more than 32 `filters`). Defaults to `"batch"`.
        momentum: Of the moving statistics of batch normalisation. Defaults to `0.9`.
        epsilon: Of normalisation. Defaults to `1e-5`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        **kwargs: Base layer arguments.

    Input shape:
        `(batch, height, width, channels)`.

    Output shape:
        `(batch, height, width, filters)`.

    Raises:
        ValueError: If an argument is not one of those named.

    References:
        - [Adaptive Pyramid Context Network for Semantic Segmentation](
          https://openaccess.thecvf.com/content_CVPR_2019/html/He_Adaptive_Pyramid_Context_Network_for_Semantic_Segmentation_CVPR_2019_paper.html),
          section 3.2. The order of convolutions, normalisations and the fusion is mmsegmentation's.

    Example:
        >>> x = keras.random.normal((2, 9, 13, 8))
        >>> tuple(AdaptiveContextModule(6, bins=2, data_format="channels_last")(x).shape)
        (2, 9, 13, 6)
    """

    def __init__(
        self,
        filters: int,
        bins: int = 1,
        fusion: bool = True,
        normalization: str = "batch",
        momentum: float = 0.9,
        epsilon: float = 1e-5,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        for name, value in (("filters", filters), ("bins", bins)):
            if not isinstance(value, int) or value < 1:
                raise ValueError(f"`{name}` must be an integer >= 1. Received: {name}={value!r}")
        if normalization not in NORMALIZATIONS:
            raise ValueError(f"`normalization` must be one of {NORMALIZATIONS}. Received: {normalization!r}")
        self.filters = filters
        self.bins = bins
        self.fusion = fusion
        self.normalization = normalization
        self.momentum = momentum
        self.epsilon = epsilon
        self.data_format = standardize_data_format(data_format)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        axis = channel_axis(self.data_format)
        if input_shape[axis] is None:
            raise ValueError(f"The channels of the input must be known. Received: input_shape={input_shape}")
        factory = LayerFactory(
            self.data_format, self.dtype_policy, self.momentum, self.epsilon, normalization=self.normalization
        )
        reduced_shape = list(input_shape)
        reduced_shape[axis] = self.filters

        def unit(shape: Any, name: str) -> keras.Sequential:
            parts = [
                factory.conv(self.filters, 1, use_bias=False, name="conv"),
                factory.norm_layer(self.filters, name="bn"),
                factory.relu(name="relu"),
            ]
            sequence = keras.Sequential(parts, name=name)
            sequence.build(tuple(shape))
            return sequence

        self.region_unit = unit(input_shape, "region")
        self.reduction_unit = unit(input_shape, "reduction")
        self.image_unit = unit(reduced_shape, "image")
        self.affinity_conv = factory.conv(self.bins**2, 1, name="affinity")
        self.affinity_conv.build(tuple(reduced_shape))
        self.residual_unit = unit(reduced_shape, "residual")
        if self.fusion:
            self.fusion_unit = unit(reduced_shape, "fusion")

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        reduced = self.reduction_unit(inputs, training=training)
        affinity = self._affinity(reduced, training)
        regions = self.region_unit(adaptive_average_pool(inputs, self.bins, self.data_format), training=training)
        context = self.residual_unit(self._mix(affinity, regions), training=training)
        x = ops.relu(context + reduced)
        return self.fusion_unit(x, training=training) if self.fusion else x

    def attention_map(self, inputs: Any, position: tuple[int, int] | None = None) -> AttentionMap:
        """How much a position takes from each region, for display.

        Args:
            inputs: As in the call.
            position: Row and column in the feature map.

        Returns:
            Weights `(batch, bins, bins)` in [0, 1].

        Raises:
            ValueError: If there is no such position.
        """
        row, column = checked_position(position, inputs, self.data_format)
        affinity = self._affinity(self.reduction_unit(inputs, training=False), training=False)
        weights = channels_last(affinity, self.data_format)[:, row, column]
        return AttentionMap("weights", ops.reshape(weights, (-1, self.bins, self.bins)))

    def _affinity(self, reduced: Any, training: bool | None) -> Any:
        """How much each pixel takes from each region."""
        image = ops.mean(reduced, axis=spatial_axes(self.data_format), keepdims=True)
        return ops.sigmoid(self.affinity_conv(reduced + self.image_unit(image, training=training)))

    def _mix(self, affinity: Any, regions: Any) -> Any:
        """For each pixel the sum of all regions, each times the pixel's affinity to it."""
        height, width = spatial_size(affinity, self.data_format)
        count = self.bins**2
        if self.data_format == "channels_last":
            affinity = ops.reshape(affinity, (-1, height * width, count))
            mixed = ops.matmul(affinity, ops.reshape(regions, (-1, count, self.filters)))
            return ops.reshape(mixed, (-1, height, width, self.filters))
        affinity = ops.reshape(affinity, (-1, count, height * width))
        mixed = ops.matmul(ops.reshape(regions, (-1, self.filters, count)), affinity)
        return ops.reshape(mixed, (-1, self.filters, height, width))

    def compute_output_spec(self, inputs: Any, training: bool | None = None) -> keras.KerasTensor:
        shape = list(inputs.shape)
        shape[channel_axis(self.data_format)] = self.filters
        return keras.KerasTensor(shape, dtype=self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.update(
            filters=self.filters,
            bins=self.bins,
            fusion=self.fusion,
            normalization=self.normalization,
            momentum=self.momentum,
            epsilon=self.epsilon,
            data_format=self.data_format,
        )
        return config
