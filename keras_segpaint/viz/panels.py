"""Figures of an image beside what a network says about it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_segpaint.viz.figures import blank_figure
from keras_segpaint.viz.overlay import CORRECT, WRONG, error_map, overlay, to_rgb
from keras_segpaint.viz.palette import UNKNOWN, default_palette

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_LONGEST_SIDE = 4.0


def plot_overlay(
    image: np.ndarray,
    class_map: np.ndarray,
    class_names: Sequence[str],
    palette: np.ndarray | None = None,
    alpha: float = 0.5,
) -> "Figure":
    """Draws an image beside itself under the colours of a class map, with a legend of the classes in it.

    Args:
        image: `(height, width[, channels])`, `uint8` or floats in [0, 1].
        class_map: Integers `(height, width)`; values outside of the classes, such as an ignored one, are grey.
        class_names: One name per class.
        palette: `(num_classes, 3)` of 0 to 255. Defaults to `default_palette`.
        alpha: Float in [0, 1], how much of the colours is seen. Defaults to `0.5`.

    Returns:
        The figure; the legend has the classes' shares of the pixels, the largest first.

    Raises:
        ValueError: If image and class map differ in size, names and colours in number, or `alpha` is outside of [0, 1].

    Example:
        >>> figure = plot_overlay(np.zeros((2, 2)), np.array([[1, 1], [1, 0]]), ["ground", "cell"])
        >>> [text.get_text() for text in figure.legends[0].get_texts()]
        ['cell 75.0 %', 'ground 25.0 %']
    """
    palette = default_palette(len(class_names)) if palette is None else np.asarray(palette)
    if len(palette) != len(class_names):
        raise ValueError(
            "`class_names` and `palette` must be of the same classes. "
            f"Received: {len(class_names)} names, {len(palette)} colours"
        )
    pictures = {"image": to_rgb(image), "classes": overlay(image, class_map, palette, alpha)}
    labels = np.where((class_map >= 0) & (class_map < len(palette)), class_map, len(palette))
    counts = np.bincount(labels.ravel(), minlength=len(palette) + 1)
    names, colours = [*class_names, "no class"], [*palette, UNKNOWN]
    present = [index for index in np.argsort(-counts, kind="stable") if counts[index]]
    entries = {f"{names[index]} {100 * counts[index] / labels.size:.1f} %": colours[index] for index in present}
    return _with_legend(pictures, entries)


def plot_error_map(
    image: np.ndarray, truth: np.ndarray, prediction: np.ndarray, ignore_class: int | None = 255
) -> "Figure":
    """Draws an image beside where a prediction is right, wrong or not judged.

    Args:
        image: `(height, width[, channels])`, `uint8` or floats in [0, 1].
        truth: Integers `(height, width)`.
        prediction: Integers `(height, width)`.
        ignore_class: Integer, the true label of pixels that are not judged, or `None`. Defaults to `255`.

    Returns:
        The figure; the legend has the shares of the pixels, those of right and wrong of the pixels that are judged.

    Raises:
        ValueError: If image and maps differ in size.

    Example:
        >>> figure = plot_error_map(np.zeros((1, 4)), np.array([[0, 1, 1, 255]]), np.array([[0, 1, 0, 0]]))
        >>> [text.get_text() for text in figure.legends[0].get_texts()]
        ['right 66.7 %', 'wrong 33.3 %', 'not judged 25.0 %']
    """
    truth, prediction = np.asarray(truth), np.asarray(prediction)
    errors = error_map(truth, prediction, ignore_class)
    picture = _of_size(image, truth.shape, "truth")
    judged = np.ones(truth.shape, bool) if ignore_class is None else truth != ignore_class
    entries = {}
    if judged.any():
        right = 100 * (truth == prediction)[judged].mean()
        entries = {f"right {right:.1f} %": CORRECT, f"wrong {100 - right:.1f} %": WRONG}
    if not judged.all():
        entries[f"not judged {100 * (1 - judged.mean()):.1f} %"] = UNKNOWN
    return _with_legend({"image": picture, "errors": errors}, entries)


def plot_uncertainty(image: np.ndarray, uncertainty: np.ndarray, label: str = "uncertainty") -> "Figure":
    """Draws an image beside a map of how unsure a network is, with a colour bar.

    Args:
        image: `(height, width[, channels])`, `uint8` or floats in [0, 1].
        uncertainty: Numbers `(height, width)`, such as the mean over the classes of `inference.mc_dropout`'s variance.
        label: What the numbers are. Defaults to `"uncertainty"`.

    Returns:
        The figure; the colours begin at 0, or at the lowest number if that is negative.

    Raises:
        ValueError: If image and map differ in size.

    Example:
        >>> figure = plot_uncertainty(np.zeros((4, 5)), np.full((4, 5), 0.2), "variance")
        >>> figure.axes[-1].get_ylabel()
        'variance'
    """
    values = np.asarray(uncertainty, "float64")
    pictures = {"image": _of_size(image, values.shape, "uncertainty"), label: values}
    figure, axes = draw_panels(pictures, room=0.9, low=min(0.0, float(values.min())), high=float(values.max()))
    add_colour_bar(figure, axes[1], [axes[1]], label)
    return figure


def draw_panels(
    pictures: dict[str, np.ndarray],
    columns: int | None = None,
    room: float = 0.0,
    low: float | None = None,
    high: float | None = None,
) -> tuple["Figure", list["Axes"]]:
    """A figure with a titled panel without axes for each picture, of which the flat ones are coloured by value.

    Args:
        pictures: RGB images and maps by title, of one size.
        columns: Panels a row. Defaults to all.
        room: Inches to leave at the right.
        low: The value of the first colour.
        high: The value of the last colour.
    """
    height, width = next(iter(pictures.values())).shape[:2]
    scale = _LONGEST_SIDE / max(height, width)
    columns = min(columns or len(pictures), len(pictures))
    rows = -(-len(pictures) // columns)
    # A panel as narrow as a tall image would have no room for its title.
    panel_width = max(scale * width, 1.6)
    figure = blank_figure(columns * (panel_width + 0.15) + room, rows * (max(scale * height, 0.8) + 0.45))
    panels = []
    for number, (title, picture) in enumerate(pictures.items(), start=1):
        axes = figure.add_subplot(rows, columns, number)
        axes.imshow(picture, cmap="magma", vmin=low, vmax=high, interpolation="nearest")
        axes.set_title(title, fontsize=11)
        axes.set_axis_off()
        panels.append(axes)
    return figure, panels


def add_colour_bar(figure: "Figure", drawn_in: "Axes", beside: Sequence["Axes"], label: str) -> None:
    """Adds the colour bar of the last picture of a panel."""
    bar = figure.colorbar(drawn_in.images[-1], ax=list(beside), shrink=0.85, aspect=18, pad=0.02)
    bar.set_label(label)
    bar.outline.set_visible(False)


def _with_legend(pictures: dict[str, np.ndarray], entries: dict[str, Any]) -> "Figure":
    from matplotlib.patches import Patch

    figure, _ = draw_panels(pictures, room=2.1)
    patches = [
        Patch(facecolor=np.asarray(colour) / 255, edgecolor="#808080", linewidth=0.6, label=text)
        for text, colour in entries.items()
    ]
    figure.legend(handles=patches, loc="outside right center", frameon=False, fontsize=10)
    return figure


def _of_size(image: np.ndarray, size: tuple[int, ...], name: str) -> np.ndarray:
    picture = to_rgb(image)
    if picture.shape[:2] != size:
        raise ValueError(f"`image` and `{name}` must have the same size. Received: {picture.shape[:2]} and {size}")
    return picture
