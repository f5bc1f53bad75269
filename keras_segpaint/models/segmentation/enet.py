"""ENet, as published and as its two best-known PyTorch layouts."""

from dataclasses import dataclass
from typing import Any, ClassVar

import keras
from keras import layers, ops

from keras_segpaint.layers import MatchSize2D, MaxPoolingWithArgmax2D, MaxUnpooling2D, SymmetricPadding2D
from keras_segpaint.layers.factory import LayerFactory
from keras_segpaint.layers.named_attention import Attention, attend, standardize_attention
from keras_segpaint.models.segmentation.base import (
    SegmentationModel,
    float32_logits,
    image_input,
    standardize_arguments,
)
from keras_segpaint.ops.spatial import spatial_axes


@dataclass(frozen=True)
class Variant:
    """Where published implementations of ENet differ."""

    initial_pool: int = 2  # window of the pool beside the first convolution
    down_pool: int = 2  # window of the pools with positions
    conv_bias: bool = True  # bias of the convolutions of full width inside a bottleneck
    inner_from_input: bool = False  # resampling bottlenecks: a quarter of the input's width, not of the output's
    inner_shared: bool = False  # one PReLU slope for the whole map inside a bottleneck, not one a channel
    outer_shared: bool = False  # the same after the sum
    last_activation: bool = False  # an activation after the last normalisation of a branch
    decoder_prelu: bool = False  # PReLU in the decoder, not ReLU
    decoder_dropout: float = 0.0
    up_kernel: int = 3  # transposed convolution of the upsampling bottlenecks
    up_last_activation: bool = False
    final_kernel: int = 2
    epsilon: float = 1e-3


VARIANTS = {
    "paper": Variant(),
    "pytorch": Variant(
        initial_pool=3,
        conv_bias=False,
        inner_from_input=True,
        inner_shared=True,
        outer_shared=True,
        last_activation=True,
        decoder_dropout=0.1,
        up_kernel=2,
        final_kernel=3,
        epsilon=1e-5,
    ),
    "pytorch_2018": Variant(
        initial_pool=3,
        down_pool=3,
        conv_bias=False,
        inner_from_input=True,
        inner_shared=True,
        last_activation=True,
        decoder_prelu=True,
        decoder_dropout=0.1,
        up_last_activation=True,
        final_kernel=3,
        epsilon=1e-5,
    ),
}

# The eight bottlenecks of stage 2, which stage 3 repeats (table 1 of the paper).
STAGE: tuple[dict[str, Any], ...] = (
    dict(kind="regular"),
    dict(kind="dilated", dilation=2),
    dict(kind="asymmetric"),
    dict(kind="dilated", dilation=4),
    dict(kind="regular"),
    dict(kind="dilated", dilation=8),
    dict(kind="asymmetric"),
    dict(kind="dilated", dilation=16),
)


@keras.saving.register_keras_serializable(package="keras_segpaint")
class ENet(SegmentationModel):
    """ENet: a small network of bottlenecks for real-time segmentation.

    Args:
        num_classes: Integer >= 1.
        input_shape: `(height, width, channels)`; height and width may be `None`. Defaults to `(None, None, 3)`.
        variant: Which published layout: `"paper"` (Torch, as published), `"pytorch"` (the widespread PyTorch port: 3x3
            pool at the entry, one PReLU slope a map, no biases, resampling bottlenecks of a quarter of their input) or
            `"pytorch_2018"` (its first layout: overlapping 3x3 pools, PReLU in the decoder). Defaults to `"paper"`.
        stage: `"full"`, or `"encoder"` for the first of the paper's two training stages: the encoder with a 1x1
            classifier at an eighth of the size. Layers of both have the same names. Defaults to `"full"`.
        attention: `None`, or attention between encoder and decoder: a layer, or one of `"se"`, `"eca"`, `"cbam"`,
            `"sk"`, `"non_local"`, `"self"`, `"position"`, `"channel"`, `"criss_cross"`, `"residual"`; see
            `keras_segpaint.layers`. Of a layer the configuration is taken, with weights of its own. Defaults to `None`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        dtype: Dtype or policy of the layers; the logits are float32. `None` for Keras's default.
        name: String. Defaults to `"enet"`.

    Input shape:
        float32 images in [0, 1], `(batch, height, width, channels)`, any height and width >= 1.

    Output shape:
        float32 logits `(batch, height, width, num_classes)`; with `stage="encoder"` an eighth of the height and width,
        rounded up.

    363,856 parameters at 12 classes, 364,376 at 20 (encoder stage 340,736). Variant `"pytorch"` 350,652 and
    `"pytorch_2018"` 359,780 at 12 classes.

    References:
        - [ENet: A Deep Neural Network Architecture for Real-Time Semantic Segmentation](https://arxiv.org/abs/1606.02147)

    Example:
        >>> import numpy as np
        >>> model = ENet(12, data_format="channels_last")
        >>> tuple(model(np.zeros((1, 45, 60, 3), "float32")).shape)
        (1, 45, 60, 12)
    """

    paper: ClassVar[str] = "Paszke, Chaurasia, Kim, Culurciello 2016, ENet, arXiv:1606.02147"
    good_for: ClassVar[str] = "Video and phones: few parameters, real time"
    reference_parameters: ClassVar[tuple[tuple[dict[str, Any], int], ...]] = (
        ({"num_classes": 12}, 363_856),
        ({"num_classes": 20}, 364_376),
    )

    def __init__(
        self,
        num_classes: int,
        *,
        input_shape: tuple[int | None, int | None, int] = (None, None, 3),
        variant: str = "paper",
        stage: str = "full",
        attention: Attention = None,
        data_format: str | None = None,
        dtype: Any = None,
        name: str = "enet",
    ):
        input_shape, data_format, policy = standardize_arguments(num_classes, input_shape, data_format, dtype)
        attention = standardize_attention(attention)
        if variant not in VARIANTS:
            raise ValueError(f"`variant` must be one of {sorted(VARIANTS)}. Received: variant={variant!r}")
        if stage not in ("full", "encoder"):
            raise ValueError(f'`stage` must be "full" or "encoder". Received: stage={stage!r}')

        # === Layers ===
        build = _Blocks(VARIANTS[variant], data_format, policy)

        # === Functional graph ===
        inputs = image_input(input_shape, data_format)
        x = initial = build.initial(inputs)
        x, positions1 = build.down(x, 64, dropout=0.01, name="bottleneck1_0")
        for index in range(1, 5):
            x = build.bottleneck(x, kind="regular", dropout=0.01, name=f"bottleneck1_{index}")
        stage1 = x
        x, positions2 = build.down(x, 128, dropout=0.1, name="bottleneck2_0")
        for number in (2, 3):
            for index, block in enumerate(STAGE, start=1):
                x = build.bottleneck(x, **block, dropout=0.1, name=f"bottleneck{number}_{index}")
        x = attend(x, attention, build, "attention")
        if stage == "encoder":
            x = build.conv(num_classes, 1, name="encoder_classifier")(x)
        else:
            x = build.up(x, 64, positions2, like=stage1, name="bottleneck4_0")
            x = build.bottleneck(x, kind="regular", decoder=True, name="bottleneck4_1")
            x = build.bottleneck(x, kind="regular", decoder=True, name="bottleneck4_2")
            x = build.up(x, 16, positions1, like=initial, name="bottleneck5_0")
            x = build.bottleneck(x, kind="regular", decoder=True, name="bottleneck5_1")
            x = build.double(x, num_classes, build.variant.final_kernel, like=inputs, name="classifier")
        outputs = float32_logits(x)

        # === Config ===
        arguments = dict(
            num_classes=num_classes,
            input_shape=input_shape,
            variant=variant,
            stage=stage,
            attention=attention,
            data_format=data_format,
            dtype=policy.name,
        )
        super().__init__(inputs, outputs, arguments=arguments, name=name)


class _Blocks(LayerFactory):
    """The building blocks of one variant."""

    def __init__(self, variant: Variant, data_format: str, dtype: Any):
        super().__init__(data_format, dtype, momentum=0.9, epsilon=variant.epsilon)
        self.variant = variant

    def activation(self, name: str, shared: bool, decoder: bool) -> layers.Layer:
        """PReLU with one slope a channel or one for the map, or the decoder's ReLU."""
        if decoder and not self.variant.decoder_prelu:
            return self.relu(name=name)
        spatial = list(spatial_axes(self.data_format))
        return layers.PReLU(
            keras.initializers.Constant(0.25),
            shared_axes=[1, 2, 3] if shared else spatial,
            dtype=self.dtype,
            name=name,
        )

    def inner(self, x: Any, conv: layers.Layer, name: str, decoder: bool) -> Any:
        """Convolution, normalisation and activation inside a bottleneck."""
        x = self.batch_norm(name=f"{name}_bn")(conv(x))
        return self.activation(f"{name}_act", self.variant.inner_shared, decoder)(x)

    def initial(self, x: Any) -> Any:
        """The entry: a strided convolution beside a pool."""
        v, channels = self.variant, self.channels(x)
        padded = SymmetricPadding2D(3, data_format=self.data_format, dtype=self.dtype, name="initial_pad")(x)
        conv = self.conv(16 - channels, 3, strides=2, padding="valid", use_bias=v.conv_bias, name="initial_conv")(
            padded
        )
        if v.initial_pool == 2:
            pool = self.max_pool(2, padding="same", name="initial_pool")(x)
        else:
            pool = SymmetricPadding2D(
                3,
                value=float("-inf"),
                data_format=self.data_format,
                dtype=self.dtype,
                name="initial_pool_pad",
            )(x)
            pool = self.max_pool(3, strides=2, name="initial_pool")(pool)
        x = self.concatenate(name="initial_concat")([conv, pool])
        x = self.batch_norm(name="initial_bn")(x)
        return self.activation("initial_act", v.outer_shared, decoder=False)(x)

    def bottleneck(
        self, x: Any, *, kind: str, name: str, dilation: int = 1, dropout: float = 0.0, decoder: bool = False
    ) -> Any:
        """A bottleneck that keeps size and width: regular, dilated or asymmetric."""
        v, width = self.variant, self.channels(x)
        inner = width // 4
        y = self.inner(x, self.conv(inner, 1, use_bias=False, name=f"{name}_reduce"), f"{name}_reduce", decoder)
        if kind == "asymmetric":
            # Normalisation follows both halves in the ports; in the original the 5x1 half stands bare, without bias.
            first = self.conv(inner, (5, 1), use_bias=False, name=f"{name}_conv_5x1")
            if v.last_activation:
                y = self.inner(y, first, f"{name}_conv_5x1", decoder)
            else:
                y = first(y)
            conv = self.conv(inner, (1, 5), use_bias=v.conv_bias, name=f"{name}_conv")
        else:
            conv = self.conv(inner, 3, dilation_rate=dilation, use_bias=v.conv_bias, name=f"{name}_conv")
        y = self.inner(y, conv, f"{name}_conv", decoder)
        return self.join(x, y, width, dropout, name, decoder, v.last_activation)

    def down(self, x: Any, width: int, *, dropout: float, name: str) -> tuple[Any, Any]:
        """A bottleneck that halves the size; also returns the positions of its pool."""
        v, channels = self.variant, self.channels(x)
        inner = (channels if v.inner_from_input else width) // 4
        y = self.inner(
            x, self.conv(inner, 2, strides=2, use_bias=False, name=f"{name}_reduce"), f"{name}_reduce", False
        )
        y = self.inner(y, self.conv(inner, 3, use_bias=v.conv_bias, name=f"{name}_conv"), f"{name}_conv", False)
        pool = MaxPoolingWithArgmax2D(**self._pool(), name=f"{name}_pool")
        skip, positions = pool(x)
        margins = [(0, 0)] * 4
        margins[self.channel_axis] = (0, width - channels)
        skip = ops.pad(skip, margins)
        return self.join(skip, y, width, dropout, name, False, v.last_activation), positions

    def up(self, x: Any, width: int, positions: Any, *, like: Any, name: str) -> Any:
        """A bottleneck that doubles the size, to that of `like`, by the positions of its pool."""
        v = self.variant
        inner = (self.channels(x) if v.inner_from_input else width) // 4
        skip = self.conv(width, 1, use_bias=False, name=f"{name}_skip")(x)
        skip = self.batch_norm(name=f"{name}_skip_bn")(skip)
        skip = MaxUnpooling2D(**self._pool(), name=f"{name}_unpool")(skip, positions, like=like)
        y = self.inner(x, self.conv(inner, 1, use_bias=False, name=f"{name}_reduce"), f"{name}_reduce", True)
        y = self.double(y, inner, v.up_kernel, like=like, name=f"{name}_conv", use_bias=v.conv_bias)
        y = self.batch_norm(name=f"{name}_conv_bn")(y)
        y = self.activation(f"{name}_conv_act", v.inner_shared, decoder=True)(y)
        return self.join(skip, y, width, 0.0, name, True, v.up_last_activation)

    def join(
        self, skip: Any, y: Any, width: int, dropout: float, name: str, decoder: bool, last_activation: bool
    ) -> Any:
        """The end of every bottleneck: expansion, dropout, sum and activation."""
        v = self.variant
        y = self.conv(width, 1, use_bias=False, name=f"{name}_expand")(y)
        y = self.batch_norm(name=f"{name}_expand_bn")(y)
        if last_activation:
            y = self.activation(f"{name}_expand_act", v.inner_shared, decoder)(y)
        dropout = v.decoder_dropout if decoder else dropout
        if dropout:
            y = layers.SpatialDropout2D(
                dropout, data_format=self.data_format, dtype=self.dtype, name=f"{name}_dropout"
            )(y)
        x = self.add(name=f"{name}_add")([skip, y])
        return self.activation(f"{name}_act", v.outer_shared, decoder)(x)

    def double(
        self, x: Any, filters: int, kernel_size: int, *, like: Any, name: str, use_bias: bool | None = None
    ) -> Any:
        """A transposed convolution of stride 2, cut to the size of `like`; of 3x3 kernels as PyTorch with padding 1."""
        if use_bias is None:
            use_bias = self.variant.conv_bias
        x = self.conv_transpose(filters, kernel_size, strides=2, padding="valid", use_bias=use_bias, name=name)(x)
        if kernel_size == 3:
            x = layers.Cropping2D(
                ((1, 0), (1, 0)), data_format=self.data_format, dtype=self.dtype, name=f"{name}_crop"
            )(x)
        return MatchSize2D(data_format=self.data_format, dtype=self.dtype, name=f"{name}_fit")(x, like)

    def _pool(self) -> dict[str, Any]:
        overlapping = self.variant.down_pool == 3
        return dict(
            pool_size=self.variant.down_pool,
            strides=2,
            padding=1 if overlapping else "same",
            data_format=self.data_format,
            dtype=self.dtype,
        )
