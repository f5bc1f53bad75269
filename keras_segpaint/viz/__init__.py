"""Pictures: palettes, overlays, error maps, curves, confusion matrices and the HTML report."""

from keras_segpaint.viz.comparison import before_and_after
from keras_segpaint.viz.figures import plot_confusion, plot_history
from keras_segpaint.viz.overlay import error_map, overlay, to_rgb
from keras_segpaint.viz.palette import colorize, default_palette
from keras_segpaint.viz.report import Sample, write_report

__all__ = [
    "Sample",
    "before_and_after",
    "colorize",
    "default_palette",
    "error_map",
    "overlay",
    "plot_confusion",
    "plot_history",
    "to_rgb",
    "write_report",
]
