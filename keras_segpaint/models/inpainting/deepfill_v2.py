"""DeepFill v2."""

from typing import Any, ClassVar

import keras
from keras import ops

from keras_segpaint.layers import ContextualAttention, GatedConv2D, SpectralNormalization, SymmetricPadding2D
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

PAPER = "Yu, Lin, Yang, Shen, Lu, Huang 2019, Free-Form Image Inpainting with Gated Convolution, arXiv:1806.03589"


@keras.saving.register_keras_serializable(package="keras_segpaint")
class DeepFillV2(InpaintingModel):
    """DeepFill v2: gated convolutions in two stages, the second with contextual attention.

    A gated convolution of nominal width `cnum` has `cnum // 2` outputs. As in the released model the second stage sees
    the first one's result and neither the mask (but for its attention) nor the sketch.

    Args:
        cnum: Nominal width of the first convolution, a multiple of 4. Defaults to `48`.
        sketch: Whether there is a third input, a sketch of edges `(batch, height, width, 1)` in [0, 1], to guide the
            filling. What it has outside of the holes is not used. Defaults to `False`.
        variant: `"pytorch"`, whose convolutions of stride 2 pad alike on every side and whose attention compares every
            second position; or `"tensorflow"`, as the original computes, for weights that were trained with it: padded
            at the bottom and right only, and compared at positions spread evenly from corner to corner. Defaults to
            `"pytorch"`.
        both_stages: Whether to give both stages' results. Defaults to `False`.
        input_shape: `(height, width, channels)` of the image; height and width may be `None`. Defaults to `(None, None,
            3)`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        dtype: Dtype or policy of the layers; images are float32. `None` for Keras's default.
        name: String. Defaults to `"deepfill_v2"`.

    Input shape:
        `[image, mask]`, with `sketch` `[image, mask, sketch]`: float32 images in [-1, 1] `(batch, height, width,
        channels)`, and hole masks `(batch, height, width, 1)`, 1 for a hole. Height and width are multiples of 8, and
        32 at least.

    Output shape:
        float32 images in [-1, 1] of the input's shape, or with `both_stages` a dictionary of two of them, `"image"`
        and `"coarse"`.

    4,052,478 parameters; with sketch 4,053,678.

    Raises:
        ValueError: If an argument is not one of the above.

    References:
        - [Free-Form Image Inpainting with Gated Convolution](https://arxiv.org/abs/1806.03589)

    Example:
        >>> import numpy as np
        >>> model = DeepFillV2(cnum=8, data_format="channels_last")
        >>> image, mask = np.zeros((1, 64, 64, 3), "float32"), np.ones((1, 64, 64, 1), "float32")
        >>> tuple(model([image, mask]).shape)
        (1, 64, 64, 3)
    """

    paper: ClassVar[str] = PAPER
    good_for: ClassVar[str] = "Holes of any shape, filled with what the rest of the image shows"
    size_multiple: ClassVar[int] = 8
    smallest_size: ClassVar[int] = 32
    reference_parameters: ClassVar[tuple[tuple[dict[str, Any], int], ...]] = (
        ({}, 4_052_478),
        ({"sketch": True}, 4_053_678),
    )

    def __init__(
        self,
        cnum: int = 48,
        *,
        sketch: bool = False,
        variant: str = "pytorch",
        both_stages: bool = False,
        input_shape: tuple[int | None, int | None, int] = (None, None, 3),
        data_format: str | None = None,
        dtype: Any = None,
        name: str = "deepfill_v2",
    ):
        input_shape, data_format, policy = standardize_arguments(input_shape, data_format, dtype)
        width = standardize_width(cnum, "cnum", divisor=4) // 2
        check_size(input_shape)
        padding, downsampling = standardize_variant(variant)

        # === Layers ===
        build = LayerFactory(data_format, policy)
        settings: dict[str, Any] = dict(data_format=data_format, dtype=policy)

        def unit(x: Any, filters: int, **kwargs: Any) -> Any:
            return GatedConv2D(filters, padding=padding, **kwargs, **settings)(x)

        # === Functional graph ===
        image = map_input(input_shape, input_shape[2], data_format, "image")
        mask = map_input(input_shape, 1, data_format, "mask")
        inputs = [image, mask]
        known = image * (1.0 - mask)
        planes = [known, ops.ones_like(mask), mask]
        if sketch:
            inputs.append(map_input(input_shape, 1, data_format, "sketch"))
            planes.insert(1, inputs[2] * mask)
        x = coarse_features(unit, build.concatenate(name="coarse_input")(planes), width)
        coarse = float32_image(build.conv(input_shape[2], 3, name="coarse_conv17")(x), "tanh", "coarse")
        x = keep_known(known, mask, coarse)
        attention = ContextualAttention(downsampling=downsampling, name="attention", **settings)
        x = refined_features(unit, x, mask, width, attention, build)
        refined = float32_image(build.conv(input_shape[2], 3, name="refine_conv17")(x), "tanh", "refined")

        # === Config ===
        arguments = dict(
            cnum=cnum,
            sketch=sketch,
            variant=variant,
            both_stages=both_stages,
            input_shape=input_shape,
            data_format=data_format,
            dtype=policy.name,
        )
        outputs = {"image": refined, "coarse": coarse} if both_stages else refined
        super().__init__(inputs, outputs, arguments=arguments, name=name)


@keras.saving.register_keras_serializable(package="keras_segpaint")
class SNPatchDiscriminator(RememberedModel):
    """The critic of DeepFill v2: spectrally normalised convolutions, one judgement for each place and feature.

    Six 5x5 convolutions of stride 2, each followed by a leaky rectifier of slope 0.2, the last one too; every number of
    the last map is one judgement. In training each call takes one step of power iteration.

    Args:
        base_filters: Integer >= 1, width of the first convolution; the others have 2, 4, 4, 4 and 4 times as many.
            Defaults to `64`.
        sketch: Whether there is a third input, a sketch `(batch, height, width, 1)`. Defaults to `False`.
        input_shape: `(height, width, channels)` of the image; height and width may be `None`. Defaults to `(None, None,
            3)`.
        data_format: `"channels_last"`, `"channels_first"` or `None` for Keras's default.
        dtype: Dtype or policy of the layers; the judgements are float32. `None` for Keras's default.
        name: String. Defaults to `"sn_patch_discriminator"`.

    Input shape:
        `[image, mask]`, with `sketch` `[image, mask, sketch]`: float32 images in [-1, 1] and hole masks, 1 for a hole.

    Output shape:
        float32 judgements `(batch, ceil(height / 64), ceil(width / 64), 4 * base_filters)`, larger for what looks real.

    5,946,816 parameters.

    References:
        - [Free-Form Image Inpainting with Gated Convolution](https://arxiv.org/abs/1806.03589), section 3.3.

    Example:
        >>> import numpy as np
        >>> model = SNPatchDiscriminator(base_filters=2, data_format="channels_last")
        >>> image, mask = np.zeros((1, 128, 64, 3), "float32"), np.ones((1, 128, 64, 1), "float32")
        >>> tuple(model([image, mask]).shape)
        (1, 2, 1, 8)
    """

    paper: ClassVar[str] = PAPER
    good_for: ClassVar[str] = "The critic that DeepFillV2 is trained against"
    reference_parameters: ClassVar[tuple[tuple[dict[str, Any], int], ...]] = (({}, 5_946_816),)

    def __init__(
        self,
        base_filters: int = 64,
        *,
        sketch: bool = False,
        input_shape: tuple[int | None, int | None, int] = (None, None, 3),
        data_format: str | None = None,
        dtype: Any = None,
        name: str = "sn_patch_discriminator",
    ):
        input_shape, data_format, policy = standardize_arguments(input_shape, data_format, dtype)
        standardize_width(base_filters, "base_filters")

        # === Layers ===
        build = Critics(data_format, policy)

        def unit(x: Any, filters: int, name: str) -> Any:
            x = SymmetricPadding2D(5, data_format=data_format, dtype=policy, name=f"{name}_pad")(x)
            conv = build.conv(filters, 5, strides=2, padding="valid")
            return build.leaky_relu(name=f"{name}_relu")(SpectralNormalization(conv, name=name)(x))

        # === Functional graph ===
        inputs = [
            map_input(input_shape, input_shape[2], data_format, "image"),
            map_input(input_shape, 1, data_format, "mask"),
        ]
        if sketch:
            inputs.append(map_input(input_shape, 1, data_format, "sketch"))
        x = build.concatenate(name="together")(inputs)
        for index, factor in enumerate((1, 2, 4, 4, 4, 4), start=1):
            x = unit(x, factor * base_filters, f"conv{index}")
        outputs = float32_image(x, "linear", "judgements")

        # === Config ===
        arguments = dict(
            base_filters=base_filters,
            sketch=sketch,
            input_shape=input_shape,
            data_format=data_format,
            dtype=policy.name,
        )
        super().__init__(inputs, outputs, arguments=arguments, name=name)
