"""The context module of dilated convolutions."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers

from keras_segpaint.layers.factory import LayerFactory
from keras_segpaint.layers.identity_initializer import IdentityInitializer
from keras_segpaint.ops.spatial import channel_axis, pad_spatial, replace_spatial, standardize_data_format

PADDINGS = ("same", "first")


@keras.saving.register_keras_serializable(package="keras_segpaint")
class ContextModule(layers.Layer):
    """3x3 convolutions whose dilation rates grow: the field of view doubles from layer to layer at full resolution.

    A last 1x1 convolution gives the result; every other one is followed by a rectifier. Initialised to the identity,
    the module hands on what it gets, negative values aside, so that it can be put behind a trained network.

    Args:
        filters: Integer >= 1, channels of the result: the classes.
        rates: Dilation rates of the 3x3 convolutions. The paper's are `(1, 1, 2, 4, 8, 16, 1)`, and `32` and `64`
            behind the `16` for Cityscapes. Defaults to `(1, 1, 2, 4, 8, 16, 1)`.
        multipliers: Channels of each 3x3 convolution as a multiple of `filters`, as many as `rates`; the paper's large
            form has `(2, 2, 4, 8, 16, 32, 32)`. `None` means one for each, the basic form. Defaults to `None`.
        padding: `"same"` pads each convolution; `"first"` pads for all of them in front of the first one, as the
            authors' network for Pascal VOC. Defaults to `"same"`.
        noise: Float >= 0, see `IdentityInitializer`. Defaults to `0.01`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        **kwargs: Base layer arguments.

    Input shape:
        `(batch, height, width, channels)`.

    Output shape:
        `(batch, height, width, filters)`.

    Raises:
        ValueError: If an argument is not one of those named.

    References:
        - [Multi-Scale Context Aggregation by Dilated Convolutions](https://arxiv.org/abs/1511.07122), section 3.

    Example:
        >>> scores = keras.random.uniform((1, 20, 30, 5))
        >>> tuple(ContextModule(5, data_format="channels_last")(scores).shape)
        (1, 20, 30, 5)
    """

    def __init__(
        self,
        filters: int,
        rates: Sequence[int] = (1, 1, 2, 4, 8, 16, 1),
        multipliers: Sequence[int] | None = None,
        padding: str = "same",
        noise: float = 0.01,
        data_format: str | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if not isinstance(filters, int) or filters < 1:
            raise ValueError(f"`filters` must be an integer >= 1. Received: filters={filters!r}")
        if not all(isinstance(rate, int) and rate >= 1 for rate in rates):
            raise ValueError(f"`rates` must be integers >= 1. Received: rates={rates!r}")
        if multipliers is not None and len(multipliers) != len(rates):
            raise ValueError(
                f"`multipliers` must be as many as `rates`. Received: multipliers={multipliers!r}, rates={rates!r}"
            )
        if padding not in PADDINGS:
            raise ValueError(f"`padding` must be one of {PADDINGS}. Received: padding={padding!r}")
        self.filters = filters
        self.rates = tuple(rates)
        self.multipliers = (1,) * len(self.rates) if multipliers is None else tuple(multipliers)
        self.padding = padding
        self.noise = noise
        self.data_format = standardize_data_format(data_format)

        build = LayerFactory(self.data_format, self.dtype_policy)
        self.convolutions = [
            build.conv(
                filters * multiplier,
                3,
                dilation_rate=rate,
                padding="same" if padding == "same" else "valid",
                activation="relu",
                kernel_initializer=IdentityInitializer(noise),
                name=f"conv{index}",
            )
            for index, (rate, multiplier) in enumerate(zip(self.rates, self.multipliers, strict=True), start=1)
        ]
        self.final = build.conv(filters, 1, kernel_initializer=IdentityInitializer(noise), name="final")

    def build(self, input_shape: tuple[int | None, ...]) -> None:
        # A small map would not hold an unpadded convolution, but it is padded when it comes.
        shape = list(replace_spatial(input_shape, (None, None), self.data_format))
        for layer in (*self.convolutions, self.final):
            layer.build(tuple(shape))
            shape[channel_axis(self.data_format)] = layer.filters

    def call(self, inputs: Any) -> Any:
        x = inputs
        if self.padding == "first":
            margin = sum(self.rates)
            x = pad_spatial(x, (margin, margin), (margin, margin), self.data_format)
        for layer in self.convolutions:
            x = layer(x)
        return self.final(x)

    def compute_output_spec(self, inputs: Any) -> keras.KerasTensor:
        shape = list(inputs.shape)
        shape[channel_axis(self.data_format)] = self.filters
        return keras.KerasTensor(tuple(shape), dtype=self.compute_dtype)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        config.update(
            filters=self.filters,
            rates=self.rates,
            multipliers=self.multipliers,
            padding=self.padding,
            noise=self.noise,
            data_format=self.data_format,
        )
        return config
