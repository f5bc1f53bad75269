"""Images from files of label maps."""

import os
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from keras_segpaint.data.errors import DataError
from keras_segpaint.data.files import find_images
from keras_segpaint.data.label_files import read_labels
from keras_segpaint.inference.synthesizer import Synthesizer

__all__ = ["SynthesizedFile", "synthesize_files"]


@dataclass(frozen=True)
class SynthesizedFile:
    """An image that was made from the label map in a file.

    Args:
        path: The file.
        name: Its path below the folder that was searched, without suffix: a name for result files.
        labels: int32 `(height, width)`, the ids in the file.
        image: uint8 `(height, width, 3)`.
    """

    path: Path
    name: str
    labels: np.ndarray
    image: np.ndarray


def synthesize_files(
    synthesizer: Synthesizer,
    source: str | os.PathLike,
    *,
    palette: np.ndarray | None = None,
    style: Any = None,
    skipped: list[Path] | None = None,
) -> Iterator[SynthesizedFile]:
    """Makes an image from one label map after the other.

    A file that is no label map of what the network knows is skipped with a warning that names it, what is wrong, and what is
    allowed.

    Args:
        synthesizer: Makes the images.
        source: A file, a folder or a pattern as in `find_images`.
        palette: `(num_labels, 3)`, the colours of the labels, for label maps in RGB.
        style: As `Synthesizer` takes it.
        skipped: A list to which the files that could not be used are appended.

    Yields:
        A `SynthesizedFile` for each.

    Raises:
        FileNotFoundError: If `source` stands for no file.

    Example:
        >>> import cv2, tempfile
        >>> from keras_segpaint.models import CRN
        >>> make = Synthesizer(CRN(3, filters=(4, 4), data_format="channels_last"))
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = cv2.imwrite(f"{folder}/street.png", np.eye(32, dtype="uint8"))
        ...     [(item.name, item.image.shape) for item in synthesize_files(make, folder)]
        [('street', (32, 32, 3))]
    """
    root = Path(source) if Path(source).is_dir() else None
    for path in find_images(source):
        try:
            labels = read_labels(path, synthesizer.num_labels, synthesizer.ignore_class, palette)
            image = synthesizer(labels, style)
        except ValueError as error:
            named = error if isinstance(error, DataError) else f"{path}: {error}"
            warnings.warn(f"skipped: {named}", stacklevel=2)
            if skipped is not None:
                skipped.append(path)
            continue
        name = path.relative_to(root) if root is not None else Path(path.name)
        yield SynthesizedFile(path, name.with_suffix("").as_posix(), labels, image)
