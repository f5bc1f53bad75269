"""Kernels of transposed convolutions that upsample bilinearly."""

from typing import Any

import keras
import numpy as np
from keras import initializers, ops


@keras.saving.register_keras_serializable(package="keras_segpaint")
class BilinearInitializer(initializers.Initializer):
    """Initialises a transposed convolution to bilinear upsampling, each channel on its own.

    A `Conv2DTranspose` of stride `s` with a kernel of `2 * s` and `padding="same"` so initialised upsamples `s` times
    as `Resize` does, except within half of `s` pixels of the border, where it takes what lies outside for zeros.

    Output shape:
        Kernels `(height, width, output channels, input channels)`, both counts of channels the same: a triangle in
        height and width for each channel to itself, zeros for the others.

    Raises:
        ValueError: If the shape is not of this kind.

    References:
        - [Fully Convolutional Networks for Semantic Segmentation](https://arxiv.org/abs/1411.4038), section 3.3.

    Example:
        >>> kernel = BilinearInitializer()((4, 4, 3, 3))
        >>> [float(tap) for tap in kernel[1, :, 0, 0]]
        [0.1875, 0.5625, 0.5625, 0.1875]
    """

    def __call__(self, shape: tuple[int, ...], dtype: Any = None) -> Any:
        if len(shape) != 4 or shape[2] != shape[3]:
            raise ValueError(
                "`shape` must be (height, width, channels, channels), with as many output as input channels. "
                f"Received: shape={tuple(shape)}"
            )
        rows, columns = (_triangle(extent) for extent in shape[:2])
        kernel = np.einsum("i,j,oc->ijoc", rows, columns, np.eye(shape[2]))
        return ops.convert_to_tensor(kernel, dtype=dtype or keras.config.floatx())

    def get_config(self) -> dict[str, Any]:
        return {}


def _triangle(extent: int) -> np.ndarray:
    """The taps of linear interpolation by a factor of half of `extent`, rounded up."""
    distance = np.abs(np.arange(extent) - (extent - 1) / 2)
    return 1.0 - distance / ((extent + 1) // 2)
