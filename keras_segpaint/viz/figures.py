"""Matplotlib figures of a run."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Names of metrics are in lower case.
_WRITTEN = {"iou": "IoU", "l1": "L1", "psnr": "PSNR", "ssim": "SSIM"}
_TRAINING, _VALIDATION = "#4682dc", "#e65546"
# From so many classes on, the cells of a confusion matrix are too small for numbers.
_MOST_NUMBERED = 20


def plot_history(history: Mapping[str, Sequence[float]]) -> "Figure":
    """Draws learning curves: one panel for each quantity, training and validation together.

    Args:
        history: Values per epoch by name, as `keras.callbacks.History.history`; names that begin with `val_` go with
            the quantity that follows. Quantities that are not one number an epoch, such as a metric per class, are left
            out.

    Returns:
        The figure, three panels a row.

    Raises:
        ValueError: If there is nothing to draw.

    Example:
        >>> figure = plot_history({"loss": [2.0, 1.0], "val_loss": [2.5, 1.5]})
        >>> len(figure.axes)
        1
    """
    names = curve_names(history)
    if not names:
        raise ValueError(
            "`history` must have at least one quantity with one number an epoch. "
            f"Received: history with the keys {list(history)}"
        )
    columns = min(3, len(names))
    rows = -(-len(names) // columns)
    figure = blank_figure(4.2 * columns, 3.0 * rows)
    for panel, name in enumerate(names, start=1):
        axes = figure.add_subplot(rows, columns, panel)
        title = " ".join(_WRITTEN.get(part, part) for part in name.split("_"))
        _draw_curve(axes, title, history.get(name), history.get(f"val_{name}"))
    return figure


def curve_names(history: Mapping[str, Sequence[float]]) -> list[str]:
    """The quantities that get a panel of `plot_history`, in order."""
    names = [name for name in history if not name.startswith("val_") or name[4:] not in history]
    return [name for name in names if len(history[name]) and np.ndim(history[name]) == 1]


def _draw_curve(axes: "Axes", title: str, training: Any, validation: Any) -> None:
    from matplotlib.ticker import MaxNLocator

    for values, label, colour in ((training, "training", _TRAINING), (validation, "validation", _VALIDATION)):
        if values is not None:
            epochs = np.arange(1, len(values) + 1)
            # A single epoch is a point, which a line does not show.
            marker = "o" if len(values) == 1 else ""
            axes.plot(epochs, np.asarray(values, "float64"), label=label, color=colour, linewidth=2, marker=marker)
    axes.set_title(title, fontsize=11)
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.25)
    axes.spines[["top", "right"]].set_visible(False)
    if validation is not None:
        axes.legend(frameon=False)


def plot_confusion(matrix: Any, class_names: Sequence[str]) -> "Figure":
    """Draws a confusion matrix, each row in percent of its true class.

    Args:
        matrix: `(num_classes, num_classes)` pixel counts; row: true class, column: predicted class.
        class_names: One name per class.

    Returns:
        The figure. Cells below 0.05 % stay empty, and with more than 20 classes all do.

    Raises:
        ValueError: If there are not as many names as classes.

    Example:
        >>> figure = plot_confusion([[8, 2], [1, 9]], ["background", "cell"])
        >>> figure.axes[0].get_xlabel()
        'predicted'
    """
    counts = np.asarray(matrix, dtype="float64")
    if counts.shape != (len(class_names), len(class_names)):
        raise ValueError(
            f"`matrix` must be square with one row for each of the {len(class_names)} names. "
            f"Received: matrix.shape={counts.shape}"
        )
    numbered = len(class_names) <= _MOST_NUMBERED
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1.0)
    size = 2.2 + (0.58 if numbered else 0.16) * len(class_names)
    figure = blank_figure(size + 0.4, size)
    axes = figure.add_subplot()
    # One colour, more or less opaque, so that the figure also goes on a dark page.
    colours = np.empty((*shares.shape, 4))
    colours[..., :3] = np.array([0x3B, 0x78, 0xD8]) / 255
    colours[..., 3] = shares
    axes.imshow(colours)
    ticks = np.arange(len(class_names))
    font = 10 if numbered else 7
    axes.set_xticks(ticks, class_names, rotation=40, ha="right", rotation_mode="anchor", fontsize=font)
    axes.set_yticks(ticks, class_names, fontsize=font)
    axes.tick_params(length=0)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    axes.set_title("% of each true class", fontsize=11)
    for row, column in np.argwhere(shares >= 0.0005) if numbered else ():
        share = shares[row, column]
        text = axes.text(column, row, f"{100 * share:.1f}", ha="center", va="center", fontsize=9)
        if share > 0.55:
            text.set_color("white")
    return figure


def recolor(figure: "Figure", colour: str) -> None:
    """Gives the texts, ticks and frames of a figure another colour, white texts apart."""
    from matplotlib.text import Text

    for text in figure.findobj(Text):
        if text.get_color() != "white":
            text.set_color(colour)
    for axes in figure.axes:
        axes.tick_params(colors=colour)
        axes.spines[:].set_edgecolor(colour)


def blank_figure(width: float, height: float) -> "Figure":
    """A figure without panels, of a size in inches."""
    # The object interface: no state shared with the caller's own figures, no display needed.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure
