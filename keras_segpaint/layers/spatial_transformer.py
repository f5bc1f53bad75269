"""Spatial transformer: a map that is turned, scaled and shifted as a network says."""

from typing import Any

import keras
from keras import layers, ops

from keras_segpaint.layers.factory import LayerFactory
from keras_segpaint.layers.symmetric_padding import SymmetricPadding2D
from keras_segpaint.ops.adaptive_pooling import adaptive_average_pool
from keras_segpaint.ops.grid_sampling import affine_grid, grid_sample
from keras_segpaint.ops.labels import channels_last
from keras_segpaint.ops.pooling import standardize_window
from keras_segpaint.ops.spatial import channel_axis, replace_spatial, spatial_size, standardize_data_format

# Of the default localisation network: channels of its convolutions, rows and columns of means, units behind them.
FILTERS = (16, 32)
BINS = 4
UNITS = 32


@keras.saving.register_keras_serializable(package="keras_segpaint")
class SpatialTransformer(layers.Layer):
    """Samples a map along an affine transformation that is computed from the map itself.

    A localisation network sees the map; one more layer makes six numbers of what it says, the matrix that leads from
    places of the output to places of the input. Places run from -1 to 1 between the outer edges of a map, x before y.
    The output is sampled bilinearly, and 0 where a place lies outside of the map: PyTorch's `affine_grid` and
    `grid_sample` with `align_corners=False`. The last layer starts as the identity. Places are computed in float32.

    Args:
        localization: A layer or model from the map to `(batch, numbers)` or `(batch, ..., numbers)`, in the map's data
            format; `None` for two 3x3 convolutions of stride 2, 16 and 32 channels, means of 4x4 regions and a layer of
            32 units, all rectified. Defaults to `None`.
        size: Height and width of the output, integers >= 1; `None` for those of the input. Defaults to `None`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        **kwargs: Base layer arguments.

    Input shape:
        `(batch, height, width, channels)`.

    Output shape:
        Same as the input, or of the height and width `size`.

    Raises:
        ValueError: If `localization` is no layer or `size` no pair of integers >= 1.

    References:
        - [Spatial Transformer Networks](https://arxiv.org/abs/1506.02025), section 3.

    Example:
        >>> layer = SpatialTransformer(size=(4, 4), data_format="channels_last")
        >>> tuple(layer(keras.ops.ones((1, 8, 9, 3))).shape)
        (1, 4, 4, 3)
    """

    def __init__(
        self,
        localization: keras.layers.Layer | None = None,
        size: tuple[int, int] | None = None,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if localization is not None and not isinstance(localization, layers.Layer):
            raise ValueError(f"`localization` must be a layer, a model or None. Received: {localization!r}")
        self.has_default = localization is None
        self.size = None if size is None else standardize_window(size, "size")
        self.data_format = standardize_data_format(data_format)
        self.localization = localization or _Localization(
            self.data_format, dtype=self.dtype_policy, name="localization"
        )
        # Half precision would move a large map by whole pixels.
        self.theta = layers.Dense(
            6,
            kernel_initializer="zeros",
            bias_initializer=_identity_transform,
            dtype="float32",
            name="theta",
        )

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        if not self.localization.built:
            self.localization.build(input_shape)
        shape = self.localization.compute_output_shape(input_shape)
        units = 1
        for extent in shape[1:]:
            if extent is None:
                raise ValueError(f"`localization` must give as many numbers for any map. Received: shape {shape}")
            units *= extent
        self.theta.build((None, units))

    def transform(self, inputs: Any) -> Any:
        """The matrices `(batch, 2, 3)`, float32."""
        x = ops.reshape(self.localization(inputs), (-1, self.theta.kernel.shape[0]))
        return ops.reshape(self.theta(x), (-1, 2, 3))

    def call(self, inputs: Any) -> Any:
        size = self.size or spatial_size(inputs, self.data_format)
        grid = affine_grid(self.transform(inputs), size)
        return grid_sample(inputs, grid, self.data_format)

    def compute_output_spec(self, inputs: Any) -> keras.KerasTensor:
        shape = inputs.shape if self.size is None else replace_spatial(inputs.shape, self.size, self.data_format)
        return keras.KerasTensor(shape, dtype=self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.update(
            localization=None if self.has_default else keras.saving.serialize_keras_object(self.localization),
            size=self.size,
            data_format=self.data_format,
        )
        return config

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "SpatialTransformer":
        config = dict(config)
        if isinstance(config.get("localization"), dict):
            config["localization"] = keras.saving.deserialize_keras_object(config["localization"])
        return cls(**config)


def _identity_transform(shape: Any, dtype: Any = None) -> Any:
    return ops.convert_to_tensor([1.0, 0.0, 0.0, 0.0, 1.0, 0.0], dtype=dtype)


class _Localization(layers.Layer):
    """The default localisation network."""

    def __init__(self, data_format: str, **kwargs: Any):
        super().__init__(**kwargs)
        self.data_format = data_format
        build = LayerFactory(data_format, self.dtype_policy)
        self.pad = SymmetricPadding2D(3, data_format=data_format, dtype=self.dtype_policy, name="pad")
        self.convs = [
            build.conv(filters, 3, strides=2, padding="valid", activation="relu", name=f"conv{index}")
            for index, filters in enumerate(FILTERS)
        ]
        self.dense = layers.Dense(UNITS, activation="relu", dtype=self.dtype_policy, name="dense")

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        axis = channel_axis(self.data_format)
        # Only the channels of the shape matter, and padding is yet to come.
        shape = list(replace_spatial(input_shape, (None, None), self.data_format))
        for conv, filters in zip(self.convs, FILTERS, strict=True):
            conv.build(tuple(shape))
            shape[axis] = filters
        self.dense.build((None, BINS**2 * FILTERS[-1]))

    def call(self, inputs: Any) -> Any:
        x = inputs
        for conv in self.convs:
            x = conv(self.pad(x))
        # In the same order for either data format, so that weights fit both.
        x = channels_last(adaptive_average_pool(x, BINS, self.data_format), self.data_format)
        return self.dense(ops.reshape(x, (-1, BINS**2 * FILTERS[-1])))

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return (input_shape[0], UNITS)
