"""The attention module of residual attention networks."""

from typing import Any

import keras
from keras import layers, ops

from keras_segpaint.layers.factory import LayerFactory
from keras_segpaint.layers.resize import Resize
from keras_segpaint.ops.attention_map import AttentionMap, spatial_gates
from keras_segpaint.ops.spatial import channel_axis, standardize_data_format


@keras.saving.register_keras_serializable(package="keras_segpaint")
class ResidualAttention(layers.Layer):
    """Residual units whose output a soft mask, computed from more of the image, makes stronger: `(1 + mask) * trunk`.

    The trunk is a chain of residual units. The mask branch is an hourglass: at each of its levels a 3x3 max pooling of
    stride 2 and residual units on the way down, then as many units and bilinear resizing to the level above on the way
    up, with a residual unit between the two ways at each level but the deepest. Two 1x1 convolutions and a sigmoid end
    it. Residual units stand before and behind both branches. All units normalise and rectify in front of each of their
    three convolutions, and are a quarter as wide between the first and the last.

    Args:
        outer_units: Integer >= 0, residual units before and behind the branches, the paper's p. Defaults to `1`.
        trunk_units: Integer >= 1, those of the trunk, the paper's t. Defaults to `2`.
        mask_units: Integer >= 1, those of the mask branch from one resizing to the next, the paper's r. Defaults to
            `1`.
        levels: Integer >= 1, how often the mask branch is pooled; in the paper `3`, `2` and `1` for maps of 56, 28 and
            14 rows. Defaults to `2`.
        momentum: Float in [0, 1), of the moving statistics. Defaults to `0.9`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        **kwargs: Base layer arguments.

    Input shape:
        `(batch, height, width, channels)`, any height and width >= 1.

    Output shape:
        Same as the input.

    Raises:
        ValueError: If a number is too small.

    References:
        - [Residual Attention Network for Image Classification](https://arxiv.org/abs/1704.06904), section 3.

    Example:
        >>> tuple(ResidualAttention(levels=1, data_format="channels_last")(keras.ops.ones((1, 5, 7, 16))).shape)
        (1, 5, 7, 16)
    """

    def __init__(
        self,
        outer_units: int = 1,
        trunk_units: int = 2,
        mask_units: int = 1,
        levels: int = 2,
        momentum: float = 0.9,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        for name, value, least in (
            ("outer_units", outer_units, 0),
            ("trunk_units", trunk_units, 1),
            ("mask_units", mask_units, 1),
            ("levels", levels, 1),
        ):
            if not isinstance(value, int) or value < least:
                raise ValueError(f"`{name}` must be an integer >= {least}. Received: {name}={value!r}")
        self.outer_units = outer_units
        self.trunk_units = trunk_units
        self.mask_units = mask_units
        self.levels = levels
        self.momentum = momentum
        self.data_format = standardize_data_format(data_format)

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        factory = LayerFactory(self.data_format, self.dtype_policy, self.momentum, epsilon=1e-5)
        channels = input_shape[channel_axis(self.data_format)] or 1

        def units(count: int, name: str) -> list[_ResidualUnit]:
            made = [_ResidualUnit(factory, name=f"{name}{index}") for index in range(count)]
            for unit in made:
                unit.build(input_shape)
            return made

        self.before = units(self.outer_units, "before")
        self.behind = units(self.outer_units, "behind")
        self.trunk_chain = units(self.trunk_units, "trunk")
        self.down = [units(self.mask_units, f"down{level}_") for level in range(self.levels)]
        self.up = [units(self.mask_units, f"up{level}_") for level in range(self.levels)]
        self.across = units(self.levels - 1, "across")
        self.pool = factory.max_pool(3, strides=2, padding="same", name="pool")
        self.resize = Resize(align_corners=True, data_format=self.data_format, dtype=self.dtype_policy, name="resize")
        self.mask_norms = [factory.batch_norm(name=f"mask_norm{index}") for index in range(2)]
        self.mask_convs = [
            factory.conv(channels, 1, use_bias=index == 1, name=f"mask_conv{index}") for index in range(2)
        ]
        for layer in (*self.mask_norms, *self.mask_convs):
            layer.build(input_shape)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        x = _chain(inputs, self.before, training)
        x = (1.0 + self.mask(x, training=training)) * self.trunk(x, training=training)
        return _chain(x, self.behind, training)

    def trunk(self, x: Any, training: bool | None = None) -> Any:
        """The features that the mask is for."""
        return _chain(x, self.trunk_chain, training)

    def mask(self, x: Any, training: bool | None = None) -> Any:
        """The soft mask, in [0, 1], of the size and the channels of `x`."""
        above = []
        for level in range(self.levels):
            above.append(x)
            x = _chain(self.pool(x), self.down[level], training)
        for level in reversed(range(self.levels)):
            x = self.resize(_chain(x, self.up[level], training), like=above[level])
            if level:
                x = x + self.across[level - 1](above[level], training=training)
        for norm, conv in zip(self.mask_norms, self.mask_convs, strict=True):
            x = conv(ops.relu(norm(x, training=training)))
        return ops.sigmoid(x)

    def attention_map(self, inputs: Any, position: tuple[int, int] | None = None) -> AttentionMap:
        """The soft mask, averaged over the channels."""
        mask = self.mask(_chain(inputs, self.before, False), training=False)
        return spatial_gates(mask, self.data_format, "soft mask, mean of the channels")

    def compute_output_spec(self, inputs: Any, training: bool | None = None) -> keras.KerasTensor:
        return keras.KerasTensor(inputs.shape, dtype=self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.update(
            outer_units=self.outer_units,
            trunk_units=self.trunk_units,
            mask_units=self.mask_units,
            levels=self.levels,
            momentum=self.momentum,
            data_format=self.data_format,
        )
        return config


class _ResidualUnit(layers.Layer):
    """A pre-activated bottleneck of unchanged width."""

    def __init__(self, factory: LayerFactory, **kwargs: Any):
        super().__init__(dtype=factory.dtype, **kwargs)
        self.factory = factory

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        axis = self.factory.channel_axis % 4
        channels = input_shape[axis] or 1
        inner = max(channels // 4, 1)
        self.norms, self.convs = [], []
        for index, (width, filters, kernel_size) in enumerate(
            ((channels, inner, 1), (inner, inner, 3), (inner, channels, 1))
        ):
            shape = (*input_shape[:axis], width, *input_shape[axis + 1 :])
            norm = self.factory.batch_norm(name=f"norm{index}")
            conv = self.factory.conv(filters, kernel_size, use_bias=False, name=f"conv{index}")
            norm.build(shape)
            conv.build(shape)
            self.norms.append(norm)
            self.convs.append(conv)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        x = inputs
        for norm, conv in zip(self.norms, self.convs, strict=True):
            x = conv(ops.relu(norm(x, training=training)))
        return inputs + x


def _chain(x: Any, units: list[_ResidualUnit], training: bool | None) -> Any:
    for unit in units:
        x = unit(x, training=training)
    return x
