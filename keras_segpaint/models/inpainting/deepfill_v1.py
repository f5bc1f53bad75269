"""DeepFill v1."""

from typing import Any, ClassVar

import keras
from keras import layers, ops

from keras_segpaint.layers import ContextualAttention, Resize, SymmetricPadding2D
from keras_segpaint.layers.factory import LayerFactory
from keras_segpaint.models.arguments import map_input, standardize_arguments
from keras_segpaint.models.image_layers import Critics, float32_image, standardize_width
from keras_segpaint.models.inpainting.base import InpaintingModel, keep_known
from keras_segpaint.models.inpainting.two_stage import (
    check_size,
    coarse_features,
    refined_features,
    standardize_variant,
)
from keras_segpaint.models.remembered import RememberedModel

PAPER = "Yu, Lin, Yang, Shen, Lu, Huang 2018, Generative Image Inpainting with Contextual Attention, arXiv:1801.07892"


@keras.saving.register_keras_serializable(package="keras_segpaint")
class DeepFillV1(InpaintingModel):
    """DeepFill v1: plain convolutions in two stages, the second with contextual attention.

    Both stages see the mask and a plane of ones beside the image. Results are clipped to [-1, 1].

    Args:
        base_filters: Width of the first convolution, a multiple of 2. Defaults to `32`.
        patch_norm: Of the attention: `"clip"` as published, `"add"` as a PyTorch port has it. Defaults to `"clip"`.
        variant: `"pytorch"`, whose convolutions of stride 2 pad alike on every side and whose attention compares every
            second position; or `"tensorflow"`, as the original computes, for weights that were trained with it: padded
            at the bottom and right only, and compared at positions spread evenly from corner to corner. Defaults to
            `"pytorch"`.
        both_stages: Whether to give both stages' results. Defaults to `False`.
        input_shape: `(height, width, channels)` of the image; height and width may be `None`. Defaults to `(None, None,
            3)`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        dtype: Dtype or policy of the layers; images are float32. `None` for Keras's default.
        name: String. Defaults to `"deepfill_v1"`.

    Input shape:
        `[image, mask]`: float32 images in [-1, 1] `(batch, height, width, channels)`, and hole masks `(batch, height,
        width, 1)`, 1 for a hole. Height and width are multiples of 8, and 32 at least.

    Output shape:
        float32 images in [-1, 1] of the input's shape, or with `both_stages` a dictionary of two of them, `"image"`
        and `"coarse"`.

    3,601,542 parameters.

    Raises:
        ValueError: If an argument is not one of the above.

    References:
        - [Generative Image Inpainting with Contextual Attention](https://arxiv.org/abs/1801.07892)

    Example:
        >>> import numpy as np
        >>> model = DeepFillV1(base_filters=4, data_format="channels_last")
        >>> image, mask = np.zeros((1, 64, 64, 3), "float32"), np.ones((1, 64, 64, 1), "float32")
        >>> tuple(model([image, mask]).shape)
        (1, 64, 64, 3)
    """

    paper: ClassVar[str] = PAPER
    good_for: ClassVar[str] = "Rectangular holes, filled with what the rest of the image shows"
    size_multiple: ClassVar[int] = 8
    coarse_weight: ClassVar[float] = 1.2
    smallest_size: ClassVar[int] = 32
    reference_parameters: ClassVar[tuple[tuple[dict[str, Any], int], ...]] = (({}, 3_601_542),)

    def __init__(
        self,
        base_filters: int = 32,
        *,
        patch_norm: str = "clip",
        variant: str = "pytorch",
        both_stages: bool = False,
        input_shape: tuple[int | None, int | None, int] = (None, None, 3),
        data_format: str | None = None,
        dtype: Any = None,
        name: str = "deepfill_v1",
    ):
        input_shape, data_format, policy = standardize_arguments(input_shape, data_format, dtype)
        standardize_width(base_filters, "base_filters", divisor=2)
        check_size(input_shape)
        padding, downsampling = standardize_variant(variant)

        # === Layers ===
        build = LayerFactory(data_format, policy)
        settings: dict[str, Any] = dict(data_format=data_format, dtype=policy)

        def unit(
            x: Any,
            filters: int,
            *,
            name: str,
            kernel_size: int = 3,
            strides: int = 1,
            dilation_rate: int = 1,
            upsampling: int = 1,
            activation: str = "elu",
        ) -> Any:
            if upsampling > 1:
                x = Resize(scale=upsampling, interpolation="nearest", name=f"{name}_enlarge", **settings)(x)
            if strides > 1 and padding == "symmetric":
                x = SymmetricPadding2D(kernel_size, name=f"{name}_pad", **settings)(x)
            elif strides > 1:
                # Sizes are even: this is all of TensorFlow's "same". A layer in either case keeps the weights in order.
                x = layers.ZeroPadding2D(((0, 1), (0, 1)), name=f"{name}_pad", **settings)(x)
            conv = build.conv(
                filters,
                kernel_size,
                strides=strides,
                dilation_rate=dilation_rate,
                padding="valid" if strides > 1 else "same",
                activation=activation,
                name=name,
            )
            return conv(x)

        def image_of(x: Any, conv: str, name: str) -> Any:
            x = float32_image(build.conv(input_shape[2], 3, name=conv)(x), "linear", f"{name}_unclipped")
            return ops.clip(x, -1.0, 1.0)

        # === Functional graph ===
        image = map_input(input_shape, input_shape[2], data_format, "image")
        mask = map_input(input_shape, 1, data_format, "mask")
        known, ones = image * (1.0 - mask), ops.ones_like(mask)
        x = build.concatenate(name="coarse_input")([known, ones, mask])
        coarse = image_of(coarse_features(unit, x, base_filters), "coarse_conv17", "coarse")
        x = build.concatenate(name="refine_input")([keep_known(known, mask, coarse), ones, mask])
        attention = ContextualAttention(patch_norm=patch_norm, downsampling=downsampling, name="attention", **settings)
        x = refined_features(unit, x, mask, base_filters, attention, build)
        refined = image_of(x, "refine_conv17", "refined")

        # === Config ===
        arguments = dict(
            base_filters=base_filters,
            patch_norm=patch_norm,
            variant=variant,
            both_stages=both_stages,
            input_shape=input_shape,
            data_format=data_format,
            dtype=policy.name,
        )
        outputs = {"image": refined, "coarse": coarse} if both_stages else refined
        super().__init__([image, mask], outputs, arguments=arguments, name=name)


# Widths of the convolutions over that of the first, and the size of the images that they see.
CRITICS = {"global": ((1, 2, 4, 4), (256, 256, 3)), "local": ((1, 2, 4, 8), (128, 128, 3))}


@keras.saving.register_keras_serializable(package="keras_segpaint")
class DeepFillV1Critic(RememberedModel):
    """One of the two critics of DeepFill v1: convolutions of stride 2, and one number for the image.

    Args:
        region: `"global"`, which sees the whole image, or `"local"`, wider at the end, which sees the part around the
            hole. Defaults to `"global"`.
        base_filters: Integer >= 1, width of the first convolution. Defaults to `64`.
        input_shape: `(height, width, channels)`, all known. `None` for the paper's: 256x256 for the global critic,
            128x128 for the local one.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        dtype: Dtype or policy of the layers; the judgement is float32. `None` for Keras's default.
        name: String. Defaults to `"deepfill_v1_critic"`.

    Input shape:
        float32 images in [-1, 1], `(batch, height, width, channels)`.

    Output shape:
        float32 judgements `(batch, 1)`, larger for what looks real.

    2,733,441 parameters, the local critic 4,339,329.

    Raises:
        ValueError: If `region` is not one of the above, or a size is unknown.

    References:
        - [Generative Image Inpainting with Contextual Attention](https://arxiv.org/abs/1801.07892), section 3.2.

    Example:
        >>> import numpy as np
        >>> critic = DeepFillV1Critic("local", base_filters=2, input_shape=(32, 32, 3), data_format="channels_last")
        >>> tuple(critic(np.zeros((1, 32, 32, 3), "float32")).shape)
        (1, 1)
    """

    paper: ClassVar[str] = PAPER
    good_for: ClassVar[str] = "The critics that DeepFillV1 is trained against"
    reference_parameters: ClassVar[tuple[tuple[dict[str, Any], int], ...]] = (
        ({"region": "global"}, 2_733_441),
        ({"region": "local"}, 4_339_329),
    )

    def __init__(
        self,
        region: str = "global",
        *,
        base_filters: int = 64,
        input_shape: tuple[int, int, int] | None = None,
        data_format: str | None = None,
        dtype: Any = None,
        name: str = "deepfill_v1_critic",
    ):
        if region not in CRITICS:
            raise ValueError(f"`region` must be one of {sorted(CRITICS)}. Received: region={region!r}")
        factors, usual = CRITICS[region]
        shape, data_format, policy = standardize_arguments(input_shape or usual, data_format, dtype)
        if None in shape:
            raise ValueError(f"`input_shape` must be known: the last layer sees all of it. Received: {input_shape}")
        standardize_width(base_filters, "base_filters")

        # === Layers ===
        build = Critics(data_format, policy)

        # === Functional graph ===
        image = map_input(shape, shape[2], data_format, "image")
        x = image
        for index, factor in enumerate(factors, start=1):
            x = SymmetricPadding2D(5, data_format=data_format, dtype=policy, name=f"conv{index}_pad")(x)
            x = build.conv(factor * base_filters, 5, strides=2, padding="valid", name=f"conv{index}")(x)
            x = build.leaky_relu(name=f"conv{index}_relu")(x)
        # The flattened order is that of channels last in either data format, so that weights fit both.
        x = layers.Flatten(data_format=data_format, dtype=policy, name="flatten")(x)
        outputs = layers.Dense(1, dtype="float32", name="judgement")(x)

        # === Config ===
        arguments = dict(
            region=region,
            base_filters=base_filters,
            input_shape=shape,
            data_format=data_format,
            dtype=policy.name,
        )
        super().__init__(image, outputs, arguments=arguments, name=name)
