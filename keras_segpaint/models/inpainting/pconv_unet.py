"""The U-Net of partial convolutions."""

from typing import Any, ClassVar

import keras
from keras import layers

from keras_segpaint.layers import PartialConv2D, Resize
from keras_segpaint.layers.factory import LayerFactory
from keras_segpaint.models.arguments import map_input, standardize_arguments
from keras_segpaint.models.image_layers import float32_image, standardize_width
from keras_segpaint.models.inpainting.base import InpaintingModel

# Kernel size and width over that of the first level; all deeper levels are like the last.
ENCODER = ((7, 1), (5, 2), (5, 4), (3, 8))


@keras.saving.register_keras_serializable(package="keras_segpaint")
class PConvUNet(InpaintingModel):
    """A U-Net of partial convolutions, in which the holes close from their border inwards.

    Every level halves the size by a partial convolution; every step up doubles features and mask, each pixel repeated,
    and joins them with those of the encoder, at the end with the image and its mask. Training is in two stages: in the
    second the batch normalisation of the encoder is frozen, since hole pixels spoil its statistics.

    Args:
        levels: Integer >= 4, how often the size is halved: 8 for 512x512, 7 for 256x256. Defaults to `8`.
        base_filters: Integer >= 1, width of the first level; deeper levels have 2, 4 and 8 times as many. Defaults to
            `64`.
        frozen_encoder_norm: Whether the encoder's batch normalisation is frozen. Defaults to `False`.
        input_shape: `(height, width, channels)` of the image; height and width may be `None`. Defaults to `(None, None,
            3)`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        dtype: Dtype or policy of the layers; the image is float32. `None` for Keras's default.
        name: String. Defaults to `"pconv_unet"`.

    Input shape:
        `[image, mask]`: float32 images in [-1, 1] `(batch, height, width, channels)`, any height and width >= 1, and
        hole masks `(batch, height, width, 1)`, 1 for a hole.

    Output shape:
        float32 images of the input's shape; the last layer is linear, clip them to [-1, 1].

    32,859,796 parameters; of 7 levels 25,779,860. Convolutions have a bias where no normalisation follows.

    Raises:
        ValueError: If an argument is not one of the above.

    References:
        - [Image Inpainting for Irregular Holes Using Partial Convolutions](https://arxiv.org/abs/1804.07723)

    Example:
        >>> import numpy as np
        >>> model = PConvUNet(levels=4, base_filters=2, data_format="channels_last")
        >>> image, mask = np.zeros((1, 45, 60, 3), "float32"), np.ones((1, 45, 60, 1), "float32")
        >>> tuple(model([image, mask]).shape)
        (1, 45, 60, 3)
    """

    paper: ClassVar[str] = (
        "Liu, Reda, Shih, Wang, Tao, Catanzaro 2018, Image Inpainting for Irregular Holes Using Partial Convolutions, "
        "arXiv:1804.07723"
    )
    good_for: ClassVar[str] = "Irregular holes, many small ones above all, without a critic"
    reference_parameters: ClassVar[tuple[tuple[dict[str, Any], int], ...]] = (
        ({}, 32_859_796),
        ({"levels": 7}, 25_779_860),
    )

    def __init__(
        self,
        levels: int = 8,
        *,
        base_filters: int = 64,
        frozen_encoder_norm: bool = False,
        input_shape: tuple[int | None, int | None, int] = (None, None, 3),
        data_format: str | None = None,
        dtype: Any = None,
        name: str = "pconv_unet",
    ):
        input_shape, data_format, policy = standardize_arguments(input_shape, data_format, dtype)
        standardize_width(base_filters, "base_filters")
        if not isinstance(levels, int) or levels < len(ENCODER):
            raise ValueError(f"`levels` must be an integer >= {len(ENCODER)}. Received: levels={levels!r}")

        # === Layers ===
        build = LayerFactory(data_format, policy, epsilon=1e-5)
        settings: dict[str, Any] = dict(data_format=data_format, dtype=policy)
        enlarge = Resize(interpolation="nearest", name="enlarge", **settings)

        # === Functional graph ===
        image = map_input(input_shape, input_shape[2], data_format, "image")
        mask = map_input(input_shape, 1, data_format, "mask")
        x, hole = image, mask
        skips = [(x, hole)]
        widths = [input_shape[2]]
        for level in range(1, levels + 1):
            kernel_size, factor = ENCODER[min(level, len(ENCODER)) - 1]
            widths.append(factor * base_filters)
            conv = PartialConv2D(
                widths[-1], kernel_size, strides=2, use_bias=level == 1, name=f"encoder{level}", **settings
            )
            x, hole = conv(x, hole)
            if level > 1:
                x = build.batch_norm(trainable=not frozen_encoder_norm, name=f"encoder{level}_bn")(x)
            x = build.relu(name=f"encoder{level}_relu")(x)
            skips.append((x, hole))
        for level in range(levels, 0, -1):
            skip, skip_hole = skips[level - 1]
            conv = PartialConv2D(widths[level - 1], 3, use_bias=level == 1, name=f"decoder{level}", **settings)
            x, hole = conv([enlarge(x, like=skip), skip], [enlarge(hole, like=skip), skip_hole])
            if level > 1:
                x = build.batch_norm(name=f"decoder{level}_bn")(x)
                x = layers.LeakyReLU(negative_slope=0.2, dtype=policy, name=f"decoder{level}_relu")(x)
        outputs = float32_image(x, "linear", "filled")

        # === Config ===
        arguments = dict(
            levels=levels,
            base_filters=base_filters,
            frozen_encoder_norm=frozen_encoder_norm,
            input_shape=input_shape,
            data_format=data_format,
            dtype=policy.name,
        )
        super().__init__([image, mask], outputs, arguments=arguments, name=name)

    def freeze_encoder_norm(self, frozen: bool = True) -> None:
        """Freezes the encoder's batch normalisation, or frees it; call `compile` afterwards."""
        for layer in self.layers:
            if layer.name.startswith("encoder") and layer.name.endswith("_bn"):
                layer.trainable = not frozen
        self._arguments["frozen_encoder_norm"] = frozen
