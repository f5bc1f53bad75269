"""Figures of what attention layers attend to."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_segpaint.viz.attention import Attention
from keras_segpaint.viz.comparison import painted_over
from keras_segpaint.viz.figures import blank_figure
from keras_segpaint.viz.panels import add_colour_bar, draw_panels

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MARK = "#00e0ff"
_PANELS_A_ROW = 4
# Inches at the right for the legend of the offsets.
_WHEEL_ROOM = 2.2


def plot_attention(attention: Attention, names: Sequence[str] | None = None) -> "Figure":
    """Draws what `attention_map` found.

    - Weights of a position: the image with the position marked, and the weights laid over it.
    - Gates: the image, and a panel for each map, such as each scale of `ScaleAttention`, on one scale of colours.
    - Channels: the matrix of channels, or a bar for each.
    - Offsets: the image with its holes, and the way to the best patch at each position: the hue is its direction, the
      strength its length, as the wheel beside it says.

    Args:
        attention: The map.
        names: Titles of the maps of gates, such as the scales. Defaults to those of the layer.

    Returns:
        The figure.

    Raises:
        ValueError: If there are not as many names as maps.

    Example:
        >>> found = Attention("gate", "gates", np.full((2, 3, 2), 0.5), ("near", "far"), np.zeros((8, 12, 3), "uint8"))
        >>> [axes.get_title() for axes in plot_attention(found).axes]
        ['image', 'near', 'far', '']
    """
    draw = {"weights": _weights, "gates": _gates, "channels": _channels, "offsets": _offsets}[attention.kind]
    if names is not None and (attention.kind != "gates" or len(names) != attention.values.shape[-1]):
        raise ValueError(
            f"`names` must name each map of gates. Received: names={list(names)} for {attention.kind} of shape "
            f"{attention.values.shape}"
        )
    return draw(attention, tuple(names or attention.names))


def _weights(attention: Attention, names: Sequence[str]) -> "Figure":
    image = _seen(attention)
    figure, (left, right) = draw_panels({"image": image, attention.layer: _grey(image)}, room=0.9)
    values = attention.values
    # Strong where the weight is, so that the image stays visible elsewhere.
    strength = 0.35 + 0.55 * values / max(float(values.max()), 1e-30)
    right.imshow(values, cmap="magma", alpha=strength, extent=_extent(image), vmin=0.0, interpolation="nearest")
    if attention.position is not None:
        row, column = attention.position
        for axes in (left, right):
            axes.plot([column], [row], marker="+", markersize=15, markeredgewidth=4.5, color="black")
            axes.plot([column], [row], marker="+", markersize=13, markeredgewidth=2, color=_MARK)
    for axes in (left, right):
        axes.set_xlim(-0.5, image.shape[1] - 0.5)
        axes.set_ylim(image.shape[0] - 0.5, -0.5)
    add_colour_bar(figure, right, [right], "weight")
    return figure


def _gates(attention: Attention, names: Sequence[str]) -> "Figure":
    image = _seen(attention)
    maps = np.moveaxis(attention.values, -1, 0)
    titles = names or [f"{attention.layer} {number}" for number in range(1, len(maps) + 1)]
    if len(set(titles)) < len(maps) or "image" in titles:
        raise ValueError(f"`names` must be different from each other and from 'image'. Received: names={list(titles)}")
    high = max(1.0, float(maps.max()))
    low = min(0.0, float(maps.min()))
    blank = np.zeros(image.shape[:2])
    figure, panels = draw_panels(
        {"image": image, **dict.fromkeys(titles, blank)}, columns=_PANELS_A_ROW, room=0.9, low=low, high=high
    )
    for axes, values in zip(panels[1:], maps, strict=True):
        axes.images[0].set_data(values)
        axes.images[0].set_extent(_extent(image))
    add_colour_bar(figure, panels[-1], panels, "weight")
    return figure


def _channels(attention: Attention, names: Sequence[str]) -> "Figure":
    values = attention.values
    if len(values) == 1:
        figure = blank_figure(7.0, 3.0)
        axes = figure.add_subplot()
        axes.bar(np.arange(values.shape[1]), values[0], color="#4682dc", width=0.9)
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_ylabel("factor")
    else:
        figure = blank_figure(5.0, 4.2)
        axes = figure.add_subplot()
        axes.imshow(values, cmap="magma", vmin=0.0, interpolation="nearest")
        axes.set_ylabel("channel that takes")
        add_colour_bar(figure, axes, [axes], "weight")
    axes.set_xlabel("channel")
    axes.set_title(attention.layer, fontsize=11)
    return figure


def _offsets(attention: Attention, names: Sequence[str]) -> "Figure":
    image = _seen(attention)
    longest = max(float(np.hypot(*np.moveaxis(attention.values, -1, 0)).max()), 1.0)
    figure, (left, right) = draw_panels({"image": image, attention.layer: np.zeros_like(image)}, room=_WHEEL_ROOM)
    right.images[0].set_data(flow_colours(attention.values, longest))
    right.images[0].set_extent(_extent(image))
    # What takes from its own place is white, as the page may be.
    right.set_axis_on()
    right.set_xticks([])
    right.set_yticks([])
    right.spines[:].set_edgecolor("#808080")
    if attention.hole_mask is not None and 0 < attention.hole_mask.mean() < 1:
        right.contour(attention.hole_mask, levels=[0.5], colors="black", linewidths=1.2)
    _wheel(figure, longest)
    return figure


def flow_colours(offsets: np.ndarray, longest: float) -> np.ndarray:
    """Directions as hues and lengths as their strength, from white: float RGB of `(rows, columns, 2)` offsets."""
    from matplotlib.colors import hsv_to_rgb

    down, right = np.moveaxis(np.asarray(offsets, "float64"), -1, 0)
    hue = (np.arctan2(down, right) / (2 * np.pi)) % 1.0
    strength = np.clip(np.hypot(down, right) / longest, 0.0, 1.0)
    return hsv_to_rgb(np.stack([hue, strength, 1.0 - 0.1 * strength], axis=-1))


def _wheel(figure: Any, longest: float) -> None:
    """The legend of the flow colours."""
    reach = np.linspace(-longest, longest, 121)
    offsets = np.stack(np.meshgrid(reach, reach, indexing="ij"), axis=-1)
    colours = np.concatenate([flow_colours(offsets, longest), np.ones((121, 121, 1))], axis=-1)
    colours[np.hypot(offsets[..., 0], offsets[..., 1]) > longest, 3] = 0.0
    width, height = figure.get_size_inches()
    figure.get_layout_engine().set(rect=(0.0, 0.0, 1.0 - _WHEEL_ROOM / width, 1.0))
    side = min(_WHEEL_ROOM - 0.95, height - 0.95)
    axes = figure.add_axes(
        (1.0 - (side + 0.2) / width, 0.5 - side / 2 / height, side / width, side / height), in_layout=False
    )
    axes.imshow(colours, extent=(-longest, longest, longest, -longest))
    shown = round(longest)
    axes.set_xticks([-shown, 0, shown])
    axes.set_yticks([-shown, 0, shown])
    axes.set_xlabel("columns", fontsize=9)
    axes.set_ylabel("rows", fontsize=9)
    axes.set_title("taken from", fontsize=10)
    axes.tick_params(labelsize=8, length=0)
    axes.spines[:].set_visible(False)


def _seen(attention: Attention) -> np.ndarray:
    """The image, its holes painted over."""
    if attention.hole_mask is None:
        return attention.image
    return painted_over(attention.image, attention.hole_mask)


def _grey(image: np.ndarray) -> np.ndarray:
    grey = image.astype("float32") @ np.array([0.299, 0.587, 0.114], "float32")
    return np.repeat(grey[..., None], 3, axis=-1).astype("uint8")


def _extent(image: np.ndarray) -> tuple[float, float, float, float]:
    """The edges of an image, over which a coarser map is stretched."""
    return (-0.5, image.shape[1] - 0.5, image.shape[0] - 0.5, -0.5)
