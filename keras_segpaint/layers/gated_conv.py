"""The gated convolution."""

from typing import Any

import keras
from keras import activations, layers, ops

from keras_segpaint.layers.factory import LayerFactory
from keras_segpaint.layers.gated_initializer import GatedInitializer
from keras_segpaint.layers.resize import Resize
from keras_segpaint.layers.symmetric_padding import SymmetricPadding2D
from keras_segpaint.ops.pooling import standardize_window
from keras_segpaint.ops.spatial import channel_axis, standardize_data_format
from keras_segpaint.ops.windows import convolved_shape


@keras.saving.register_keras_serializable(package="keras_segpaint")
class GatedConv2D(layers.Layer):
    """A convolution whose every output is multiplied by a gate that a second convolution learns.

    Both are one convolution of `2 * filters` channels: the first half goes through the activation, the second through a
    sigmoid. The kernel starts as `GatedInitializer` makes it.

    Args:
        filters: Integer >= 1, output channels: half of the convolution's. Papers of the DeepFill family name the latter.
        kernel_size: Integer or pair of integers >= 1. Defaults to `3`.
        strides: Integer or pair of integers >= 1; `2` halves the size. Defaults to `1`.
        dilation_rate: Integer or pair of integers >= 1. Defaults to `1`.
        upsampling: Integer >= 1, by how much the input is enlarged first, each pixel repeated; `2` doubles the size.
            Defaults to `1`.
        activation: Name or function for the first half. Defaults to `"elu"`.
        padding: `"symmetric"`, as in PyTorch: `dilation_rate * (kernel_size - 1) // 2` rows and columns of zeros on every
            side, for strides above 1 too; or `"same"`, as in TensorFlow: as few as needed, an odd one at the bottom and
            right, which for a stride of 2 and even sizes is all there is. Defaults to `"symmetric"`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        **kwargs: Base layer arguments.

    Input shape:
        `(batch, height, width, channels)`.

    Output shape:
        `(batch, new_height, new_width, filters)`.

    Raises:
        ValueError: If a number is out of range, or `padding` is not one of the above.

    References:
        - [Free-Form Image Inpainting with Gated Convolution](https://arxiv.org/abs/1806.03589), section 3.1.

    Example:
        >>> layer = GatedConv2D(4, strides=2, data_format="channels_last")
        >>> tuple(layer(keras.ops.zeros((1, 8, 9, 3))).shape)
        (1, 4, 5, 4)
    """

    def __init__(
        self,
        filters: int,
        kernel_size: int | tuple[int, int] = 3,
        strides: int | tuple[int, int] = 1,
        dilation_rate: int | tuple[int, int] = 1,
        upsampling: int = 1,
        activation: Any = "elu",
        padding: str = "symmetric",
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        for name, value in (("filters", filters), ("upsampling", upsampling)):
            if not isinstance(value, int) or value < 1:
                raise ValueError(f"`{name}` must be an integer >= 1. Received: {name}={value!r}")
        if padding not in ("symmetric", "same"):
            raise ValueError(f'`padding` must be "symmetric" or "same". Received: padding={padding!r}')
        self.filters = filters
        self.kernel_size = standardize_window(kernel_size, "kernel_size")
        self.strides = standardize_window(strides, "strides")
        self.dilation_rate = standardize_window(dilation_rate, "dilation_rate")
        self.upsampling = upsampling
        self.padding = padding
        self.activation = activations.get(activation)
        self.data_format = standardize_data_format(data_format)
        settings: dict[str, Any] = dict(data_format=self.data_format, dtype=self.dtype_policy)
        self.enlarge = Resize(scale=upsampling, interpolation="nearest", name="enlarge", **settings)
        self.pad = SymmetricPadding2D(self.kernel_size, self.dilation_rate, name="pad", **settings)
        self.conv = LayerFactory(self.data_format, self.dtype_policy).conv(
            2 * filters,
            self.kernel_size,
            strides=self.strides,
            dilation_rate=self.dilation_rate,
            padding="same" if self._pads_itself else "valid",
            kernel_initializer=GatedInitializer(),
            name="conv",
        )

    @property
    def _pads_itself(self) -> bool:
        """Whether the convolution's own padding is the one wanted."""
        symmetric = self.strides == (1, 1) and all(extent % 2 == 1 for extent in self.kernel_size)
        return symmetric or self.padding == "same"

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        # Only the channels of the shape matter to a convolution.
        self.conv.build(input_shape)

    def call(self, inputs: Any) -> Any:
        x = inputs if self.upsampling == 1 else self.enlarge(inputs)
        # A dilated convolution may have computed in another dtype.
        x = ops.cast(self.conv(x if self._pads_itself else self.pad(x)), self.compute_dtype)
        features, gate = ops.split(x, 2, axis=channel_axis(self.data_format))
        return self.activation(features) * ops.sigmoid(gate)

    def compute_output_spec(self, inputs: Any) -> keras.KerasTensor:
        shape = convolved_shape(
            inputs.shape,
            self.filters,
            kernel_size=self.kernel_size,
            strides=self.strides,
            dilation_rate=self.dilation_rate,
            data_format=self.data_format,
            scale=self.upsampling,
            same=self.padding == "same",
        )
        return keras.KerasTensor(shape, dtype=self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.update(
            filters=self.filters,
            kernel_size=self.kernel_size,
            strides=self.strides,
            dilation_rate=self.dilation_rate,
            upsampling=self.upsampling,
            activation=activations.serialize(self.activation),
            padding=self.padding,
            data_format=self.data_format,
        )
        return config
