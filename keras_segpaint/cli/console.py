"""The two Rich consoles and the tables that several commands print."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table

__all__ = ["errors", "fill_table", "made_table", "output", "plain", "score_table", "style_table", "table"]

output = Console()
errors = Console(stderr=True)


def plain(text: object) -> str:
    """Text that Rich prints as it is, square brackets included."""
    return escape(str(text))


def table(title: str, rows: Sequence[Mapping[str, Any]], right: Sequence[str] = (), whole: Sequence[str] = ()) -> Table:
    """A table with one row per mapping; columns named in `right` are right-aligned, those in `whole` never broken."""
    result = Table(title=title, title_justify="left", header_style="bold")
    names = list(rows[0]) if rows else []
    for name in names:
        result.add_column(name, justify="right" if name in right else "left", overflow="fold", no_wrap=name in whole)
    for row in rows:
        result.add_row(*(plain(row[name]) for name in names))
    return result


def score_table(title: str, scores: Any, class_names: Sequence[str]) -> Table:
    """Per-class IoU, accuracy (recall), precision and Dice score with their summaries, of `metrics.scores(...)`."""
    result = Table(title=title, title_justify="left", header_style="bold", show_footer=False)
    result.add_column("class")
    for name in ("IoU", "accuracy", "precision", "Dice"):
        result.add_column(name, justify="right")
    rows = zip(class_names, scores.iou, scores.class_accuracy, scores.precision, scores.dice, strict=True)
    for name, *values in rows:
        result.add_row(plain(name), *map(_number, values))
    result.add_section()
    means = _number(scores.mean_accuracy), "", _number(scores.mean_dice)
    result.add_row("[bold]mean[/]", f"[bold]{_number(scores.mean_iou)}[/]", *means)
    result.add_row("frequency-weighted", _number(scores.frequency_weighted_iou))
    result.add_row("pixels", "", _number(scores.pixel_accuracy))
    return result


def fill_table(rows: Sequence[tuple[str, str, Any]]) -> Table:
    """L1 in percent, PSNR and SSIM, of whole images and of holes, narrow enough for 80 characters.

    Args:
        rows: `(shares of holes, method, metrics.FillScores)`; rows of one share in succession.
    """
    result = Table(header_style="bold", box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False)
    for name in ("holes", "filled by"):
        result.add_column(name, no_wrap=True)
    for name in ("L1 %", "PSNR", "SSIM", "hole L1 %", "hole PSNR", "hole SSIM", "images"):
        result.add_column(name, justify="right")
    last = None
    for share, method, scores in rows:
        if last not in (None, share):
            result.add_section()
        result.add_row(
            plain(share) if share != last else "",
            plain(method),
            f"{100 * scores.l1:.2f}",
            f"{scores.psnr:.2f}",
            _number(scores.ssim, 3),
            f"{100 * scores.hole_l1:.2f}",
            f"{scores.hole_psnr:.2f}",
            _number(scores.hole_ssim, 3),
            str(scores.images),
        )
        last = share
    return result


def made_table(scores: Any, segmentations: Mapping[str, Any] | None = None) -> Table:
    """How near made images are to real ones, and what a segmentation network sees in each kind.

    Args:
        scores: `metrics.SynthesisScores`.
        segmentations: `metrics.Scores` by the kind of the images.
    """
    result = Table(header_style="bold", box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False)
    result.add_column("images", no_wrap=True)
    for name in ("L1 %", "PSNR", "SSIM", *(("mean IoU", "pixel accuracy") if segmentations else ()), "number"):
        result.add_column(name, justify="right")
    seen = segmentations or {}
    for kind in ("made", *(["real"] if "real" in seen else [])):
        near = [f"{100 * scores.l1:.2f}", f"{scores.psnr:.2f}", _number(scores.ssim, 3)] if kind == "made" else [""] * 3
        of_kind = [_number(seen[kind].mean_iou), _number(seen[kind].pixel_accuracy)] if kind in seen else []
        result.add_row(kind, *near, *of_kind, str(scores.images))
    return result


def style_table(scores: Any) -> Table:
    """How well content and style were met.

    Args:
        scores: `training.style_stage.StyleScores`.
    """
    result = Table(header_style="bold", box=box.SIMPLE_HEAD, padding=(0, 1), pad_edge=False)
    for name in ("loss", "content loss", "style loss", "images"):
        result.add_column(name, justify="right")
    losses = (scores.loss, scores.content_loss, scores.style_loss)
    result.add_row(*(f"{loss:.4g}" for loss in losses), str(scores.images))
    return result


def _number(value: float, digits: int = 4) -> str:
    return "absent" if math.isnan(value) else f"{value:.{digits}f}"
