"""`segpaint inpaint`: fill holes in images from files."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from keras_segpaint.cli.console import output, plain
from keras_segpaint.cli.errors import UserError
from keras_segpaint.cli.options import BackendOption, DebugOption, FlipOption, Method, flips_of, start
from keras_segpaint.cli.results import refuse_overwriting

__all__ = ["inpaint"]

Holes = Literal["white", "black"]


def inpaint(
    source: Annotated[
        str,
        typer.Argument(
            metavar="IN", help="An image, a folder, or a pattern in quotes such as 'photos/*.jpg'.", show_default=False
        ),
    ],
    mask: Annotated[
        Path,
        typer.Option(
            help="A mask file for every image, or a folder with a mask of the same name for each.", show_default=False
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(
            help="Folder for the results, one PNG per image; of a single image also a .png or .tif file.",
            show_default=False,
        ),
    ],
    model: Annotated[
        Path | None,
        typer.Option(
            help="A run's folder (its best checkpoint is taken) or a .keras file of an inpainting model.",
            metavar="RUN_OR_MODEL",
            show_default=False,
        ),
    ] = None,
    method: Annotated[
        Method | None,
        typer.Option(
            help="A classical method in place of a model. Default without --model: telea.", show_default=False
        ),
    ] = None,
    labels: Annotated[
        Path | None,
        typer.Option(
            help="For a model that is guided by label maps: a grey or palette image of class numbers for every image, or a "
            "folder with one of the same name for each. 255 says nothing.",
            show_default=False,
        ),
    ] = None,
    holes: Annotated[Holes, typer.Option(help="What a hole is in the mask files.")] = "white",
    threshold: Annotated[float, typer.Option(help="How near to that a grey pixel must be to count, 0 to 1.")] = 0.5,
    dilate: Annotated[int, typer.Option(help="Pixels by which holes are grown first.", min=0)] = 0,
    feather: Annotated[
        int, typer.Option(help="Over how many of these pixels the fill fades in, at most --dilate.", min=0)
    ] = 0,
    flip: FlipOption = "none",
    compare: Annotated[
        bool, typer.Option("--compare", help="Also write NAME_compare.png: before, mask and after side by side.")
    ] = False,
    backend: BackendOption = None,
    debug: DebugOption = False,
) -> None:
    """Fill the holes of a file, a folder or a pattern of images; known pixels stay as they are.

    Example: segpaint inpaint photo.jpg --mask hole.png --out filled.png --compare

    Example: segpaint inpaint road.jpg --mask hole.png --labels labels.png --model runs/guided --out filled.png
    """
    if model is not None and method is not None:
        raise UserError("--model and --method exclude each other. Give one of them.")
    if model is None and flip != "none":
        raise UserError("--flip is for networks: give one with --model. A classical method has one result.")
    start(backend)
    from keras_segpaint import inference
    from keras_segpaint.cli.progress import counted
    from keras_segpaint.cli.runs import open_model_for
    from keras_segpaint.inference.photographs import check_lossless, write_photograph

    paths = inference.find_images(source)
    to_file = bool(out.suffix) and not out.is_dir() and Path(source).is_file()
    if to_file:
        check_lossless(out)
    inpainter = inference.Inpainter(
        open_model_for("inpainting", model)[0] if model else method or "telea",
        dilation=dilate,
        feather=feather,
        threshold=threshold,
        flips=flips_of(flip),
    )
    guided = inpainter.filler.num_classes is not None
    if guided and labels is None:
        raise UserError(f"{model} is guided by label maps. Give one with --labels, such as --labels labels.png.")
    if labels is not None and not guided:
        raise UserError(f"--labels: {model or 'a classical method'} is not guided by label maps. Leave it away.")
    skipped: list[Path] = []
    written: dict[Path, Path] = {}
    with counted("images filled") as report:
        for item in inference.inpaint_files(
            inpainter, source, mask, hole_value=255 if holes == "white" else 0, labels=labels, skipped=skipped
        ):
            target = out if to_file else out / f"{item.name}.png"
            refuse_overwriting(target, item.path, written, mask)
            target.parent.mkdir(parents=True, exist_ok=True)
            write_photograph(target, item.filled)
            written[target] = item.path
            if compare:
                _write_comparison(target, item)
            report(len(written) + len(skipped), len(paths))
    how = plain(model) if model else method or "telea (no --model given)"
    output.print(f"{len(written)} results in {plain(out)}, filled by {how}", soft_wrap=True, highlight=False)
    if skipped:
        raise UserError(
            f"{len(skipped)} of {len(paths)} files could not be filled: {', '.join(map(str, skipped[:10]))}"
        )


def _write_comparison(target: Path, item: Any) -> None:
    from PIL import Image

    from keras_segpaint import viz

    picture = viz.before_and_after(item.image, item.mask, item.filled)
    Image.fromarray(picture).save(target.with_name(f"{target.stem}_compare.png"))
