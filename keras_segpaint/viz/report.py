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
from typing import Any

import numpy as np

from keras_segpaint.metrics import scores
from keras_segpaint.viz.figures import plot_confusion, plot_history
from keras_segpaint.viz.overlay import error_map, overlay, to_rgb


@dataclass(frozen=True)
class Sample:
    """An image with its true and its predicted class map, all of one size."""

    image: np.ndarray
    truth: np.ndarray
    prediction: np.ndarray
    name: str


def write_report(
    path: str | os.PathLike[str],
    *,
    title: str,
    summary: Mapping[str, str],
    history: Mapping[str, Sequence[float]],
    confusion: Any,
    class_names: Sequence[str],
    palette: np.ndarray,
    samples: Sequence[Sample],
    tables: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
    ignore_class: int | None = 255,
) -> Path:
    """Writes an HTML page with the numbers, curves and pictures of a run; it needs no other file and no network.

    Args:
        path: The file to write; its folder is made.
        title: Heading of the page.
        summary: Short texts by label, shown as cards.
        history: Values per epoch by name, for the learning curves; may be empty.
        confusion: `(num_classes, num_classes)` pixel counts; row: true class.
        class_names: One name per class.
        palette: `(num_classes, 3)` colours, 0 to 255.
        samples: Images to show with truth, prediction and errors.
        tables: Further tables: a heading and rows, each a mapping from column to value.
        ignore_class: Integer, the true label of pixels that are not judged, or `None`. Defaults to `255`.

    Returns:
        The path written.

    Raises:
        ValueError: If the confusion matrix, names and colours do not belong together.

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
    if not len(class_names) == len(palette) == len(np.asarray(confusion)):
        raise ValueError(
            "`class_names`, `palette` and `confusion` must be of the same classes. "
            f"Received: {len(class_names)} names, {len(palette)} colours, confusion of {len(np.asarray(confusion))} rows"
        )
    palette = np.asarray(palette)
    sections = [_cards(summary), _classes(confusion, class_names, palette)]
    figures = [plot_history(history)] if history else []
    figures.append(plot_confusion(confusion, class_names))
    pictures = "".join(f'<div class="plot">{_figure_image(figure)}</div>' for figure in figures)
    sections.append(f"<h2>Learning curves and confusion</h2><div class='plots'>{pictures}</div>")
    sections.extend(_table(name, rows) for name, rows in (tables or {}).items() if rows)
    if samples:
        sections.append(_gallery(samples, class_names, palette, ignore_class))
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


def _chip(name: str, colour: np.ndarray) -> str:
    rgb = tuple(int(part) for part in colour)
    return f"<span class='chip'><i style='background:rgb{rgb}'></i>{html.escape(name)}</span>"


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
            f"<tr><td>{_chip(name, colour)}</td><td class='wide'>{bar}</td><td class='n'>{_percent(iou)}</td>"
            f"<td class='n'>{_percent(accuracy)}</td><td class='n'>{share:.2f} %</td></tr>"
        )
    foot = (
        f"<tr class='foot'><td>mean</td><td></td><td class='n'>{_percent(result.mean_iou)}</td>"
        f"<td class='n'>{_percent(result.mean_accuracy)}</td><td class='n'></td></tr>"
    )
    head = (
        "<tr><th>class</th><th></th><th class='n'>IoU</th><th class='n'>accuracy</th><th class='n'>of pixels</th></tr>"
    )
    return f"<h2>Classes</h2><div class='scroll'><table>{head}{''.join(rows)}{foot}</table></div>"


def _percent(value: float) -> str:
    return "–" if np.isnan(value) else f"{100 * value:.2f} %"


def _table(name: str, rows: Sequence[Mapping[str, Any]]) -> str:
    columns = list(rows[0])
    head = "".join(f"<th>{html.escape(column)}</th>" for column in columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(str(row.get(column, '')))}</td>" for column in columns) + "</tr>"
        for row in rows
    )
    return f"<h2>{html.escape(name)}</h2><div class='scroll'><table><tr>{head}</tr>{body}</table></div>"


def _gallery(
    samples: Sequence[Sample], class_names: Sequence[str], palette: np.ndarray, ignore_class: int | None
) -> str:
    legend = "".join(_chip(name, colour) for name, colour in zip(class_names, palette, strict=True))
    rows = []
    for sample in samples:
        judged = sample.truth != ignore_class if ignore_class is not None else np.ones(sample.truth.shape, bool)
        right = 100 * (sample.truth == sample.prediction)[judged].mean() if judged.any() else float("nan")
        pictures = (
            ("image", to_rgb(sample.image)),
            ("truth", overlay(sample.image, sample.truth, palette, 0.6)),
            ("prediction", overlay(sample.image, sample.prediction, palette, 0.6)),
            (f"errors ({right:.1f} % right)", error_map(sample.truth, sample.prediction, ignore_class)),
        )
        cells = "".join(
            f"<figure>{_image(picture, f'{sample.name}: {caption}')}<figcaption>{caption}</figcaption></figure>"
            for caption, picture in pictures
        )
        rows.append(f"<h3>{html.escape(sample.name)}</h3><div class='row'>{cells}</div>")
    return f"<h2>Images</h2><p class='legend'>{legend}</p>{''.join(rows)}"


def _image(picture: np.ndarray, description: str) -> str:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, format="PNG", optimize=True)
    return f"<img alt='{html.escape(description, quote=True)}' src='{_data_uri(buffer.getvalue(), 'png')}'>"


def _figure_image(figure: Any) -> str:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=130)
    return f"<img alt='figure' src='{_data_uri(buffer.getvalue(), 'png')}'>"


def _data_uri(content: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode('ascii')}"
