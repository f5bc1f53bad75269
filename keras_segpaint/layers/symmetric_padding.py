"""Padding by the same amount on every side, as PyTorch and Caffe pad."""

from typing import Any

import keras
from keras import layers

from keras_segpaint.ops.pooling import standardize_window
from keras_segpaint.ops.spatial import (
    pad_spatial,
    replace_spatial,
    standardize_data_format,
    static_spatial_size,
)
from keras_segpaint.ops.windows import symmetric_pads


@keras.saving.register_keras_serializable(package="keras_segpaint")
class SymmetricPadding2D(layers.Layer):
    """Pads for a window of a given size, equally at top and bottom and at left and right.

    In front of a strided convolution with `padding="valid"` it gives what PyTorch's `padding=kernel_size // 2` gives;
    Keras's own `padding="same"` pads even sizes at the bottom and right only, so that weights trained elsewhere see
    the image shifted. The padding is `dilation_rate * (kernel_size - 1) // 2` on each side.

    Args:
        kernel_size: Integer or pair of integers >= 1, the window that follows.
        dilation_rate: Integer or pair of integers >= 1. Defaults to `1`.
        value: Float, what is padded with: `0.0` for convolutions, `float("-inf")` for max pooling. Defaults to `0.0`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        **kwargs: Base layer arguments.

    Input shape:
        `(batch, height, width, channels)`.

    Output shape:
        `(batch, height + 2 * pad, width + 2 * pad, channels)`.

    Raises:
        ValueError: If a size or rate is not an integer >= 1 or a pair of them.

    Example:
        >>> tuple(SymmetricPadding2D(3, data_format="channels_last")(keras.ops.zeros((1, 8, 8, 2))).shape)
        (1, 10, 10, 2)
    """

    def __init__(
        self,
        kernel_size: int | tuple[int, int],
        dilation_rate: int | tuple[int, int] = 1,
        value: float = 0.0,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.kernel_size = standardize_window(kernel_size, "kernel_size")
        self.dilation_rate = standardize_window(dilation_rate, "dilation_rate")
        self.value = float(value)
        self.data_format = standardize_data_format(data_format)

    @property
    def pad(self) -> tuple[int, int]:
        """Rows and columns added on each side."""
        return symmetric_pads(self.kernel_size, self.dilation_rate)

    def call(self, inputs: Any) -> Any:
        rows, columns = self.pad
        return pad_spatial(inputs, (rows, rows), (columns, columns), self.data_format, self.value)

    def compute_output_spec(self, inputs: Any) -> keras.KerasTensor:
        rows, columns = (
            None if extent is None else extent + 2 * pad
            for extent, pad in zip(static_spatial_size(inputs.shape, self.data_format), self.pad, strict=True)
        )
        shape = replace_spatial(inputs.shape, (rows, columns), self.data_format)
        return keras.KerasTensor(shape, dtype=self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.update(
            kernel_size=self.kernel_size,
            dilation_rate=self.dilation_rate,
            value=self.value,
            data_format=self.data_format,
        )
        return config
