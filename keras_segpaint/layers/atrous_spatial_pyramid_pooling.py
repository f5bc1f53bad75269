"""Atrous spatial pyramid pooling, summed (DeepLab v2) and concatenated (v3 and v3+)."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers, ops

from keras_segpaint.layers.factory import NORMALIZATIONS, LayerFactory
from keras_segpaint.layers.resize import Resize
from keras_segpaint.ops.precision import dilated_policy
from keras_segpaint.ops.spatial import channel_axis, spatial_axes, standardize_data_format

MODES = ("concat", "sum")


@keras.saving.register_keras_serializable(package="keras_segpaint")
class AtrousSpatialPyramidPooling(layers.Layer):
    """Looks at a feature map through several fields of view at once: 3x3 convolutions of different dilation rates.

    With `mode="concat"` (DeepLab v3) a 1x1 convolution, one 3x3 convolution for each rate and the image's mean, taken
    through a 1x1 convolution and spread over the map again, are each normalised and rectified, concatenated, and
    reduced by a last 1x1 convolution, normalised and rectified too. With `mode="sum"` (DeepLab v2) the 3x3 convolutions
    have biases and nothing else, and their sum is the result: with `filters` the number of classes, the logits.

    Args:
        filters: Integer >= 1, channels of every branch and of the result.
        rates: Dilation rates, integers >= 1. Papers have `(6, 12, 18)` at an output stride of 16 and `(12, 24, 36)` at
            8 (v3), `(6, 12, 18, 24)` at 8 (v2). Defaults to `(6, 12, 18)`.
        mode: `"concat"` or `"sum"`. Defaults to `"concat"`.
        separable: Boolean, depthwise and pointwise convolutions in place of the 3x3 ones (v3+). Not with `"sum"`.
            Defaults to `False`.
        depthwise_norm: Boolean, whether normalisation and a rectifier stand between a depthwise and its pointwise
            convolution, as in the authors' code; segmentation_models.pytorch has none. Defaults to `True`.
        image_pooling: Boolean, whether the image's mean is a branch of `"concat"`. Defaults to `True`.
        normalization: `"batch"`, `"frozen_batch"` or `"group"`, in `"concat"`. The image's mean is a single pixel, and
            batch normalisation of a batch of one of them gives a constant: train batches of one with one of the other
            two. Defaults to `"batch"`.
        dropout: Float in [0, 1), rate behind the last convolution of `"concat"`. Defaults to `0.0`.
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
        - [DeepLab (v2)](https://arxiv.org/abs/1606.00915), section 3.2.
        - [Rethinking Atrous Convolution for Semantic Image Segmentation (v3)](https://arxiv.org/abs/1706.05587),
          section 3.3.
        - [Encoder-Decoder with Atrous Separable Convolution (v3+)](https://arxiv.org/abs/1802.02611)

    Example:
        >>> x = keras.random.normal((2, 9, 13, 8))
        >>> tuple(AtrousSpatialPyramidPooling(16, data_format="channels_last")(x).shape)
        (2, 9, 13, 16)
    """

    def __init__(
        self,
        filters: int,
        rates: Sequence[int] = (6, 12, 18),
        mode: str = "concat",
        separable: bool = False,
        depthwise_norm: bool = True,
        image_pooling: bool = True,
        normalization: str = "batch",
        dropout: float = 0.0,
        momentum: float = 0.9,
        epsilon: float = 1e-5,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if not isinstance(filters, int) or filters < 1:
            raise ValueError(f"`filters` must be an integer >= 1. Received: filters={filters!r}")
        self.rates = tuple(rates)
        if not self.rates or not all(isinstance(rate, int) and rate >= 1 for rate in self.rates):
            raise ValueError(f"`rates` must be integers >= 1, at least one. Received: rates={rates!r}")
        if mode not in MODES:
            raise ValueError(f"`mode` must be one of {MODES}. Received: mode={mode!r}")
        if mode == "sum" and (separable or dropout):
            raise ValueError(
                '`separable` and `dropout` go with mode="concat". '
                f"Received: mode={mode!r}, separable={separable}, dropout={dropout}"
            )
        if normalization not in NORMALIZATIONS:
            raise ValueError(f"`normalization` must be one of {NORMALIZATIONS}. Received: {normalization!r}")
        if not 0 <= dropout < 1:
            raise ValueError(f"`dropout` must be in [0, 1). Received: dropout={dropout}")
        self.filters = filters
        self.mode = mode
        self.separable = separable
        self.depthwise_norm = depthwise_norm
        self.image_pooling = image_pooling
        self.normalization = normalization
        self.dropout = dropout
        self.momentum = momentum
        self.epsilon = epsilon
        self.data_format = standardize_data_format(data_format)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        axis = channel_axis(self.data_format)
        channels = input_shape[axis]
        if channels is None:
            raise ValueError(f"The channels of the input must be known. Received: input_shape={input_shape}")
        factory = LayerFactory(
            self.data_format, self.dtype_policy, self.momentum, self.epsilon, normalization=self.normalization
        )
        if self.mode == "sum":
            self.branches = [self._classifier(factory, rate) for rate in self.rates]
        else:
            self.branches = [_sequence(_unit(factory, self.filters), "branch0")]
            for index, rate in enumerate(self.rates, start=1):
                self.branches.append(_sequence(self._atrous(factory, rate, channels), f"branch{index}"))
            if self.image_pooling:
                self.image_branch = _sequence(_unit(factory, self.filters), "image_branch")
                self.image_branch.build(input_shape)
                self.image_resize = Resize(data_format=self.data_format, dtype=self.dtype_policy, name="image_resize")
            projection = _unit(factory, self.filters)
            if self.dropout:
                projection.append(layers.Dropout(self.dropout, dtype=self.dtype_policy, name="dropout"))
            self.projection = _sequence(projection, "projection")
            merged = (len(self.branches) + self.image_pooling) * self.filters
            self.projection.build(_with_channels(input_shape, merged, axis))
        for branch in self.branches:
            branch.build(input_shape)

    def _classifier(self, factory: LayerFactory, rate: int) -> layers.Layer:
        noise = keras.initializers.RandomNormal(stddev=0.01)
        return factory.conv(self.filters, 3, dilation_rate=rate, kernel_initializer=noise, name=f"rate{rate}")

    def _atrous(self, factory: LayerFactory, rate: int, channels: int) -> list[layers.Layer]:
        if not self.separable:
            return _unit(factory, self.filters, 3, rate)
        unit: list[layers.Layer] = [
            layers.DepthwiseConv2D(
                3,
                padding="same",
                dilation_rate=rate,
                use_bias=False,
                depthwise_initializer="he_normal",
                data_format=self.data_format,
                dtype=dilated_policy(self.dtype_policy),
                name="depthwise",
            )
        ]
        if self.depthwise_norm:
            unit += [factory.norm_layer(channels, name="depthwise_bn"), factory.relu(name="depthwise_relu")]
        return unit + _unit(factory, self.filters)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        if self.mode == "sum":
            total = self.branches[0](inputs)
            for branch in self.branches[1:]:
                total = total + branch(inputs)
            return ops.cast(total, self.compute_dtype)
        results = [branch(inputs, training=training) for branch in self.branches]
        if self.image_pooling:
            mean = ops.mean(inputs, axis=spatial_axes(self.data_format), keepdims=True)
            results.append(self.image_resize(self.image_branch(mean, training=training), like=inputs))
        merged = ops.concatenate(results, axis=channel_axis(self.data_format))
        return self.projection(merged, training=training)

    def compute_output_spec(self, inputs: Any, training: bool | None = None) -> keras.KerasTensor:
        shape = _with_channels(inputs.shape, self.filters, channel_axis(self.data_format))
        return keras.KerasTensor(shape, dtype=self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.update(
            filters=self.filters,
            rates=self.rates,
            mode=self.mode,
            separable=self.separable,
            depthwise_norm=self.depthwise_norm,
            image_pooling=self.image_pooling,
            normalization=self.normalization,
            dropout=self.dropout,
            momentum=self.momentum,
            epsilon=self.epsilon,
            data_format=self.data_format,
        )
        return config


def _unit(factory: LayerFactory, filters: int, kernel_size: int = 1, rate: int = 1) -> list[layers.Layer]:
    """A convolution, its normalisation and a rectifier."""
    return [
        factory.conv(filters, kernel_size, dilation_rate=rate, use_bias=False, name="conv"),
        factory.norm_layer(filters, name="bn"),
        factory.relu(name="relu"),
    ]


def _sequence(unit: list[layers.Layer], name: str) -> keras.Sequential:
    return keras.Sequential(unit, name=name)


def _with_channels(shape: tuple[int | None, ...], channels: int, axis: int) -> tuple[int | None, ...]:
    result = list(shape)
    result[axis] = channels
    return tuple(result)
