"""`segpaint stylize`: images from files in the style of others."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from keras_segpaint.cli.console import output, plain
from keras_segpaint.cli.errors import UserError
from keras_segpaint.cli.options import BackendOption, DebugOption, start

__all__ = ["stylize"]


def stylize(
    source: Annotated[
        str,
        typer.Argument(
            metavar="CONTENT",
            help="An image, a folder, or a pattern in quotes such as 'photos/*.jpg'.",
            show_default=False,
        ),
    ],
    style: Annotated[list[Path], typer.Option(help="An image whose style is wanted; repeatable.", show_default=False)],
    run: Annotated[
        Path,
        typer.Option(
            help="A run's folder (its best checkpoint is taken) or a .keras file of a StyleTransfer.",
            metavar="RUN_OR_MODEL",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(
            help="Folder for the results, one PNG per image; of a single image also a .png or .tif file.",
            show_default=False,
        ),
    ],
    weight: Annotated[
        list[float] | None,
        typer.Option(help="The share of each --style, in their order. Default: equal shares.", show_default=False),
    ] = None,
    alpha: Annotated[float, typer.Option(help="How much of the style is taken.", min=0, max=1)] = 1.0,
    preserve_colour: Annotated[
        bool, typer.Option("--preserve-colour", help="Keep the colours of the content, see --colour-by.")
    ] = False,
    colour_by: Annotated[
        Literal["luminance", "statistics"],
        typer.Option(
            help="How: the content's hues under the result's luminance, or the style's colours moved to mean and "
            "covariance of the content's beforehand."
        ),
    ] = "luminance",
    style_size: Annotated[
        int, typer.Option(help="What the smaller side of a style is resized to; 0 leaves it as it is.", min=0)
    ] = 512,
    backend: BackendOption = None,
    debug: DebugOption = False,
) -> None:
    """Paint a file, a folder or a pattern of images in the style of a picture, or of several in given shares.

    Example: segpaint stylize photo.jpg --style wave.jpg --run runs/style --out painted.png --alpha 0.8

    Example: segpaint stylize photos --style a.png --style b.png --weight 2 --weight 1 --run runs/style --out painted
    """
    if weight and len(weight) != len(style):
        raise UserError(f"Give one --weight for each --style. Received: {len(style)} styles, {len(weight)} weights")
    start(backend)
    from keras_segpaint import inference
    from keras_segpaint.cli.progress import counted
    from keras_segpaint.cli.runs import open_model_for
    from keras_segpaint.inference.photographs import check_lossless, read_photograph, write_photograph

    paths = inference.find_images(source)
    to_file = bool(out.suffix) and not out.is_dir() and Path(source).is_file()
    if to_file:
        check_lossless(out)
    model, _ = open_model_for("style", run)
    stylizer = inference.Stylizer(
        model,
        [read_photograph(path) for path in style],
        weight or None,
        alpha=alpha,
        preserve_colour=colour_by if preserve_colour else False,
        style_size=style_size or None,
    )
    skipped: list[Path] = []
    written: dict[Path, Path] = {}
    with counted("images painted") as report:
        for item in inference.stylize_files(stylizer, source, skipped=skipped):
            target = out if to_file else out / f"{item.name}.png"
            _refuse_overwriting(target, item.path, style, written)
            target.parent.mkdir(parents=True, exist_ok=True)
            write_photograph(target, item.stylized)
            written[target] = item.path
            report(len(written) + len(skipped), len(paths))
    how = " and ".join(map(plain, style))
    output.print(f"{len(written)} results in {plain(out)}, in the style of {how}", soft_wrap=True, highlight=False)
    if skipped:
        raise UserError(
            f"{len(skipped)} of {len(paths)} files could not be painted: {', '.join(map(str, skipped[:10]))}"
        )


def _refuse_overwriting(target: Path, source: Path, styles: list[Path], written: dict[Path, Path]) -> None:
    lost = None
    if target in written:
        lost = f"that of {written[target]}"
    elif target.resolve() == source.resolve():
        lost = "the image itself"
    elif target.resolve() in {style.resolve() for style in styles}:
        lost = "a style"
    if lost:
        raise UserError(
            f"{source}: its result would overwrite {lost}. Choose another --out, or give the images different names."
        )
