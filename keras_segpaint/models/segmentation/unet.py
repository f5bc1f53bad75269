"""U-Net, valid as published and of unchanged size."""

from typing import Any, ClassVar

import keras
from keras import layers

from keras_segpaint.layers import MatchSize2D, Resize
from keras_segpaint.layers.factory import LayerFactory
from keras_segpaint.layers.named_attention import Attention, attend, standardize_attention
from keras_segpaint.models.segmentation.base import (
    SegmentationModel,
    float32_logits,
    image_input,
    standardize_arguments,
)

# What four levels of unpadded convolutions take away from height and width.
VALID_MARGIN = 184
SMALLEST_VALID = 188


@keras.saving.register_keras_serializable(package="keras_segpaint")
class UNet(SegmentationModel):
    """U-Net: a contracting and an expanding path of four levels, joined by concatenation.

    The defaults give the network most people mean today: padded convolutions, so that the logits have the image's
    size, and batch normalisation. `padding="valid", batch_norm=False` gives the paper's: unpadded convolutions with
    bias, centre-cropped skip connections, logits 184 rows and columns smaller than the image.

    Args:
        num_classes: Integer >= 1.
        input_shape: `(height, width, channels)`; height and width may be `None`. Defaults to `(None, None, 3)`.
        padding: `"same"` or `"valid"`. Defaults to `"same"`.
        batch_norm: Boolean, batch normalisation after every 3x3 convolution, which then has no bias. `None` means
            yes with `padding="same"` and no with `"valid"`. Defaults to `None`.
        upsampling: `"transposed"` (2x2 transposed convolution that halves the channels, the paper's) or `"bilinear"`
            (parameter-free, corners aligned, with half as many channels at the bottom). Defaults to `"transposed"`.
        base_filters: Integer >= 1, channels of the first level; each level doubles them. Defaults to `64`.
        dropout: Float in [0, 1), rate at the end of the contracting path, where the paper has dropout without naming
            its rate. Defaults to `0.0`.
        pool_padding: With `padding="same"`: `"same"` rounds odd sizes up when pooling and cuts after upsampling, so any
            size >= 1 works; `"valid"` rounds down and fills up with zeros, as the PyTorch ports do, and needs at least
            16 rows and columns. Defaults to `"same"`.
        attention: `None`, or attention on each of the four skip connections, in front of the concatenation (and behind
            the crop, with `padding="valid"`): a layer, or one of `"se"`, `"eca"`, `"cbam"`, `"sk"`, `"non_local"`,
            `"self"`, `"position"`, `"channel"`, `"criss_cross"`, `"residual"`; see `keras_segpaint.layers`. Of a layer
            the configuration is taken, with weights of its own. Defaults to `None`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        dtype: Dtype or policy of the layers; the logits are float32. `None` for Keras's default.
        name: String. Defaults to `"unet"`.

    Input shape:
        float32 images in [0, 1], `(batch, height, width, channels)`: any height and width >= 1 with `padding="same"`;
        `188 + 16 * k` with `padding="valid"` (`UNet.valid_size` gives the next one).

    Output shape:
        float32 logits `(batch, height, width, num_classes)`, or 184 rows and columns less with `padding="valid"`.

    31,030,658 parameters as in the paper (1 channel, 2 classes); with batch normalisation 31,037,698 (3 channels,
    2 classes) and 17,263,042 with bilinear upsampling.

    Raises:
        ValueError: If an argument is not one of the above, or a known size breaks the rule of the valid mode.

    References:
        - [U-Net: Convolutional Networks for Biomedical Image Segmentation](https://arxiv.org/abs/1505.04597)

    Example:
        >>> import numpy as np
        >>> model = UNet(2, base_filters=2, data_format="channels_last")
        >>> tuple(model(np.zeros((1, 45, 60, 3), "float32")).shape)
        (1, 45, 60, 2)
        >>> UNet.valid_size(500)
        (508, 324)
    """

    paper: ClassVar[str] = "Ronneberger, Fischer, Brox 2015, U-Net, arXiv:1505.04597"
    good_for: ClassVar[str] = "Few images, fine structures: microscopy, medicine, maps"
    reference_parameters: ClassVar[tuple[tuple[dict[str, Any], int], ...]] = (
        ({"num_classes": 2}, 31_037_698),
        ({"num_classes": 2, "padding": "valid", "input_shape": (None, None, 1)}, 31_030_658),
    )

    def __init__(
        self,
        num_classes: int,
        *,
        input_shape: tuple[int | None, int | None, int] = (None, None, 3),
        padding: str = "same",
        batch_norm: bool | None = None,
        upsampling: str = "transposed",
        base_filters: int = 64,
        dropout: float = 0.0,
        pool_padding: str = "same",
        attention: Attention = None,
        data_format: str | None = None,
        dtype: Any = None,
        name: str = "unet",
    ):
        input_shape, data_format, policy = standardize_arguments(num_classes, input_shape, data_format, dtype)
        attention = standardize_attention(attention)
        if padding not in ("same", "valid"):
            raise ValueError(f'`padding` must be "same" or "valid". Received: padding={padding!r}')
        if upsampling not in ("transposed", "bilinear"):
            raise ValueError(f'`upsampling` must be "transposed" or "bilinear". Received: upsampling={upsampling!r}')
        if padding == "valid":
            for extent in input_shape[:2]:
                if extent is not None and self.valid_size(extent)[0] != extent:
                    raise ValueError(
                        '`input_shape` with padding="valid" must have a height and width of 188 + 16 * k; the next one '
                        f"is {self.valid_size(extent)[0]}. Received: input_shape={input_shape}"
                    )
        batch_norm = padding == "same" if batch_norm is None else batch_norm

        # === Layers ===
        build = LayerFactory(data_format, policy, momentum=0.9, epsilon=1e-5)

        def double_conv(x: Any, middle: int, filters: int, name: str) -> Any:
            for index, width in enumerate((middle, filters), start=1):
                x = build.conv(width, 3, padding=padding, use_bias=not batch_norm, name=f"{name}_conv{index}")(x)
                if batch_norm:
                    x = build.batch_norm(name=f"{name}_bn{index}")(x)
                x = build.relu(name=f"{name}_relu{index}")(x)
            return x

        def match(x: Any, like: Any, name: str) -> Any:
            return MatchSize2D("center", data_format=data_format, dtype=policy, name=name)(x, like)

        widths = [base_filters * 2**level for level in range(5)]
        if upsampling == "bilinear":
            widths[4] //= 2

        # === Functional graph ===
        inputs = x = image_input(input_shape, data_format)
        skips = []
        for level in range(5):
            if level:
                pool = "valid" if padding == "valid" else pool_padding
                x = build.max_pool(2, padding=pool, name=f"pool{level}")(x)
            x = double_conv(x, widths[level], widths[level], f"down{level}")
            if level >= 3 and dropout:
                x = layers.Dropout(dropout, dtype=policy, name=f"down{level}_dropout")(x)
            skips.append(x)
        for level in range(3, -1, -1):
            skip = skips[level]
            if upsampling == "bilinear":
                x = Resize(
                    scale=2,
                    align_corners=True,
                    data_format=data_format,
                    dtype=policy,
                    name=f"up{level}_resize",
                )(x)
            else:
                x = build.conv_transpose(widths[level], 2, strides=2, name=f"up{level}_transpose")(x)
            if padding == "valid":
                skip = match(skip, x, f"up{level}_crop")
            else:
                x = match(x, skip, f"up{level}_fit")
            skip = attend(skip, attention, build, f"up{level}_attention")
            x = build.concatenate(name=f"up{level}_concat")([skip, x])
            middle = build.channels(x) // 2 if upsampling == "bilinear" else widths[level]
            filters = widths[level] // 2 if upsampling == "bilinear" and level else widths[level]
            x = double_conv(x, middle, filters, f"up{level}")
        outputs = float32_logits(build.conv(num_classes, 1, name="classifier")(x))

        # === Config ===
        arguments = dict(
            num_classes=num_classes,
            input_shape=input_shape,
            padding=padding,
            batch_norm=batch_norm,
            upsampling=upsampling,
            base_filters=base_filters,
            dropout=dropout,
            pool_padding=pool_padding,
            attention=attention,
            data_format=data_format,
            dtype=policy.name,
        )
        super().__init__(inputs, outputs, arguments=arguments, name=name)

    @staticmethod
    def valid_size(extent: int) -> tuple[int, int]:
        """The smallest legal height or width >= `extent` in valid mode, and the size of its logits."""
        steps = max(0, -(-(extent - SMALLEST_VALID) // 16))
        size = SMALLEST_VALID + 16 * steps
        return size, size - VALID_MARGIN
