"""Pictures: palettes, overlays, error and attention maps, curves, confusion matrices, histograms and the HTML report."""

from keras_segpaint.viz.attention import Attention, attention_map
from keras_segpaint.viz.attention_figure import plot_attention
from keras_segpaint.viz.class_histogram import plot_class_histogram
from keras_segpaint.viz.comparison import before_and_after
from keras_segpaint.viz.figures import plot_confusion, plot_history
from keras_segpaint.viz.overlay import error_map, overlay, to_rgb
from keras_segpaint.viz.palette import colorize, default_palette
from keras_segpaint.viz.panels import plot_error_map, plot_overlay, plot_uncertainty
from keras_segpaint.viz.report import FillSample, Sample, write_report

__all__ = [
    "Attention",
    "FillSample",
    "Sample",
    "attention_map",
    "before_and_after",
    "colorize",
    "default_palette",
    "error_map",
    "overlay",
    "plot_attention",
    "plot_class_histogram",
    "plot_confusion",
    "plot_error_map",
    "plot_history",
    "plot_overlay",
    "plot_uncertainty",
    "to_rgb",
    "write_report",
]
