"""Segmentation of files, folders and patterns."""

import os
import warnings
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from keras_segpaint.data.errors import DataError
from keras_segpaint.data.files import find_images, read_image
from keras_segpaint.inference.images import input_channels
from keras_segpaint.inference.segmenter import Segmentation, Segmenter

__all__ = ["SegmentedFile", "find_images", "segment_files"]


@dataclass(frozen=True)
class SegmentedFile:
    """What was predicted for one image file.

    Args:
        path: The file.
        name: Its path below the folder that was searched, without suffix: a name for result files.
        image: uint8 `(height, width, channels)`.
        result: What the segmenter gave.
    """

    path: Path
    name: str
    image: np.ndarray
    result: Segmentation


def segment_files(
    segmenter: Segmenter,
    source: str | os.PathLike | Iterable[Path],
    *,
    probabilities: bool = False,
    uncertainty: bool = False,
    skipped: list[Path] | None = None,
) -> Iterator[SegmentedFile]:
    """Segments one file after the other; while the network runs, a thread reads the next one.

    A file that cannot be read as an image is skipped with a warning that names it.

    Args:
        segmenter: Segments the images.
        source: A file, a folder or a pattern as in `find_images`, or the paths themselves.
        probabilities: As in `Segmenter`.
        uncertainty: As in `Segmenter`.
        skipped: A list to which the files that could not be read are appended.

    Yields:
        A `SegmentedFile` per file.

    Raises:
        FileNotFoundError: If `source` stands for no file.
        ValueError: If the segmenter cannot do what it is asked for with an image; the message names the file.

    Example:
        >>> import cv2, tempfile
        >>> from keras_segpaint.models import UNet
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = cv2.imwrite(f"{folder}/street.png", np.zeros((21, 30, 3), "uint8"))
        ...     files = segment_files(Segmenter(UNet(3, base_filters=2)), folder)
        ...     [(item.name, item.result.classes.shape) for item in files]
        [('street', (21, 30))]
    """
    if isinstance(source, str | os.PathLike):
        root = Path(source) if Path(source).is_dir() else None
        paths = find_images(source)
    else:
        root, paths = None, list(source)
    channels = 1 if input_channels(segmenter.model) == 1 else 3
    with ThreadPoolExecutor(1, thread_name_prefix="read") as reader:
        coming = [reader.submit(read_image, path, channels) for path in paths[:1]]
        for index, path in enumerate(paths):
            pixels = coming.pop()
            try:
                image = pixels.result()
            except DataError as error:
                warnings.warn(f"skipped: {error}", stacklevel=2)
                if skipped is not None:
                    skipped.append(path)
                image = None
            coming = [reader.submit(read_image, following, channels) for following in paths[index + 1 : index + 2]]
            if image is None:
                continue
            try:
                result = segmenter(image, probabilities=probabilities, uncertainty=uncertainty)
            except ValueError as error:
                raise ValueError(f"{path}: {error}") from error
            name = path.relative_to(root) if root is not None else Path(path.name)
            yield SegmentedFile(path, name.with_suffix("").as_posix(), image, result)
