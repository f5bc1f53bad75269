"""How often each class occurs in a data set, as a figure."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from keras_segpaint.data import ClassCounts, SegmentationDataset
from keras_segpaint.data.dataset import Progress
from keras_segpaint.viz.figures import blank_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_BAR = "#4682dc"


def plot_class_histogram(
    dataset: SegmentationDataset | ClassCounts,
    class_names: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> "Figure":
    """Draws how many of the pixels each class has, and in how many images it occurs.

    Args:
        dataset: A data set, whose masks are all read, or what its `class_counts()` gave.
        class_names: One name per class, for counts. Defaults to those of the data set.
        progress: Called with `(done, total)` while masks are read.

    Returns:
        The figure: bars of the labelled pixels in percent, and of the images.

    Raises:
        ValueError: If there are not as many names as classes.

    Example:
        >>> counts = ClassCounts.of_masks([np.array([[0, 0, 0, 1]]), np.zeros((1, 4), int)], 2, ignore_class=255)
        >>> figure = plot_class_histogram(counts, ["ground", "cell"])
        >>> [text.get_text() for axes in figure.axes for text in axes.texts]
        ['87.5 %', '12.5 %', '2', '1']
    """
    counts = dataset if isinstance(dataset, ClassCounts) else dataset.class_counts(progress)
    if class_names is None and isinstance(dataset, SegmentationDataset):
        class_names = dataset.class_names
    if class_names is None or len(class_names) != len(counts.pixels):
        raise ValueError(
            f"`class_names` must name the {len(counts.pixels)} classes that were counted. "
            f"Received: class_names={class_names}"
        )
    labelled = int(counts.pixels.sum())
    shares = 100.0 * counts.pixels / max(labelled, 1)
    whole = labelled + counts.ignored
    ignored = f", {100 * counts.ignored / whole:.1f} % of all ignored" if counts.ignored else ""
    images = f"{counts.images} image" + ("" if counts.images == 1 else "s")
    figure = blank_figure(8.4, 1.1 + 0.3 * len(class_names))
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=(3, 2))
    _bars(left, shares, [_percent(share, pixels) for share, pixels in zip(shares, counts.pixels, strict=True)])
    left.set_title(f"% of labelled pixels{ignored}", fontsize=11)
    left.set_yticks(np.arange(len(class_names)), class_names)
    left.invert_yaxis()
    _bars(right, counts.images_with_class, [str(count) for count in counts.images_with_class])
    right.set_title(f"in how many of {images}", fontsize=11)
    return figure


def _bars(axes: "Axes", values: np.ndarray, texts: Sequence[str]) -> None:
    axes.barh(np.arange(len(values)), values, color=_BAR, height=0.7)
    longest = max(float(np.max(values)), 1e-9)
    for place, (value, text) in enumerate(zip(values, texts, strict=True)):
        axes.text(value + 0.015 * longest, place, text, va="center", fontsize=9)
    # Room for the text behind the longest bar.
    axes.set_xlim(0, 1.2 * longest)
    axes.spines[["top", "right", "bottom"]].set_visible(False)
    axes.set_xticks([])
    axes.tick_params(length=0)


def _percent(share: float, pixels: int) -> str:
    """A share; a class that is rare is told from one that is absent."""
    return "0 %" if pixels == 0 else f"{share:.1f} %" if share >= 0.05 else f"{share:.2g} %"
