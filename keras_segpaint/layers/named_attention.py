"""Attention layers by name, for networks that take one."""

from typing import Any, TypeAlias

import keras
from keras import layers

from keras_segpaint.layers.channel_attention import ChannelAttention
from keras_segpaint.layers.conv_block_attention import ConvBlockAttention
from keras_segpaint.layers.criss_cross_attention import CrissCrossAttention
from keras_segpaint.layers.efficient_channel_attention import EfficientChannelAttention
from keras_segpaint.layers.factory import LayerFactory
from keras_segpaint.layers.non_local_block import NonLocalBlock
from keras_segpaint.layers.position_attention import PositionAttention
from keras_segpaint.layers.residual_attention import ResidualAttention
from keras_segpaint.layers.selective_kernel import SelectiveKernel
from keras_segpaint.layers.self_attention import SelfAttention2D
from keras_segpaint.layers.squeeze_excitation import SqueezeExcitation

Attention: TypeAlias = str | dict[str, Any] | layers.Layer | None

ATTENTION: dict[str, type[layers.Layer]] = {
    "cbam": ConvBlockAttention,
    "channel": ChannelAttention,
    "criss_cross": CrissCrossAttention,
    "eca": EfficientChannelAttention,
    "non_local": NonLocalBlock,
    "position": PositionAttention,
    "residual": ResidualAttention,
    "se": SqueezeExcitation,
    "self": SelfAttention2D,
    "sk": SelectiveKernel,
}


def standardize_attention(attention: Attention) -> str | dict[str, Any] | None:
    """What a network's config holds of its `attention`: `None`, a name, or a layer's configuration.

    Raises:
        ValueError: If it is no such name, no layer and no layer's configuration.
    """
    if isinstance(attention, dict):
        # As it comes from a file, lists for tuples: made again, it is the same as that of the layer.
        attention = keras.saving.deserialize_keras_object(attention)
    if isinstance(attention, layers.Layer):
        return keras.saving.serialize_keras_object(attention)
    if attention is not None and (not isinstance(attention, str) or attention not in ATTENTION):
        raise ValueError(
            f"`attention` must be one of {', '.join(map(repr, ATTENTION))}, a layer, or None. "
            f"Received: attention={attention!r}"
        )
    return attention


def attend(x: Any, attention: str | dict[str, Any] | None, build: LayerFactory, name: str) -> Any:
    """Applies a network's attention to the features `x`, by a layer of their own; `x` itself for `None`.

    Args:
        x: Feature maps of a functional graph.
        attention: As `standardize_attention` gives it. Of a layer's configuration data format, dtype and name are left
            out for those of the network.
        build: The network's layers.
        name: Of the layer.

    Raises:
        ValueError: If the layer changes the shape of the features.
    """
    if attention is None:
        return x
    settings = {"data_format": build.data_format, "dtype": build.dtype, "name": name}
    if isinstance(attention, str):
        layer = ATTENTION[attention](**settings)
    else:
        pattern = keras.saving.deserialize_keras_object(attention)
        config = pattern.get_config()
        layer = type(pattern).from_config({key: settings.get(key, value) for key, value in config.items()})
    y = layer(x)
    if tuple(y.shape) != tuple(x.shape):
        raise ValueError(
            f"`attention` must keep the shape of what it is given. Received: a layer that makes {tuple(y.shape)} of "
            f"{tuple(x.shape)}"
        )
    return y
