"""Prediction over files, folders and patterns."""

import os
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

from keras_segpaint.data.errors import DataError
from keras_segpaint.data.files import find_images, read_image
from keras_segpaint.inference.images import input_channels
from keras_segpaint.inference.predict import class_map, predict_logits, softmax

__all__ = ["FilePrediction", "find_images", "predict_files"]


@dataclass(frozen=True)
class FilePrediction:
    """What was predicted for one image file.

    Args:
        path: The file.
        name: Its path below the folder that was searched, without suffix: a name for result files.
        image: uint8 `(height, width, channels)`.
        class_map: `(height, width)` classes.
        probabilities: float32 `(height, width, num_classes)`, or `None` if not asked for.
    """

    path: Path
    name: str
    image: np.ndarray
    class_map: np.ndarray
    probabilities: np.ndarray | None = None


def predict_files(
    model: keras.Model,
    source: str | os.PathLike | Iterable[Path],
    *,
    size: tuple[int, int] | None = None,
    probabilities: bool = False,
    skipped: list[Path] | None = None,
) -> Iterator[FilePrediction]:
    """Predicts one file after the other.

    A file that cannot be read as an image is skipped with a warning that names it.

    Args:
        model: A segmentation model that gives logits.
        source: A file, a folder or a pattern as in `find_images`, or the paths themselves.
        size: As in `predict`.
        probabilities: Boolean, also give the softmax of the logits. Defaults to `False`.
        skipped: A list to which the files that could not be read are appended.

    Yields:
        A `FilePrediction` per file.

    Raises:
        FileNotFoundError: If `source` stands for no file.

    Example:
        >>> import cv2, tempfile
        >>> from keras_segpaint.models import UNet
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = cv2.imwrite(f"{folder}/street.png", np.zeros((21, 30, 3), "uint8"))
        ...     [(item.name, item.class_map.shape) for item in predict_files(UNet(3, base_filters=2), folder)]
        [('street', (21, 30))]
    """
    if isinstance(source, str | os.PathLike):
        root = Path(source) if Path(source).is_dir() else None
        paths = find_images(source)
    else:
        root, paths = None, list(source)
    channels = 1 if input_channels(model) == 1 else 3
    for path in paths:
        try:
            image = read_image(path, channels)
        except DataError as error:
            warnings.warn(f"skipped: {error}", stacklevel=2)
            if skipped is not None:
                skipped.append(path)
            continue
        logits = predict_logits(model, image, size)
        name = path.relative_to(root) if root is not None else Path(path.name)
        yield FilePrediction(
            path=path,
            name=name.with_suffix("").as_posix(),
            image=image,
            class_map=class_map(logits),
            probabilities=softmax(logits) if probabilities else None,
        )
