"""Filling holes over files, folders and patterns."""

import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from keras_segpaint.data.errors import DataError
from keras_segpaint.data.files import find_images, read_mask
from keras_segpaint.data.masks import read_hole_mask
from keras_segpaint.inference.inpainter import Inpainter
from keras_segpaint.inference.photographs import read_photograph

__all__ = ["FilledFile", "inpaint_files"]


@dataclass(frozen=True)
class FilledFile:
    """One image file whose holes were filled.

    Args:
        path: The file.
        name: Its path below the folder that was searched, without suffix: a name for result files.
        image: The image as it is stored, uint8 or uint16, `(height, width)` or `(height, width, channels)`.
        mask: uint8 `(height, width)`, 1 is a hole.
        filled: The result, of the shape and type of `image`.
    """

    path: Path
    name: str
    image: np.ndarray
    mask: np.ndarray
    filled: np.ndarray


def inpaint_files(
    inpainter: Inpainter,
    source: str | os.PathLike,
    mask: str | os.PathLike,
    *,
    hole_value: int,
    labels: str | os.PathLike | None = None,
    skipped: list[Path] | None = None,
) -> Iterator[FilledFile]:
    """Fills one file after the other.

    An image or mask that cannot be read, or a mask that does not fit its image, is skipped with a warning that names it.

    Args:
        inpainter: Fills the holes.
        source: A file, a folder or a pattern as in `find_images`.
        mask: A file, used for every image, or a folder with a mask of the same name, with any image suffix, for each.
        hole_value: `1` or `255` if holes are bright in the mask files, `0` if they are dark.
        labels: For a model that is guided by label maps: a file of one, used for every image, or a folder with one of the
            same name for each; grey or palette images. `None` for other models.
        skipped: A list to which the files that could not be filled are appended.

    Yields:
        A `FilledFile` per image.

    Raises:
        FileNotFoundError: If `source` stands for no file, or there is no such mask.
        DataError: If images have no mask or label map in the folder; the message names them.
        ValueError: If the model is guided by label maps and there are none, or the other way round.

    Example:
        >>> import cv2, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = cv2.imwrite(f"{folder}/photo.png", np.full((9, 9, 3), 80, "uint8"))
        ...     _ = cv2.imwrite(f"{folder}/mask.png", np.eye(9, dtype="uint8") * 255)
        ...     files = inpaint_files(Inpainter("telea"), f"{folder}/photo.png", f"{folder}/mask.png", hole_value=255)
        ...     [(item.name, int(item.mask.sum()), item.filled.shape) for item in files]
        [('photo', 9, (9, 9, 3))]
    """
    inpainter.check_guides(labels)
    root = Path(source) if Path(source).is_dir() else None
    paths = find_images(source)
    masks = match_masks(paths, root, Path(mask))
    guides = match_masks(paths, root, Path(labels), "label map") if labels is not None else {}
    for path in paths:
        try:
            image = read_photograph(path)
            holes = read_hole_mask(masks[path], hole_value=hole_value, threshold=inpainter.threshold)
            guide = read_mask(guides[path]) if guides else None
            filled = inpainter(image, holes, labels=guide)
        except ValueError as error:
            named = error if isinstance(error, DataError) else f"{path}: {error}"
            warnings.warn(f"skipped: {named}", stacklevel=2)
            if skipped is not None:
                skipped.append(path)
            continue
        name = path.relative_to(root) if root is not None else Path(path.name)
        yield FilledFile(path, name.with_suffix("").as_posix(), image, holes, filled)


def match_masks(paths: list[Path], root: Path | None, mask: Path, what: str = "mask") -> dict[Path, Path]:
    """The mask file, or what else there is for each image, of each."""
    if not mask.is_dir():
        if not mask.is_file():
            raise FileNotFoundError(2, f"No such {what} file, and no folder of {what}s", str(mask))
        return dict.fromkeys(paths, mask)
    by_name = {file.relative_to(mask).with_suffix("").as_posix(): file for file in find_images(mask)}
    names = {path: (path.relative_to(root) if root else Path(path.name)).with_suffix("").as_posix() for path in paths}
    missing = [str(path) for path, name in names.items() if name not in by_name]
    if missing:
        shown = ", ".join(missing[:5]) + (", ..." if len(missing) > 5 else "")
        raise DataError(
            f"{mask} has no {what} for {len(missing)} of {len(paths)} images: {shown}. {what.capitalize()}s have their names."
        )
    return {path: by_name[name] for path, name in names.items()}
