"""`segpaint predict`: segment images from files."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from keras_segpaint.cli.console import output, plain
from keras_segpaint.cli.errors import UserError
from keras_segpaint.cli.options import BackendOption, DebugOption, RunArgument, SizeOption, start

__all__ = ["predict"]

Style = Literal["palette", "overlay", "raw"]


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
    backend: BackendOption = None,
    debug: DebugOption = False,
) -> None:
    """Segment a file, a folder or a pattern of images and write one PNG per image.

    Example: segpaint predict runs/enet 'photos/*.jpg' --out segmented --as overlay
    """
    start(backend)
    from keras_segpaint import inference, viz
    from keras_segpaint.cli.progress import counted
    from keras_segpaint.cli.runs import open_segmentation_model
    from keras_segpaint.data.palette import default_palette

    paths = inference.find_images(source)
    network, record = open_segmentation_model(model)
    palette = record.palette if record else default_palette(network.num_classes)
    out.mkdir(parents=True, exist_ok=True)
    skipped: list[Path] = []
    written: dict[Path, Path] = {}
    with counted("images segmented") as report:
        for item in inference.predict_files(
            network, source, size=size or (record.size if record else None), skipped=skipped
        ):
            target = out / f"{item.name}.png"
            if target in written or target.resolve() == item.path.resolve():
                lost = f"that of {written[target]}" if target in written else "the image itself"
                raise UserError(
                    f"{item.path}: its result would overwrite {lost}. "
                    "Choose another --out, or give the images different names."
                )
            target.parent.mkdir(parents=True, exist_ok=True)
            _write(target, item, style, palette, viz)
            written[target] = item.path
            report(len(written) + len(skipped), len(paths))
    output.print(f"{len(written)} results in {plain(out)}", soft_wrap=True, highlight=False)
    if skipped:
        raise UserError(f"{len(skipped)} of {len(paths)} files could not be read: {', '.join(map(str, skipped[:10]))}")


def _write(target: Path, item: Any, style: Style, palette: Any, viz: Any) -> None:
    from PIL import Image

    if style == "overlay":
        picture = Image.fromarray(viz.overlay(item.image, item.class_map, palette))
    elif item.class_map.dtype != "uint8":
        # More than 256 classes have no palette; 16 bits hold their indices.
        picture = Image.fromarray(item.class_map.astype("uint16"))
    else:
        picture = Image.fromarray(item.class_map)
        if style == "palette":
            picture.putpalette(palette.tobytes())
    picture.save(target)
