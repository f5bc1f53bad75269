"""The residual block of networks with spatially adaptive normalisation."""

from typing import Any

import keras
from keras import initializers, layers, ops

from keras_segpaint.layers.factory import LayerFactory
from keras_segpaint.layers.spade import SPADE
from keras_segpaint.layers.spectral_normalization import SpectralNormalization
from keras_segpaint.ops.spatial import channel_axis, replace_spatial, standardize_data_format


@keras.saving.register_keras_serializable(package="keras_segpaint")
class SPADEResBlock(layers.Layer):
    """A residual block whose normalisations are told by a label map.

    Twice `SPADE`, a leaky rectifier of slope 0.2 and a 3x3 convolution, with as many channels between them as the input
    or the output has, whichever are fewer. Where input and output differ in their channels the shortcut is `SPADE` and a
    1x1 convolution without bias, and no rectifier.

    Args:
        filters: Integer >= 1, output channels.
        num_labels: As in `SPADE`. Defaults to `None`: the label map is planes.
        ignore_class: As in `SPADE`. Defaults to `255`.
        normalization: As in `SPADE`: `"batch"`, `"instance"` or `"group"`. Defaults to `"batch"`.
        hidden: Integer >= 1, as in `SPADE`. Defaults to `128`.
        spectral_norm: Whether the block's own convolutions, not those of `SPADE`, have spectral normalisation. Defaults
            to `True`.
        momentum: Float in [0, 1), of the moving statistics. Defaults to `0.9`.
        epsilon: Float, added to variances. Defaults to `1e-5`.
        kernel_initializer: Of all convolutions. Defaults to `"glorot_normal"`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        **kwargs: Base layer arguments.

    Call arguments:
        inputs: Feature maps `(batch, height, width, channels)`.
        label_map: Labels or planes, of any size, as in `SPADE`.
        training: Whether statistics are those of the batch, and spectral norms are improved.

    Output shape:
        `(batch, height, width, filters)`.

    Raises:
        ValueError: If `filters` is not an integer >= 1, or an argument is none of those that `SPADE` takes.

    References:
        - [Semantic Image Synthesis with Spatially-Adaptive Normalization](https://arxiv.org/abs/1903.07291), figure 11.

    Example:
        >>> features, labels = keras.ops.ones((1, 8, 8, 4)), keras.ops.zeros((1, 32, 32), dtype="int32")
        >>> tuple(SPADEResBlock(6, num_labels=3, data_format="channels_last")(features, labels).shape)
        (1, 8, 8, 6)
    """

    def __init__(
        self,
        filters: int,
        num_labels: int | None = None,
        ignore_class: int | None = 255,
        normalization: str = "batch",
        hidden: int = 128,
        spectral_norm: bool = True,
        momentum: float = 0.9,
        epsilon: float = 1e-5,
        kernel_initializer: Any = "glorot_normal",
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(autocast=False, **kwargs)
        if not isinstance(filters, int) or filters < 1:
            raise ValueError(f"`filters` must be an integer >= 1. Received: filters={filters!r}")
        self.filters = filters
        self.num_labels = num_labels
        self.ignore_class = ignore_class
        self.normalization = normalization
        self.hidden = hidden
        self.spectral_norm = spectral_norm
        self.momentum = momentum
        self.epsilon = epsilon
        self.kernel_initializer = initializers.get(kernel_initializer)
        self.data_format = standardize_data_format(data_format)
        self.spade_0, self.spade_1 = self._spade("spade_0"), self._spade("spade_1")

    def _spade(self, name: str) -> SPADE:
        return SPADE(
            self.num_labels,
            self.ignore_class,
            normalization=self.normalization,
            hidden=self.hidden,
            momentum=self.momentum,
            epsilon=self.epsilon,
            kernel_initializer=self.kernel_initializer,
            data_format=self.data_format,
            dtype=self.dtype_policy,
            name=name,
        )

    def _conv(self, filters: int, kernel_size: int, name: str, use_bias: bool = True) -> layers.Layer:
        make = LayerFactory(self.data_format, self.dtype_policy)
        settings: dict[str, Any] = dict(use_bias=use_bias, kernel_initializer=self.kernel_initializer)
        if self.spectral_norm:
            return SpectralNormalization(make.conv(filters, kernel_size, **settings), name=name)
        return make.conv(filters, kernel_size, name=name, **settings)

    def build(self, inputs_shape: tuple[int | None, ...], label_map_shape: tuple[int | None, ...]) -> None:
        channels = inputs_shape[channel_axis(self.data_format)]
        if channels is None:
            raise ValueError(f"The channels of the features must be known. Received: inputs of shape {inputs_shape}")
        middle = min(channels, self.filters)
        between = list(replace_spatial(inputs_shape, (None, None), self.data_format))
        between[channel_axis(self.data_format)] = middle
        self.spade_0.build(inputs_shape, label_map_shape)
        self.conv_0 = self._conv(middle, 3, "conv_0")
        self.conv_0.build(inputs_shape)
        self.spade_1.build(tuple(between), label_map_shape)
        self.conv_1 = self._conv(self.filters, 3, "conv_1")
        self.conv_1.build(tuple(between))
        self.spade_s: SPADE | None = None
        self.conv_s: Any = None
        if channels != self.filters:
            self.spade_s = self._spade("spade_s")
            self.spade_s.build(inputs_shape, label_map_shape)
            self.conv_s = self._conv(self.filters, 1, "conv_s", use_bias=False)
            self.conv_s.build(inputs_shape)

    def call(self, inputs: Any, label_map: Any, training: bool | None = None) -> Any:
        inputs = ops.cast(inputs, self.compute_dtype)
        guide = self.spade_0.guide(label_map, inputs)
        convolved = {"training": bool(training)} if self.spectral_norm else {}
        x = inputs
        for spade, conv in ((self.spade_0, self.conv_0), (self.spade_1, self.conv_1)):
            x = conv(ops.leaky_relu(spade.modulate(x, guide, training), negative_slope=0.2), **convolved)
        if self.spade_s is None:
            return inputs + x
        return self.conv_s(self.spade_s.modulate(inputs, guide, training), **convolved) + x

    def compute_output_spec(self, inputs: Any, label_map: Any, training: bool | None = None) -> keras.KerasTensor:
        shape = list(inputs.shape)
        shape[channel_axis(self.data_format)] = self.filters
        return keras.KerasTensor(tuple(shape), dtype=self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.update(
            filters=self.filters,
            num_labels=self.num_labels,
            ignore_class=self.ignore_class,
            normalization=self.normalization,
            hidden=self.hidden,
            spectral_norm=self.spectral_norm,
            momentum=self.momentum,
            epsilon=self.epsilon,
            kernel_initializer=initializers.serialize(self.kernel_initializer),
            data_format=self.data_format,
        )
        return config
