"""Local response normalisation across channels."""

from typing import Any

import keras
from keras import layers, ops

from keras_segpaint.ops.spatial import channel_axis, standardize_data_format


@keras.saving.register_keras_serializable(package="keras_segpaint")
class LocalResponseNormalization(layers.Layer):
    """Divides each value by a power of the mean square of its neighbouring channels.

    `x / (bias + alpha / size * sum of squares over size channels) ** beta`, the sum taken over the `size` channels
    around each one, fewer at the ends: Caffe's `LRN` across channels and `torch.nn.LocalResponseNorm`.

    Args:
        size: Odd integer >= 1, channels in each sum. Defaults to `5`.
        alpha: Float. Defaults to `1e-4`.
        beta: Float. Defaults to `0.75`.
        bias: Float. Defaults to `1.0`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        **kwargs: Base layer arguments.

    Input shape:
        `(batch, height, width, channels)`.

    Output shape:
        Same as the input.

    Raises:
        ValueError: If `size` is not an odd integer >= 1.

    References:
        - [ImageNet Classification with Deep Convolutional Networks](https://doi.org/10.1145/3065386), section 3.3.

    Example:
        >>> x = keras.ops.ones((1, 2, 2, 3))
        >>> y = LocalResponseNormalization(size=1, alpha=3.0, beta=0.5, data_format="channels_last")(x)
        >>> float(y[0, 0, 0, 0])
        0.5
    """

    def __init__(
        self,
        size: int = 5,
        alpha: float = 1e-4,
        beta: float = 0.75,
        bias: float = 1.0,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if size < 1 or size % 2 == 0:
            raise ValueError(f"`size` must be an odd integer >= 1. Received: size={size}")
        self.size = size
        self.alpha = alpha
        self.beta = beta
        self.bias = bias
        self.data_format = standardize_data_format(data_format)

    def call(self, inputs: Any) -> Any:
        axis = channel_axis(self.data_format) % 4
        x = ops.cast(inputs, "float32")
        channels = inputs.shape[axis]
        margin = [(0, 0)] * 4
        margin[axis] = (self.size // 2, self.size // 2)
        squares = ops.pad(x * x, margin)
        window = [slice(None)] * 4
        total = ops.zeros_like(x)
        for shift in range(self.size):
            window[axis] = slice(shift, shift + channels)
            total = total + squares[tuple(window)]
        scale = ops.power(self.bias + (self.alpha / self.size) * total, -self.beta)
        return ops.cast(x * scale, self.compute_dtype)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        return input_shape

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.update(size=self.size, alpha=self.alpha, beta=self.beta, bias=self.bias, data_format=self.data_format)
        return config
