"""One self-contained page about a run."""

import base64
import html
import io
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_segpaint.metrics import scores
from keras_segpaint.viz.comparison import painted_over
from keras_segpaint.viz.figures import curve_names, plot_confusion, plot_history, recolor
from keras_segpaint.viz.overlay import CORRECT, WRONG, error_map, overlay, to_rgb
from keras_segpaint.viz.palette import UNKNOWN

if TYPE_CHECKING:
    from matplotlib.figure import Figure

# The colours of `--text` in report.html.
_LIGHT_TEXT, _DARK_TEXT = "#1d2330", "#e8ebf2"


@dataclass(frozen=True)
class Sample:
    """An image with its true and its predicted class map, all of one size."""

    image: np.ndarray
    truth: np.ndarray
    prediction: np.ndarray
    name: str


@dataclass(frozen=True)
class FillSample:
    """An image, its hole mask (1 is a hole) and the filled image, all of one size."""

    image: np.ndarray
    mask: np.ndarray
    filled: np.ndarray
    name: str


def write_report(
    path: str | os.PathLike[str],
    *,
    title: str,
    summary: Mapping[str, str],
    history: Mapping[str, Sequence[float]],
    confusion: Any = None,
    class_names: Sequence[str] = (),
    palette: np.ndarray | Sequence[Sequence[int]] = (),
    samples: Sequence[Sample] = (),
    fills: Sequence[FillSample] = (),
    pictures: Mapping[str, Mapping[str, np.ndarray]] | None = None,
    figures: Mapping[str, "Figure"] | None = None,
    tables: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
    ignore_class: int | None = 255,
) -> Path:
    """Writes an HTML page with the numbers, curves and pictures of a run; it needs no other file and no network.

    Args:
        path: The file to write; its folder is made.
        title: Heading of the page.
        summary: Short texts by label, shown as cards.
        history: Values per epoch by name, for the learning curves; may be empty.
        confusion: `(num_classes, num_classes)` pixel counts; row: true class. `None`, the default, for a run without
            classes.
        class_names: One name per class.
        palette: `(num_classes, 3)` colours, 0 to 255.
        samples: Images to show with truth, prediction and errors.
        fills: Images to show before, with their holes, and filled.
        pictures: Rows of other images by their headings, each a mapping from caption to image.
        figures: Further figures by their headings.
        tables: Further tables: a heading and rows, each a mapping from column to value.
        ignore_class: Integer, the true label of pixels that are not judged, or `None`. Defaults to `255`.

    Returns:
        The path written.

    Raises:
        ValueError: If the confusion matrix, names and colours do not belong together, or the maps of a sample differ
            in size.

    Example:
        >>> import pathlib, tempfile
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> page = write_report(
        ...     folder / "index.html", title="Cells", summary={"mean IoU": "0.9"}, history={"loss": [2.0, 1.0]},
        ...     confusion=[[8, 2], [1, 9]], class_names=["background", "cell"], palette=[[0, 0, 0], [255, 0, 0]],
        ...     samples=[],
        ... )
        >>> "Cells" in page.read_text()
        True
    """
    rows = 0 if confusion is None else len(np.asarray(confusion))
    if not len(class_names) == len(palette) == rows:
        raise ValueError(
            "`class_names`, `palette` and `confusion` must be of the same classes. "
            f"Received: {len(class_names)} names, {len(palette)} colours, confusion of {rows} rows"
        )
    palette = np.asarray(palette)
    sections = [_cards(summary)]
    if rows:
        sections.append(_classes(confusion, class_names, palette))
    if samples:
        sections.append(_gallery(samples, class_names, palette, ignore_class))
    if fills:
        sections.append(_fills(fills))
    if pictures:
        rows_of_pictures = [
            _row(name, [(caption, to_rgb(picture)) for caption, picture in row.items()])
            for name, row in pictures.items()
        ]
        sections.append(f"<h2>Images</h2>{''.join(rows_of_pictures)}")
    sections.append(_curves(history))
    if rows:
        sections.append(_confusion(confusion, class_names))
    sections.extend(
        f"<h2>{html.escape(name)}</h2><div class='sheet plot'>{_figure(figure)}</div>"
        for name, figure in (figures or {}).items()
    )
    sections.extend(_table(name, rows) for name, rows in (tables or {}).items() if rows)
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    template = Template((files("keras_segpaint.viz") / "report.html").read_text(encoding="utf-8"))
    path.write_text(template.substitute(title=html.escape(title), body="\n".join(sections)), encoding="utf-8")
    return path


def _cards(summary: Mapping[str, str]) -> str:
    cards = "".join(
        f"<div class='card'><b>{html.escape(str(value))}</b><span>{html.escape(label)}</span></div>"
        for label, value in summary.items()
    )
    return f"<div class='cards'>{cards}</div>"


def _chip(name: str, colour: Sequence[int] | np.ndarray) -> str:
    rgb = ", ".join(str(int(part)) for part in colour)
    return f"<span class='chip'><i style='background:rgb({rgb})'></i>{html.escape(name)}</span>"


def _classes(confusion: Any, class_names: Sequence[str], palette: np.ndarray) -> str:
    result = scores(confusion)
    truth = np.asarray(confusion, dtype="float64").sum(1)
    rows = []
    for name, colour, iou, accuracy, pixels in zip(
        class_names, palette, result.iou, result.class_accuracy, truth, strict=True
    ):
        share = 100 * pixels / max(truth.sum(), 1.0)
        width = 0.0 if np.isnan(iou) else 100 * iou
        bar = f"<div class='bar'><i style='width:{width:.1f}%'></i></div>"
        rows.append(
            f"<tr><td class='name'>{_chip(name, colour)}</td><td class='wide'>{bar}</td>"
            f"<td class='n'>{_percent(iou)}</td><td class='n'>{_percent(accuracy)}</td>"
            f"<td class='n extra'>{share:.2f} %</td></tr>"
        )
    foot = (
        f"<tr class='foot'><td>mean</td><td class='wide'></td><td class='n'>{_percent(result.mean_iou)}</td>"
        f"<td class='n'>{_percent(result.mean_accuracy)}</td><td class='extra'></td></tr>"
    )
    head = (
        "<tr><th>class</th><th class='wide'></th><th class='n'>IoU</th><th class='n'>accuracy</th>"
        "<th class='n extra'>of pixels</th></tr>"
    )
    return f"<h2>Classes</h2><div class='sheet'><table class='classes'>{head}{''.join(rows)}{foot}</table></div>"


def _percent(value: float) -> str:
    return "–" if np.isnan(value) else f"{100 * value:.2f} %"


def _table(name: str, rows: Sequence[Mapping[str, Any]]) -> str:
    columns = list(rows[0])
    numeric = {column for column in columns if all(isinstance(row.get(column), int | float) for row in rows)}
    side = {column: " class='n'" if column in numeric else "" for column in columns}
    head = "".join(f"<th{side[column]}>{html.escape(column)}</th>" for column in columns)
    body = "".join(
        "<tr>" + "".join(f"<td{side[column]}>{_cell(row.get(column, ''))}</td>" for column in columns) + "</tr>"
        for row in rows
    )
    return f"<h2>{html.escape(name)}</h2><div class='sheet'><table><tr>{head}</tr>{body}</table></div>"


def _cell(value: Any) -> str:
    return f"{value:.5g}" if isinstance(value, float) else html.escape(str(value))


def _curves(history: Mapping[str, Sequence[float]]) -> str:
    names = curve_names(history)
    if not names:
        return ""
    # A figure for each quantity, so that a narrow window sets them below each other at a readable size.
    panels = "".join(
        f"<div class='sheet plot'>{_figure(plot_history({k: history[k] for k in (n, f'val_{n}') if k in history}))}</div>"
        for n in names
    )
    return f"<h2>Learning curves</h2><div class='plots'>{panels}</div>"


def _confusion(confusion: Any, class_names: Sequence[str]) -> str:
    kind = "sheet plot large" if len(class_names) > 6 else "sheet plot"
    return f"<h2>Confusion</h2><div class='{kind}'>{_figure(plot_confusion(confusion, class_names))}</div>"


def _gallery(
    samples: Sequence[Sample], class_names: Sequence[str], palette: np.ndarray, ignore_class: int | None
) -> str:
    chips = [_chip(name, colour) for name, colour in zip(class_names, palette, strict=True)]
    verdicts = [_chip("right", CORRECT), _chip("wrong", WRONG), _chip("not judged", UNKNOWN)]
    rows = []
    for sample in samples:
        sizes = [np.shape(part)[:2] for part in (sample.image, sample.truth, sample.prediction)]
        if len(set(sizes)) > 1:
            raise ValueError(
                f"Image, truth and prediction of a sample must have the same size. Received: {sizes} for {sample.name!r}"
            )
        judged = sample.truth != ignore_class if ignore_class is not None else np.ones(sample.truth.shape, bool)
        right = (sample.truth == sample.prediction)[judged]
        verdict = f"{100 * right.mean():.1f} % right" if right.size else "nothing judged"
        pictures = (
            ("image", to_rgb(sample.image)),
            ("truth", overlay(sample.image, sample.truth, palette, 0.6)),
            ("prediction", overlay(sample.image, sample.prediction, palette, 0.6)),
            (f"errors ({verdict})", error_map(sample.truth, sample.prediction, ignore_class)),
        )
        rows.append(_row(sample.name, pictures))
    legend = f"<p class='legend'>{''.join(chips)}<span class='verdicts'>errors: {''.join(verdicts)}</span></p>"
    return f"<h2>Images</h2>{legend}{''.join(rows)}"


def _fills(fills: Sequence[FillSample]) -> str:
    rows = []
    for fill in fills:
        sizes = [np.shape(part)[:2] for part in (fill.image, fill.mask, fill.filled)]
        if len(set(sizes)) > 1:
            raise ValueError(
                f"Image, mask and filled image must have the same size. Received: {sizes} for {fill.name!r}"
            )
        before = to_rgb(fill.image)
        holed = painted_over(before, fill.mask)
        rows.append(_row(fill.name, (("before", before), ("holes", holed), ("filled", to_rgb(fill.filled)))))
    return f"<h2>Images</h2>{''.join(rows)}"


def _row(name: str, pictures: Sequence[tuple[str, np.ndarray]]) -> str:
    cells = "".join(
        f"<figure>{_image(picture, f'{name}: {caption}')}<figcaption>{caption}</figcaption></figure>"
        for caption, picture in pictures
    )
    return f"<h3>{html.escape(name)}</h3><div class='row of{len(pictures)}'>{cells}</div>"


def _image(picture: np.ndarray, description: str) -> str:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, format="PNG", optimize=True)
    return f"<img alt='{html.escape(description, quote=True)}' src='{_data_uri(buffer.getvalue())}'>"


def _figure(figure: Any) -> str:
    """The figure in the colours of the light and of the dark page; the browser shows the one that fits."""
    light, dark = (_render(figure, colour) for colour in (_LIGHT_TEXT, _DARK_TEXT))
    width, height = (round(96 * inches) for inches in figure.get_size_inches())
    titles = ", ".join(axes.get_title() for axes in figure.axes)
    return (
        f"<picture><source media='(prefers-color-scheme: dark)' srcset='{dark}'>"
        f"<img alt='{html.escape(titles, quote=True)}' width='{width}' height='{height}' src='{light}'></picture>"
    )


def _render(figure: Any, colour: str) -> str:
    recolor(figure, colour)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=150, transparent=True)
    return _data_uri(buffer.getvalue())


def _data_uri(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode('ascii')}"
