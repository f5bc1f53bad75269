"""What an attention layer of a network attends to in an image."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from keras_segpaint.ops.attention_map import AttentionMap, Kind
from keras_segpaint.ops.spatial import spatial_size
from keras_segpaint.viz.overlay import to_rgb


@dataclass(frozen=True)
class Attention:
    """What a layer attends to in one image, as `plot_attention` draws it.

    Args:
        layer: The layer's name.
        kind: What `values` holds: `"weights"`, `"gates"`, `"channels"` or `"offsets"`.
        values: float32, `"weights"` `(rows, columns)`: how much the position takes from each position; `"gates"`
            `(rows, columns, maps)`: how much each position counts; `"channels"` `(queries, channels)`: how much each
            channel takes from each channel, or with one row by how much each channel is multiplied; `"offsets"`
            `(rows, columns, 2)`: rows and columns from each position to the one that it takes most from. Rows and
            columns are those of the layer's grid over the image.
        names: One name for each map of `"gates"`.
        image: uint8 RGB `(height, width, 3)`.
        position: Row and column of a pixel, for `"weights"`.
        hole_mask: `(height, width)`, 1 is a hole; `None` if the network takes none.
    """

    layer: str
    kind: Kind
    values: np.ndarray
    names: tuple[str, ...]
    image: np.ndarray
    position: tuple[int, int] | None = None
    hole_mask: np.ndarray | None = None


def attention_map(
    model: keras.Model,
    image: np.ndarray,
    layer: str | keras.layers.Layer | None = None,
    position: Sequence[int] | None = None,
    *,
    hole_mask: np.ndarray | None = None,
    application: int = -1,
) -> Attention:
    """Runs a network on an image and asks one of its attention layers what it attends to.

    Any layer takes part that has the method `attention_map(*inputs, position=None)`, which gives a
    `keras_segpaint.ops.attention_map.AttentionMap`: position, criss-cross, non-local, channel and scale attention, gates of
    channels and positions, contextual attention, and layers of your own.

    Args:
        model: The network, in which the layer may lie at any depth.
        image: `(height, width)` or `(height, width, channels)`, uint8 or floats in [0, 1], of a size that the network
            takes.
        layer: The layer or its name. Defaults to the only one in the network that can be asked.
        position: Row and column of the pixel whose attention is asked for. Needed by layers that attend elsewhere from
            each position; contextual attention gives without it the offsets of all positions.
        hole_mask: `(height, width)`, 1 is a hole; of inpainting networks, which are given the image in [-1, 1].
        application: Which application of the layer, where the network applies it several times. Defaults to `-1`, the
            last.

    Returns:
        The map, an `Attention`.

    Raises:
        ValueError: If the network has no such layer, or several and none is named; if the position is outside of the
            image or is missing; if image or mask do not fit the network.

    Example:
        >>> from keras_segpaint.models import DANet
        >>> model = DANet(3, backbone="resnet18", base_filters=2)
        >>> attention = attention_map(model, np.zeros((32, 48, 3), "uint8"), "position_attention", position=(9, 40))
        >>> attention.kind, attention.values.shape, round(float(attention.values.sum()), 4)
        ('weights', (4, 6), 1.0)
    """
    found = _layer(model, layer)
    image = np.asarray(image)
    picture = to_rgb(image)
    inputs = _inputs(model, image, picture, hole_mask)
    cell = None
    if position is not None:
        _check_position(position, picture)
    with _recorded(found) as calls:
        model(inputs, training=False)
    if not calls:
        raise ValueError(f"The network {model.name!r} does not apply its layer {found.name!r} to an image.")
    try:
        arguments, keywords = calls[application]
    except IndexError:
        raise ValueError(
            f"`application` must be one of the {len(calls)} times that the network applies {found.name!r}. "
            f"Received: application={application}"
        ) from None
    if position is not None:
        first = arguments[0] if arguments else next(iter(keywords.values()))
        size = spatial_size(first, getattr(found, "data_format", keras.config.image_data_format()))
        cell = tuple(
            int(place * cells // pixels) for place, cells, pixels in zip(position, size, picture.shape[:2], strict=True)
        )
    keywords.pop("training", None)
    attention: AttentionMap = found.attention_map(*arguments, **keywords, position=cell)
    values = np.asarray(keras.ops.convert_to_numpy(keras.ops.cast(attention.values, "float32")))[0]
    return Attention(
        layer=found.name,
        kind=attention.kind,
        values=values,
        names=tuple(attention.names),
        image=picture,
        position=(int(position[0]), int(position[1])) if position and attention.kind == "weights" else None,
        hole_mask=None if hole_mask is None else np.squeeze(np.asarray(hole_mask)) > 0,
    )


def _layer(model: keras.Model, wanted: str | keras.layers.Layer | None) -> Any:
    able = [layer for layer in model._flatten_layers(include_self=False) if hasattr(layer, "attention_map")]
    names = ", ".join(repr(layer.name) for layer in able) or "none"
    if wanted is None:
        if len(able) != 1:
            raise ValueError(f"`layer` must name one of the layers that attend: {names}. Received: layer=None")
        return able[0]
    for layer in able:
        if layer is wanted or layer.name == wanted:
            return layer
    raise ValueError(f"`layer` must be one of the network's layers that attend: {names}. Received: layer={wanted!r}")


def _inputs(model: keras.Model, image: np.ndarray, picture: np.ndarray, hole_mask: np.ndarray | None) -> Any:
    """A batch of one image, as the network takes it."""
    first = getattr(model, "data_format", keras.config.image_data_format()) == "channels_first"
    count = len(model.inputs)
    if count > 2 or (count == 2) != (hole_mask is not None):
        takes = {1: "an image and no `hole_mask`", 2: "an image and a `hole_mask`"}.get(count, f"{count} inputs")
        raise ValueError(
            f"The network {model.name!r} takes {takes}. "
            f"Received: hole_mask={'None' if hole_mask is None else f'of shape {np.shape(hole_mask)}'}"
        )
    shape = model.inputs[0].shape
    channels = shape[1 if first else -1]
    pixels = image.astype("float32") / (255.0 if image.dtype == np.uint8 else 1.0)
    pixels = pixels[..., None] if pixels.ndim == 2 else pixels
    if channels == 3 and pixels.shape[-1] in (1, 4):
        pixels = np.broadcast_to(pixels[..., :3], picture.shape)
    size = shape[2:] if first else shape[1:3]
    fits = all(wanted in (None, have) for wanted, have in zip(size, pixels.shape, strict=False))
    if pixels.shape[-1] != channels or not fits:
        wanted = ", ".join("any" if side is None else str(side) for side in (*size, channels))
        raise ValueError(f"`image` must have the shape ({wanted}). Received: image.shape={image.shape}")
    batch = [pixels]
    if hole_mask is not None:
        mask = np.squeeze(np.asarray(hole_mask)) > 0
        if mask.shape != pixels.shape[:2]:
            raise ValueError(
                f"`image` and `hole_mask` must have the same size. Received: {pixels.shape[:2]} and {mask.shape}"
            )
        batch = [pixels * 2.0 - 1.0, mask[..., None].astype("float32")]
    maps = [np.ascontiguousarray(x.transpose(2, 0, 1) if first else x)[None] for x in batch]
    return maps if count == 2 else maps[0]


def _check_position(position: Sequence[int], picture: np.ndarray) -> None:
    height, width = picture.shape[:2]
    if len(position) != 2 or not (0 <= position[0] < height and 0 <= position[1] < width):
        raise ValueError(
            f"`position` must be row and column of a pixel, below ({height}, {width}). Received: position={position}"
        )


@contextmanager
def _recorded(layer: Any) -> Iterator[list[tuple[tuple[Any, ...], dict[str, Any]]]]:
    """The arguments of each application of a layer, wherever in a network it lies."""
    calls: list[tuple[tuple[Any, ...], dict[str, Any]]] = []
    compute = layer.call

    def call(*arguments: Any, **keywords: Any) -> Any:
        calls.append((arguments, dict(keywords)))
        return compute(*arguments, **keywords)

    # Past the attributes that Keras and its backends track: this one is gone again before anybody saves the layer.
    vars(layer)["call"] = call
    try:
        yield calls
    finally:
        del vars(layer)["call"]
