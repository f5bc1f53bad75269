"""`segpaint synthesize`: make images from label maps in files."""

from pathlib import Path
from typing import Annotated

import typer

from keras_segpaint.cli.console import output, plain
from keras_segpaint.cli.errors import UserError
from keras_segpaint.cli.options import BackendOption, DebugOption, SizeOption, start

__all__ = ["synthesize"]


def synthesize(
    source: Annotated[
        str,
        typer.Argument(
            metavar="LABELS",
            help="A label map, a folder, or a pattern in quotes such as 'maps/*.png'. Ids as in the masks that the run was "
            "trained on, 255 where nothing is known; or the colours of the run's classes.",
            show_default=False,
        ),
    ],
    run: Annotated[
        Path,
        typer.Option(
            help="A run's folder (its best checkpoint is taken) or a .keras file of a model that makes images.",
            metavar="RUN_OR_MODEL",
            show_default=False,
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(
            help="Folder for the images, one PNG per label map; of a single label map also a .png or .tif file.",
            show_default=False,
        ),
    ],
    size: SizeOption = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the style, of a network with styles: one seed, one style.")] = 0,
    style: Annotated[
        Path | None,
        typer.Option(
            metavar="IMAGE",
            help="Take the style of this image, with a run that was trained with an encoder.",
            show_default=False,
        ),
    ] = None,
    compare: Annotated[
        bool, typer.Option("--compare", help="Also write NAME_compare.png: label map and image side by side.")
    ] = False,
    backend: BackendOption = None,
    debug: DebugOption = False,
) -> None:
    """Make an image from each label map of a file, a folder or a pattern.

    Label maps keep their size, unless --size is given.

    Example: segpaint synthesize 'maps/*.png' --run runs/make --out made --seed 3
    """
    start(backend)
    import numpy as np
    from PIL import Image

    from keras_segpaint import inference, viz
    from keras_segpaint.cli.progress import counted
    from keras_segpaint.cli.runs import open_model_for
    from keras_segpaint.data.files import read_image
    from keras_segpaint.data.palette import default_palette
    from keras_segpaint.inference.photographs import check_lossless, write_photograph

    paths = inference.find_images(source)
    to_file = bool(out.suffix) and not out.is_dir() and Path(source).is_file()
    if to_file:
        check_lossless(out)
    network, record = open_model_for("synthesis", run, adversaries=True)
    synthesizer = inference.Synthesizer(network, size=size, seed=seed)
    palette = record.palette if record is not None and len(record.palette) else None
    shown = default_palette(synthesizer.num_labels) if palette is None else palette
    image_of_style = None if style is None else read_image(style)
    if style is not None and synthesizer.encoder is None:
        raise UserError(
            f"--style: {run} has no encoder, which reads styles. Train with --set encoder.name=SPADEEncoder, and give the "
            "run's folder."
        )
    skipped: list[Path] = []
    written: dict[Path, Path] = {}
    with counted("images made") as report:
        for item in inference.synthesize_files(
            synthesizer, source, palette=palette, style=image_of_style, skipped=skipped
        ):
            target = out if to_file else out / f"{item.name}.png"
            _refuse_overwriting(target, item.path, style, written)
            target.parent.mkdir(parents=True, exist_ok=True)
            write_photograph(target, item.image)
            written[target] = item.path
            if compare:
                colours = viz.colorize(item.labels, shown)
                if colours.shape != item.image.shape:
                    enlarged = Image.fromarray(colours).resize(item.image.shape[1::-1], Image.Resampling.NEAREST)
                    colours = np.asarray(enlarged)
                pair = np.concatenate([colours, item.image], axis=1)
                Image.fromarray(pair).save(target.with_name(f"{target.stem}_compare.png"))
            report(len(written) + len(skipped), len(paths))
    output.print(f"{len(written)} images in {plain(out)}, made by {plain(run)}", soft_wrap=True, highlight=False)
    if skipped:
        raise UserError(
            f"{len(skipped)} of {len(paths)} label maps could not be used: {', '.join(map(str, skipped[:10]))}"
        )


def _refuse_overwriting(target: Path, source: Path, style: Path | None, written: dict[Path, Path]) -> None:
    lost = None
    if target in written:
        lost = f"that of {written[target]}"
    elif target.resolve() == source.resolve():
        lost = "the label map itself"
    elif style is not None and target.resolve() == style.resolve():
        lost = "the image of the style"
    if lost:
        raise UserError(
            f"{source}: its image would overwrite {lost}. Choose another --out, or give the label maps different names."
        )
