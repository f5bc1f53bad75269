"""The two stages that DeepFill v1 and v2 have in common: coarse, and refined with contextual attention."""

from collections.abc import Callable
from typing import Any

from keras_segpaint.layers import ContextualAttention
from keras_segpaint.layers.factory import LayerFactory

# A unit of a network: `unit(x, filters, name=..., kernel_size=3, strides=1, dilation_rate=1, upsampling=1,
# activation="elu")`, a gated convolution or a plain one.
Unit = Callable[..., Any]
# How convolutions of stride 2 pad, and how the attention makes its maps smaller.
VARIANTS = {"pytorch": ("symmetric", "top_left"), "tensorflow": ("same", "corners")}


def standardize_variant(variant: str) -> tuple[str, str]:
    """The padding of convolutions of stride 2, and `downsampling` of the attention.

    Raises:
        ValueError: If there is no such variant.
    """
    if variant not in VARIANTS:
        raise ValueError(f"`variant` must be one of {tuple(VARIANTS)}. Received: variant={variant!r}")
    return VARIANTS[variant]


def coarse_features(unit: Unit, x: Any, width: int) -> Any:
    """The first stage up to its last convolution but one."""
    x = coarse_encoder(unit, x, width)
    x = dilated(unit, x, 4 * width, "coarse_conv")
    x = unit(x, 4 * width, name="coarse_conv11")
    x = unit(x, 4 * width, name="coarse_conv12")
    return decoder(unit, x, width, "coarse_conv")


def coarse_encoder(unit: Unit, x: Any, width: int) -> Any:
    """The first stage up to its dilated convolutions."""
    x = unit(x, width, kernel_size=5, name="coarse_conv1")
    x = unit(x, 2 * width, strides=2, name="coarse_conv2")
    x = unit(x, 2 * width, name="coarse_conv3")
    x = unit(x, 4 * width, strides=2, name="coarse_conv4")
    x = unit(x, 4 * width, name="coarse_conv5")
    return unit(x, 4 * width, name="coarse_conv6")


def refined_features(
    unit: Unit, x: Any, mask: Any, width: int, attention: ContextualAttention, build: LayerFactory
) -> Any:
    """The second stage up to its last convolution but one: a branch of dilated convolutions beside one of attention."""
    y = unit(x, width, kernel_size=5, name="refine_conv1")
    y = unit(y, width, strides=2, name="refine_conv2")
    y = unit(y, 2 * width, name="refine_conv3")
    y = unit(y, 2 * width, strides=2, name="refine_conv4")
    y = unit(y, 4 * width, name="refine_conv5")
    y = unit(y, 4 * width, name="refine_conv6")
    y = dilated(unit, y, 4 * width, "refine_conv")

    z = unit(x, width, kernel_size=5, name="attention_conv1")
    z = unit(z, width, strides=2, name="attention_conv2")
    z = unit(z, 2 * width, name="attention_conv3")
    z = unit(z, 4 * width, strides=2, name="attention_conv4")
    z = unit(z, 4 * width, name="attention_conv5")
    z = unit(z, 4 * width, activation="relu", name="attention_conv6")
    z = attention(z, z, mask)
    z = unit(z, 4 * width, name="attention_conv9")
    z = unit(z, 4 * width, name="attention_conv10")

    x = build.concatenate(name="join")([y, z])
    x = unit(x, 4 * width, name="refine_conv11")
    x = unit(x, 4 * width, name="refine_conv12")
    return decoder(unit, x, width, "refine_conv")


def dilated(unit: Unit, x: Any, filters: int, name: str) -> Any:
    """Four convolutions, dilated by 2, 4, 8 and 16."""
    for index, rate in enumerate((2, 4, 8, 16), start=7):
        x = unit(x, filters, dilation_rate=rate, name=f"{name}{index}")
    return x


def decoder(unit: Unit, x: Any, width: int, name: str) -> Any:
    """From a quarter of the size back to all of it, up to the last convolution but one."""
    x = unit(x, 2 * width, upsampling=2, name=f"{name}13")
    x = unit(x, 2 * width, name=f"{name}14")
    x = unit(x, width, upsampling=2, name=f"{name}15")
    return unit(x, width // 2, name=f"{name}16")


def check_size(input_shape: tuple[int | None, int | None, int]) -> None:
    """Raises `ValueError` for a known height or width that 8 does not divide."""
    if any(extent is not None and extent % 8 for extent in input_shape[:2]):
        raise ValueError(
            "Height and width must be multiples of 8: pad the image and its mask, and crop the result. "
            f"Received: input_shape={input_shape}"
        )
