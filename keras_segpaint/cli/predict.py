"""`segpaint predict`: segment images from files."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from keras_segpaint.cli.console import output, plain
from keras_segpaint.cli.errors import UserError
from keras_segpaint.cli.options import (
    BackendOption,
    DebugOption,
    Flip,
    RunArgument,
    Size,
    SizeOption,
    flips_of,
    parse_size,
    start,
)
from keras_segpaint.cli.results import refuse_overwriting

__all__ = ["predict"]

Style = Literal["palette", "overlay", "raw"]
Mode = Literal["blend", "overlap_tile"]
Window = Literal["linear", "gaussian"]
Argmax = Literal["after", "before"]
Archive = Literal["npy", "npz"]

TILES, PASSES, RESULTS = "Large images", "Better results", "More results"
# The largest variance of a number in [0, 1].
LARGEST_VARIANCE = 0.25


def parse_scales(text: str) -> tuple[float, ...]:
    """`"0.75,1,1.25"` as numbers."""
    try:
        scales = tuple(float(part) for part in text.split(","))
    except ValueError:
        scales = ()
    if not scales or min(scales) <= 0:
        raise typer.BadParameter(f"must be factors above 0 with commas, such as 0.75,1,1.25. Received: {text}")
    return scales


def parse_overlap(text: str) -> int | float:
    """`"64"` as pixels, `"0.25"` as a share."""
    try:
        overlap = int(text) if text.strip().isdigit() else float(text)
    except ValueError:
        overlap = -1
    if overlap < 0 or (isinstance(overlap, float) and overlap >= 1):
        raise typer.BadParameter(
            f"must be pixels, such as 64, or a share of the tile below 1, such as 0.25. Received: {text}"
        )
    return overlap


def predict(
    model: RunArgument,
    source: Annotated[
        str,
        typer.Argument(
            metavar="IN", help="An image, a folder, or a pattern in quotes such as 'photos/*.jpg'.", show_default=False
        ),
    ],
    out: Annotated[Path, typer.Option(help="Folder for the results, one PNG per image.", show_default=False)],
    style: Annotated[
        Style,
        typer.Option(
            "--as",
            help="palette: class indices shown in colours; overlay: colours over the image; raw: bare indices.",
        ),
    ] = "palette",
    size: SizeOption = None,
    tile: Annotated[
        Size | None,
        typer.Option(
            help="Pixels that the network sees at a time; images keep their own size then, unless --size is given.",
            parser=parse_size,
            metavar="HxW",
            show_default=False,
            rich_help_panel=TILES,
        ),
    ] = None,
    max_memory: Annotated[
        float | None,
        typer.Option(
            help="MiB that an image may take beside itself; chooses --tile; images keep their own size then.",
            min=1,
            show_default=False,
            rich_help_panel=TILES,
        ),
    ] = None,
    mode: Annotated[
        Mode,
        typer.Option(
            help="blend: tiles fade into each other; overlap_tile: their margins are thrown away (U-Net's paper).",
            rich_help_panel=TILES,
        ),
    ] = "blend",
    overlap: Annotated[
        Any,
        typer.Option(
            help="What blended tiles share: pixels, or a share below 1. Default: 0.25.",
            parser=parse_overlap,
            metavar="PIXELS|SHARE",
            show_default=False,
            rich_help_panel=TILES,
        ),
    ] = None,
    margin: Annotated[
        int | None,
        typer.Option(
            help="Pixels at the edges of tiles that do not count. Default: 0 for blend, else found by trying.",
            min=0,
            show_default=False,
            rich_help_panel=TILES,
        ),
    ] = None,
    window: Annotated[Window, typer.Option(help="How blended tiles fade.", rich_help_panel=TILES)] = "linear",
    batch_size: Annotated[
        int, typer.Option(help="Tiles that go through the network together.", min=1, rich_help_panel=TILES)
    ] = 4,
    scales: Annotated[
        Any,
        typer.Option(
            help="Factors at which images are seen, such as 0.75,1,1.25; the mean counts. Default: 1.",
            parser=parse_scales,
            metavar="S,S,...",
            show_default=False,
            rich_help_panel=PASSES,
        ),
    ] = None,
    flip: Annotated[Flip, typer.Option(help="Also see images turned round.", rich_help_panel=PASSES)] = "none",
    samples: Annotated[
        int,
        typer.Option(help="Passes with dropout on; also writes NAME_uncertainty.png.", min=0, rich_help_panel=PASSES),
    ] = 0,
    seed: Annotated[int, typer.Option(help="Of the dropout.", rich_help_panel=PASSES)] = 0,
    crf: Annotated[bool, typer.Option("--crf", help="Refine edges with a dense CRF.", rich_help_panel=PASSES)] = False,
    crf_iterations: Annotated[int, typer.Option(help="Of --crf.", min=0, rich_help_panel=PASSES)] = 5,
    crf_gaussian: Annotated[
        tuple[float, float],
        typer.Option(
            metavar="SXY COMPAT", help="Of --crf: deviation in pixels and weight of nearness.", rich_help_panel=PASSES
        ),
    ] = (3.0, 3.0),
    crf_bilateral: Annotated[
        tuple[float, float, float],
        typer.Option(
            metavar="SXY SRGB COMPAT",
            help="Of --crf: deviations in pixels and grey levels, and weight, of nearness and like colour.",
            rich_help_panel=PASSES,
        ),
    ] = (80.0, 13.0, 10.0),
    argmax: Annotated[
        Argmax,
        typer.Option(help="Decide after resizing results to the image, or before (faster).", rich_help_panel=PASSES),
    ] = "after",
    probabilities: Annotated[
        Archive | None,
        typer.Option(
            help="Also write NAME_probabilities.npy, or .npz (compressed): float32, height x width x classes.",
            show_default=False,
            rich_help_panel=RESULTS,
        ),
    ] = None,
    uncertainty: Annotated[
        bool,
        typer.Option(
            "--uncertainty",
            help="Also write NAME_uncertainty.png: the variance over samples, flips and scales in 16 bits, 65535 for 0.25.",
            rich_help_panel=RESULTS,
        ),
    ] = False,
    backend: BackendOption = None,
    debug: DebugOption = False,
) -> None:
    """Segment a file, a folder or a pattern of images and write one PNG per image.

    Images are resized to what the run was trained at, or to --size. With --tile or --max-memory they keep their own size.

    Example: segpaint predict runs/enet 'photos/*.jpg' --out segmented --as overlay

    Example: segpaint predict runs/enet map.tif --out segmented --tile 512x512 --flip both --max-memory 2000
    """
    start(backend)
    from keras_segpaint import inference, viz
    from keras_segpaint.cli.progress import counted
    from keras_segpaint.cli.runs import open_model_for
    from keras_segpaint.data.palette import default_palette

    paths = inference.find_images(source)
    network, record = open_model_for("segmentation", model)
    palette = record.palette if record else default_palette(network.num_classes)
    if size is None and record is not None and tile is None and max_memory is None:
        size = Size(*record.size)
    sxy, srgb, compat = crf_bilateral
    terms = (
        inference.GaussianPairwise(*crf_gaussian),
        inference.BilateralPairwise(sxy=sxy, srgb=srgb, compat=compat),
    )
    segmenter = inference.Segmenter(
        network,
        size=size,
        tile=tile,
        mode=mode,
        overlap=overlap,
        margin=margin,
        window=window,
        scales=scales or (1.0,),
        flips=flips_of(flip),
        samples=samples,
        seed=seed,
        crf=partial(inference.dense_crf, pairwise=terms, iterations=crf_iterations) if crf else None,
        argmax=argmax,
        batch_size=batch_size,
        max_memory=max_memory,
    )
    out.mkdir(parents=True, exist_ok=True)
    skipped: list[Path] = []
    written: dict[Path, Path] = {}
    results = inference.segment_files(
        segmenter,
        source,
        probabilities=probabilities is not None,
        uncertainty=uncertainty or samples > 0,
        skipped=skipped,
    )
    # A thread writes the last result while the network is at the next image; one waits at most.
    with _large_images(), counted("images segmented") as report, ThreadPoolExecutor(1) as writer:
        last: Future[None] | None = None
        for count, item in enumerate(results, start=1):
            target = out / f"{item.name}.png"
            files = [target]
            if item.result.uncertainty is not None:
                files.append(target.with_name(f"{target.stem}_uncertainty.png"))
            if probabilities is not None:
                files.append(target.with_name(f"{target.stem}_probabilities.{probabilities}"))
            for file in files:
                refuse_overwriting(file, item.path, written)
                written[file] = item.path
            if last is not None:
                last.result()
            last = writer.submit(_write, files, item, style, palette, viz)
            report(count + len(skipped), len(paths))
        if last is not None:
            last.result()
    output.print(f"{len(paths) - len(skipped)} results in {plain(out)}", soft_wrap=True, highlight=False)
    if skipped:
        raise UserError(f"{len(skipped)} of {len(paths)} files could not be read: {', '.join(map(str, skipped[:10]))}")


def _write(files: list[Path], item: Any, style: Style, palette: Any, viz: Any) -> None:
    import numpy as np
    from PIL import Image

    target, *others = files
    target.parent.mkdir(parents=True, exist_ok=True)
    classes = item.result.classes
    if style == "overlay":
        picture = Image.fromarray(viz.overlay(item.image, classes, palette))
    else:
        # More than 256 classes have no palette; 16 bits hold their indices.
        picture = Image.fromarray(classes)
        if style == "palette" and classes.dtype == "uint8":
            picture.putpalette(palette.tobytes())
    picture.save(target)
    for file in others:
        if file.suffix == ".npz":
            np.savez_compressed(file, probabilities=item.result.probabilities)
        elif file.suffix == ".npy":
            np.save(file, item.result.probabilities)
        else:
            share = np.clip(item.result.uncertainty / LARGEST_VARIANCE, 0, 1)
            Image.fromarray(np.rint(share * 65535).astype(np.uint16)).save(file)


@contextmanager
def _large_images() -> Iterator[None]:
    """Lifts Pillow's limit on the size of an image, which guards servers against files of strangers."""
    from PIL import Image

    limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS = limit
