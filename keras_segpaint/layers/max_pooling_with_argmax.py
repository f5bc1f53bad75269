"""Max pooling that remembers where each maximum was."""

from typing import Any

import keras
from keras import layers

from keras_segpaint.ops.pooling import (
    Padding,
    Window,
    max_pool_with_argmax,
    pooled_size,
    standardize_padding,
    standardize_window,
)
from keras_segpaint.ops.spatial import replace_spatial, standardize_data_format, static_spatial_size


@keras.saving.register_keras_serializable(package="keras_segpaint")
class MaxPoolingWithArgmax2D(layers.Layer):
    """Max pooling that also returns the position of each maximum.

    Positions are flat, `y * width + x` within one channel of the unpadded input, as in
    `torch.nn.functional.max_pool2d(return_indices=True)`; of equal values the first in row-major order wins. Windows of
    any size and stride are allowed, overlapping ones included. `MaxUnpooling2D` is the inverse.

    Args:
        pool_size: Integer or pair of integers >= 1, height and width of the window. Defaults to `2`.
        strides: Integer or pair of integers >= 1, or `None` for `pool_size`. Defaults to `None`.
        padding: `"valid"` (windows that do not fit are dropped), `"same"` (the output size is the input size divided by
            the stride, rounded up) or an integer or pair of integers, the rows and columns added on every side as in
            PyTorch. Padding never wins. Defaults to `"valid"`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        **kwargs: Base layer arguments.

    Input shape:
        `(batch, height, width, channels)`, or channels second with `data_format="channels_first"`.

    Output shape:
        A pair: the maxima `(batch, pooled_height, pooled_width, channels)` and their positions, `int32`, same shape.

    Raises:
        ValueError: If a size, stride or padding is not one of the above.

    References:
        - [SegNet](https://arxiv.org/abs/1511.00561), section 3.

    Example:
        >>> x = keras.ops.reshape(keras.ops.arange(16.0), (1, 4, 4, 1))
        >>> pooled, positions = MaxPoolingWithArgmax2D(2, data_format="channels_last")(x)
        >>> keras.ops.convert_to_numpy(positions)[0, :, :, 0].tolist()
        [[5, 7], [13, 15]]
    """

    def __init__(
        self,
        pool_size: Window = 2,
        strides: Window | None = None,
        padding: Padding = "valid",
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.pool_size = standardize_window(pool_size, "pool_size")
        self.strides = self.pool_size if strides is None else standardize_window(strides, "strides")
        self.padding = standardize_padding(padding, self.pool_size)
        self.data_format = standardize_data_format(data_format)
        self.input_spec = layers.InputSpec(ndim=4)

    def call(self, inputs: Any) -> tuple[Any, Any]:
        return max_pool_with_argmax(inputs, self.pool_size, self.strides, self.padding, self.data_format)

    def compute_output_spec(self, inputs: Any) -> tuple[keras.KerasTensor, keras.KerasTensor]:
        size = static_spatial_size(inputs.shape, self.data_format)
        pooled = tuple(
            None if extent is None else pooled_size(extent, window, stride, self.padding, axis)
            for axis, (extent, window, stride) in enumerate(zip(size, self.pool_size, self.strides, strict=True))
        )
        shape = replace_spatial(inputs.shape, (pooled[0], pooled[1]), self.data_format)
        return keras.KerasTensor(shape, dtype=self.compute_dtype), keras.KerasTensor(shape, dtype="int32")

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.update(
            pool_size=self.pool_size, strides=self.strides, padding=self.padding, data_format=self.data_format
        )
        return config
