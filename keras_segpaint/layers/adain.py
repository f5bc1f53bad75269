"""Adaptive instance normalisation."""

from typing import Any

import keras
from keras import layers, ops

from keras_segpaint.ops.global_pooling import mean_and_deviation, over_positions
from keras_segpaint.ops.spatial import channel_axis, standardize_data_format


@keras.saving.register_keras_serializable(package="keras_segpaint")
class AdaIN(layers.Layer):
    """Adaptive instance normalisation: gives the channels of a content map the mean and deviation of a style's.

    `y = deviation(style) * (content - mean(content)) / deviation(content) + mean(style)`, for each sample and channel.
    Means and deviations are float32 under every dtype policy.

    Args:
        epsilon: Number >= 0, added to each variance under the root. Defaults to `1e-5`.
        unbiased: Whether a variance is divided by one less than the number of positions, as PyTorch does it and with it
            the published networks. A map of one position has variance 0 either way. Defaults to `True`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        **kwargs: Base layer arguments.

    Call arguments:
        content: Feature maps `(batch, height, width, channels)`.
        style: Feature maps of as many channels and of any size, or what `statistics` gives for them: a pair of mean and
            deviation, each `(batch, channels)`.
        alpha: By keyword: how much of the style the result takes: `alpha * y + (1 - alpha) * content`. A number, or a tensor of one
            for all or one for each sample. Defaults to `1.0`.

    Output shape:
        That of the content. A channel constant in `style` is nearly constant in the result.

    Raises:
        ValueError: If `epsilon` is negative, or content and style differ in their number of channels.

    References:
        - [Arbitrary Style Transfer in Real-time with Adaptive Instance Normalization](https://arxiv.org/abs/1703.06868),
          section 5.

    Example:
        >>> from keras import ops
        >>> content = ops.reshape(ops.convert_to_tensor([0.0, 2.0]), (1, 1, 2, 1))
        >>> style = ops.reshape(ops.convert_to_tensor([4.0, 8.0, 6.0]), (1, 3, 1, 1))
        >>> layer = AdaIN(unbiased=False, data_format="channels_last")
        >>> [round(float(x), 2) for x in ops.convert_to_numpy(layer(content, style)).ravel()]
        [4.37, 7.63]
    """

    def __init__(
        self, epsilon: float = 1e-5, unbiased: bool = True, data_format: str | None = None, **kwargs: Any
    ) -> None:
        if not isinstance(epsilon, int | float) or epsilon < 0:
            raise ValueError(f"`epsilon` must be a number >= 0. Received: epsilon={epsilon!r}")
        # A mean or a deviation given for the style must not be rounded to half precision.
        super().__init__(autocast=False, **kwargs)
        self.epsilon = epsilon
        self.unbiased = unbiased
        self.data_format = standardize_data_format(data_format)

    def statistics(self, features: Any) -> tuple[Any, Any]:
        """Mean and deviation of each sample and channel, each `(batch, channels)` in float32."""
        return mean_and_deviation(features, self.data_format, self.epsilon, self.unbiased)

    def call(self, content: Any, style: Any, *, alpha: Any = 1.0) -> Any:
        self._check_channels(content, style)
        maps = ops.cast(content, "float32")
        mean, deviation = self.statistics(maps)
        style_mean, style_deviation = style if isinstance(style, list | tuple) else self.statistics(style)
        scale = ops.cast(style_deviation, "float32") / deviation
        styled = (maps - over_positions(mean, self.data_format)) * over_positions(scale, self.data_format)
        styled = styled + over_positions(ops.cast(style_mean, "float32"), self.data_format)
        if not isinstance(alpha, int | float):
            alpha = ops.reshape(ops.cast(alpha, "float32"), (-1, 1, 1, 1))
            styled = alpha * styled + (1.0 - alpha) * maps
        elif alpha != 1.0:
            styled = alpha * styled + (1.0 - alpha) * maps
        return ops.cast(styled, self.compute_dtype)

    def compute_output_spec(self, content: Any, style: Any, *, alpha: Any = 1.0) -> keras.KerasTensor:
        self._check_channels(content, style)
        return keras.KerasTensor(content.shape, dtype=self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.update(epsilon=self.epsilon, unbiased=self.unbiased, data_format=self.data_format)
        return config

    def _check_channels(self, content: Any, style: Any) -> None:
        axis = channel_axis(self.data_format)
        given = style[0].shape[-1] if isinstance(style, list | tuple) else style.shape[axis]
        if content.shape[axis] != given:
            raise ValueError(
                "AdaIN takes content and style of as many channels. "
                f"Received: {content.shape[axis]} channels of content, {given} of style"
            )
