"""The inverse of max pooling with positions."""

from typing import Any

import keras
from keras import layers

from keras_segpaint.ops.pooling import (
    Padding,
    Window,
    max_unpool,
    standardize_padding,
    standardize_window,
    unpooled_size,
)
from keras_segpaint.ops.spatial import (
    replace_spatial,
    spatial_size,
    standardize_data_format,
    static_spatial_size,
)


@keras.saving.register_keras_serializable(package="keras_segpaint")
class MaxUnpooling2D(layers.Layer):
    """Puts pooled values back to the positions that `MaxPoolingWithArgmax2D` found; all others are zero.

    Window, stride and padding are those of the pooling layer that gave the positions. Windows that do not overlap
    (`strides == pool_size`) take a path without scattering, of built-in LiteRT operators only. Where windows overlap,
    several pooled cells may name one position: the last in row-major order is written, and each receives the whole
    gradient of that position, as in `torch.nn.functional.max_unpool2d`.

    Args:
        pool_size: Integer or pair of integers >= 1. Defaults to `2`.
        strides: Integer or pair of integers >= 1, or `None` for `pool_size`. Defaults to `None`.
        padding: `"valid"`, `"same"`, or an integer or pair of integers. Defaults to `"valid"`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        **kwargs: Base layer arguments.

    Call arguments:
        inputs: Pooled values `(batch, height, width, channels)`.
        indices: Their positions, same shape, integers: `y * width + x` in the unpooled map.
        like: Optional tensor whose height and width the result takes, usually the input of the pooling layer.
            Needed where the sizes do not divide; without it the result is the smallest map that gives this pooled size.

    Output shape:
        `(batch, unpooled_height, unpooled_width, channels)`.

    Raises:
        ValueError: If a size, stride or padding is not one that the pooling layer takes.

    References:
        - [SegNet](https://arxiv.org/abs/1511.00561), section 3.

    Example:
        >>> from keras_segpaint.layers import MaxPoolingWithArgmax2D
        >>> x = keras.random.normal((1, 5, 7, 2))
        >>> pooled, positions = MaxPoolingWithArgmax2D(2, data_format="channels_last")(x)
        >>> tuple(MaxUnpooling2D(2, data_format="channels_last")(pooled, positions, like=x).shape)
        (1, 5, 7, 2)
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

    def build(self, inputs_shape: Any, indices_shape: Any, like_shape: Any = None) -> None:
        if tuple(inputs_shape) != tuple(indices_shape):
            raise ValueError(
                "`inputs` and `indices` must have the same shape: pass both outputs of one MaxPoolingWithArgmax2D. "
                f"Received: inputs.shape={tuple(inputs_shape)}, indices.shape={tuple(indices_shape)}"
            )
        self.built = True

    def call(self, inputs: Any, indices: Any, like: Any = None) -> Any:
        if like is None:
            size = self._smallest_size(spatial_size(inputs, self.data_format))
        else:
            size = spatial_size(like, self.data_format)
        return max_unpool(inputs, indices, size, self.pool_size, self.strides, self.padding, self.data_format)

    def compute_output_spec(self, inputs: Any, indices: Any, like: Any = None) -> keras.KerasTensor:
        if like is None:
            size = self._smallest_size(static_spatial_size(inputs.shape, self.data_format))
        else:
            size = static_spatial_size(like.shape, self.data_format)
        return keras.KerasTensor(replace_spatial(inputs.shape, size, self.data_format), dtype=self.compute_dtype)

    def _smallest_size(self, size: tuple[Any, Any]) -> tuple[Any, Any]:
        rows, columns = (
            None if extent is None else unpooled_size(extent, window, stride, self.padding, axis)
            for axis, (extent, window, stride) in enumerate(zip(size, self.pool_size, self.strides, strict=True))
        )
        return rows, columns

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.update(
            pool_size=self.pool_size, strides=self.strides, padding=self.padding, data_format=self.data_format
        )
        return config
