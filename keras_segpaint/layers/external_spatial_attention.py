"""External spatial attention, whose keys and values are weights."""

from typing import Any

import keras
from keras import layers, ops

from keras_segpaint.layers.resize import Resize
from keras_segpaint.ops.spatial import (
    channel_axis,
    replace_spatial,
    standardize_data_format,
    static_spatial_size,
)


@keras.saving.register_keras_serializable(package="keras_segpaint")
class ExternalSpatialAttention(layers.Layer):
    """Mixes the rows of a map by an external key, then its columns by an external value: trained, the same for all images.

    Layer normalisation over the channels; then for each column and channel two linear maps without bias along the
    height, `height -> 2 * height -> height`, with a GELU between them (the key); then the same along the width (the
    value). There is neither a softmax nor a residual connection, and the weights are shared by all channels.

    The weights are as large as the map, so the layer is bound to one height and width. With `resize=True` maps of other
    sizes are resized to that one and the result back, bilinearly; this is not in the paper.

    Args:
        size: `(height, width)` of the maps; `None` for those that the layer is built for. Defaults to `None`.
        factor: Integer >= 1, hidden units of key and value over height and width. Defaults to `2`.
        resize: Whether other sizes are taken. Defaults to `False`.
        epsilon: Of the normalisation. Defaults to `1e-5`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        **kwargs: Base layer arguments.

    Input shape:
        `(batch, height, width, channels)`.

    Output shape:
        Same as the input.

    `2 * channels + 4 * height ** 2 + 4 * width ** 2` parameters: 33,024 of 128 channels at 64x64.

    Raises:
        ValueError: If an argument is not one of the above, the size is not known, or maps have another one.

    References:
        - [Interactive Image Inpainting Using Semantic Guidance](https://arxiv.org/abs/2201.10753), the ESPA module.

    Example:
        >>> layer = ExternalSpatialAttention(data_format="channels_last")
        >>> tuple(layer(keras.ops.zeros((2, 6, 5, 4))).shape), layer.count_params()
        ((2, 6, 5, 4), 252)
    """

    def __init__(
        self,
        size: tuple[int, int] | None = None,
        factor: int = 2,
        resize: bool = False,
        epsilon: float = 1e-5,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if size is not None and (len(size) != 2 or any(not isinstance(side, int) or side < 1 for side in size)):
            raise ValueError(f"`size` must be None or (height, width), integers >= 1. Received: size={size!r}")
        if not isinstance(factor, int) or factor < 1:
            raise ValueError(f"`factor` must be an integer >= 1. Received: factor={factor!r}")
        self.size = None if size is None else (size[0], size[1])
        self.factor = factor
        self.resize = resize
        self.epsilon = epsilon
        self.data_format = standardize_data_format(data_format)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        axis = channel_axis(self.data_format)
        height, width = self.size or static_spatial_size(input_shape, self.data_format)
        if height is None or width is None or input_shape[axis] is None:
            raise ValueError(
                "External attention is made for one height and width: build it for maps of known size, or give `size` "
                f"(and `resize=True` for maps of any size). Received: input_shape={tuple(input_shape)}"
            )
        self.built_size = (height, width)
        self.gamma = self.add_weight(shape=(input_shape[axis],), initializer="ones", name="gamma")
        self.beta = self.add_weight(shape=(input_shape[axis],), initializer="zeros", name="beta")
        self.key_in = self._weight("key_in", height, self.factor * height)
        self.key_out = self._weight("key_out", self.factor * height, height)
        self.value_in = self._weight("value_in", width, self.factor * width)
        self.value_out = self._weight("value_out", self.factor * width, width)
        if self.resize:
            self.resizing = Resize(data_format=self.data_format, dtype=self.dtype_policy, name="resizing")
            self.fixing = Resize(self.built_size, data_format=self.data_format, dtype=self.dtype_policy, name="fixing")

    def call(self, inputs: Any) -> Any:
        self._check_size(tuple(inputs.shape))
        x = self._normalized(self.fixing(inputs) if self.resize else inputs)
        rows, columns = ("bhwc", "bnwc"), ("bhwc", "bhnc")
        if self.data_format == "channels_first":
            rows, columns = ("bchw", "bcnw"), ("bchw", "bchn")
        x = _two_maps(x, self.key_in, self.key_out, "h", *rows)
        x = _two_maps(x, self.value_in, self.value_out, "w", *columns)
        return self.resizing(x, like=inputs) if self.resize else x

    def compute_output_spec(self, inputs: Any) -> keras.KerasTensor:
        self._check_size(tuple(inputs.shape))
        shape = tuple(inputs.shape)
        if not self.resize:
            shape = replace_spatial(shape, self.size or static_spatial_size(shape, self.data_format), self.data_format)
        return keras.KerasTensor(shape, dtype=self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.update(
            size=self.size,
            factor=self.factor,
            resize=self.resize,
            epsilon=self.epsilon,
            data_format=self.data_format,
        )
        return config

    def _normalized(self, x: Any) -> Any:
        """Layer normalisation over the channels, in float32. Keras's own takes no channels second on PyTorch."""
        axis = channel_axis(self.data_format)
        shape = (-1,) if axis == -1 else (-1, 1, 1)
        gamma, beta = (ops.reshape(ops.cast(weight, "float32"), shape) for weight in (self.gamma, self.beta))
        x = ops.cast(x, "float32")
        x = x - ops.mean(x, axis=axis, keepdims=True)
        x = x * ops.rsqrt(ops.mean(ops.square(x), axis=axis, keepdims=True) + self.epsilon)
        return ops.cast(x * gamma + beta, self.compute_dtype)

    def _weight(self, name: str, inputs: int, outputs: int) -> Any:
        return self.add_weight(shape=(inputs, outputs), initializer="glorot_uniform", name=name)

    def _check_size(self, shape: tuple[int | None, ...]) -> None:
        own = self.size or getattr(self, "built_size", None)
        given = static_spatial_size(shape, self.data_format)
        if self.resize or own is None:
            return
        if any(extent not in (None, wanted) for extent, wanted in zip(given, own, strict=True)):
            raise ValueError(
                f"This external attention is for maps of {own[0]} x {own[1]}, the size of its weights. Give maps of that "
                f"size, or make it with `resize=True`. Received: maps of {given[0]} x {given[1]}"
            )


def _two_maps(x: Any, first: Any, second: Any, axis: str, before: str, within: str) -> Any:
    """Two linear maps along an axis with a GELU between them."""
    hidden = ops.gelu(ops.einsum(f"{before},{axis}n->{within}", x, first), approximate=False)
    return ops.einsum(f"{within},n{axis}->{before}", hidden, second)
