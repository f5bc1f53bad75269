"""Matplotlib figures of a run."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def _figure(width: float, height: float) -> "Figure":
    # The object interface: no state shared with the caller's own figures, no display needed.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def plot_history(history: Mapping[str, Sequence[float]]) -> "Figure":
    """Draws learning curves: one panel for each quantity, training and validation together.

    Args:
        history: Values per epoch by name, as `keras.callbacks.History.history`; names that begin with `val_` go with
            the quantity that follows. Other names than losses and metrics (`lr`, `epoch`, ...) get panels too.

    Returns:
        The figure.

    Raises:
        ValueError: If there is nothing to draw.

    Example:
        >>> figure = plot_history({"loss": [2.0, 1.0], "val_loss": [2.5, 1.5]})
        >>> len(figure.axes)
        1
    """
    names = [name for name in history if not name.startswith("val_") or name[4:] not in history]
    if not names:
        raise ValueError("`history` must have at least one quantity. Received: an empty history")
    figure = _figure(4.4 * len(names), 3.2)
    for panel, name in enumerate(names, start=1):
        axes = figure.add_subplot(1, len(names), panel)
        for key, label, colour in ((name, "training", "#4682dc"), (f"val_{name}", "validation", "#e65546")):
            if key in history:
                values = np.asarray(history[key], dtype="float64")
                axes.plot(np.arange(1, len(values) + 1), values, label=label, color=colour, linewidth=2)
        axes.set_title(name.replace("_", " "), fontsize=11)
        axes.set_xlabel("epoch")
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False)
    return figure


def plot_confusion(matrix: Any, class_names: Sequence[str]) -> "Figure":
    """Draws a confusion matrix, each row in percent of its true class.

    Args:
        matrix: `(num_classes, num_classes)` pixel counts; row: true class, column: predicted class.
        class_names: One name per class.

    Returns:
        The figure.

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
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1.0)
    size = max(3.6, 0.62 * len(class_names) + 1.8)
    figure = _figure(size + 0.6, size)
    axes = figure.add_subplot()
    axes.imshow(shares, cmap="Blues", vmin=0.0, vmax=1.0)
    ticks = range(len(class_names))
    axes.set_xticks(ticks, class_names, rotation=40, ha="right", rotation_mode="anchor")
    axes.set_yticks(ticks, class_names)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    for row in ticks:
        for column in ticks:
            colour = "white" if shares[row, column] > 0.55 else "#222222"
            text = f"{100 * shares[row, column]:.1f}"
            axes.text(column, row, text, ha="center", va="center", fontsize=9, color=colour)
    axes.set_title("% of each true class", fontsize=11)
    return figure
