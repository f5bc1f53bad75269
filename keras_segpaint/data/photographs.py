"""Photographs without labels, for inpainting."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from keras_segpaint.data.dataset import Example, SegmentationDataset
from keras_segpaint.data.errors import DataError
from keras_segpaint.data.files import find_images, read_image
from keras_segpaint.data.tfds import IMAGE_KEYS, find_builder, pick_split, prepare
from keras_segpaint.extras import require

__all__ = ["PhotographFolder", "SkimagePhotographs", "TFDSPhotographs", "open_photographs"]

# Of scikit-image's own pictures those that are photographs, in colour, and part of the package itself.
SKIMAGE_PHOTOGRAPHS = ("astronaut", "chelsea", "coffee", "hubble_deep_field", "retina", "rocket")


class Photographs(SegmentationDataset):
    """Base of the sets of photographs: an example's mask holds no label but 0."""

    def __init__(self, name: str):
        super().__init__(name, class_names=("photograph",))

    def _photograph(self, index: int) -> np.ndarray:
        raise NotImplementedError

    def _load(self, index: int) -> Example:
        image = self._photograph(index)
        return Example(image, np.zeros(image.shape[:2], np.uint8), self.example_name(index))


class PhotographFolder(Photographs):
    """The photographs of a folder with its subfolders, or of a pattern.

    Args:
        source: A folder, a pattern such as `"photos/*.jpg"`, or a file.

    Raises:
        FileNotFoundError: If `source` stands for no image.

    Example:
        >>> import tempfile
        >>> from PIL import Image
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     Image.new("L", (6, 4)).save(f"{folder}/grey.png")
        ...     PhotographFolder(folder)[0].image.shape
        (4, 6, 3)
    """

    def __init__(self, source: str | os.PathLike):
        super().__init__(str(source))
        self.files = find_images(source)

    def __len__(self) -> int:
        return len(self.files)

    def example_name(self, index: int) -> str:
        return str(self.files[index])

    def _photograph(self, index: int) -> np.ndarray:
        return read_image(self.files[index])


class SkimagePhotographs(Photographs):
    """Photographs that scikit-image carries, free of rights; nothing is downloaded.

    Args:
        names: Names of functions of `skimage.data`. Defaults to all colour photographs in the package.

    Raises:
        ImportError: If scikit-image is not installed.
        ValueError: If scikit-image has no such picture.

    Example:
        >>> SkimagePhotographs(["chelsea"])[0].image.shape
        (300, 451, 3)
    """

    def __init__(self, names: Sequence[str] = SKIMAGE_PHOTOGRAPHS):
        super().__init__("skimage")
        self._pictures = require("skimage.data", "inpaint", "Reading scikit-image's photographs")
        self.names = tuple(names)
        unknown = [name for name in self.names if not callable(getattr(self._pictures, name, None))]
        if unknown or not self.names:
            raise ValueError(f"`names` must be pictures of `skimage.data`. Received: {', '.join(unknown) or 'none'}")

    def __len__(self) -> int:
        return len(self.names)

    def example_name(self, index: int) -> str:
        return f"skimage.data.{self.names[index]}"

    def _photograph(self, index: int) -> np.ndarray:
        image = np.asarray(getattr(self._pictures, self.names[index])())
        return np.repeat(image[..., None], 3, axis=-1) if image.ndim == 2 else image[..., :3]


class TFDSPhotographs(Photographs):
    """The images of a TFDS data set; its other fields are not read. What is not on disk yet is downloaded.

    Args:
        name: The name, optionally with a configuration (`"name/config"`), or a `DatasetBuilder`.
        split: As in `TFDSDataset`. Defaults to `"train"`.
        data_dir: The folder of TFDS; `None` for its own default.

    Raises:
        DataError: If there is no such data set, split or image, or it cannot be prepared.
        ImportError: If tensorflow-datasets is not installed.
    """

    def __init__(self, name: Any, split: str = "train", *, data_dir: str | None = None):
        builder = name if not isinstance(name, str) else find_builder(name, data_dir)
        features = builder.info.features
        self._key = next((key for key in IMAGE_KEYS if key in features), None)
        if self._key is None:
            raise DataError(
                f"tfds:{builder.info.name} has no image: its features are {', '.join(features)}. Expected one of "
                f"{', '.join(IMAGE_KEYS)}."
            )
        prepare(builder)
        self._source = builder.as_data_source(split=pick_split(builder, split))
        super().__init__(f"tfds:{builder.info.name} ({split})")

    def __len__(self) -> int:
        return len(self._source)

    def _photograph(self, index: int) -> np.ndarray:
        image = np.asarray(self._source[index][self._key])
        if image.ndim != 3 or image.shape[-1] not in (1, 3) or image.dtype != np.uint8:
            raise DataError(
                f"{self.example_name(index)}: the field {self._key!r} must be a uint8 image with 1 or 3 channels. "
                f"Received: shape {image.shape}, type {image.dtype}"
            )
        return image


def open_photographs(spec: str | os.PathLike, split: str = "train") -> SegmentationDataset:
    """Opens photographs by a short text.

    Args:
        spec: A folder, a pattern, `"skimage"` or `"tfds:NAME"`.
        split: The split of a TFDS data set. Defaults to `"train"`.

    Raises:
        FileNotFoundError: If a folder or pattern stands for no image.
        DataError: If there is no such TFDS data set or split.

    Example:
        >>> len(open_photographs("skimage"))
        6
    """
    if spec == "skimage" and not Path(spec).exists():
        return SkimagePhotographs()
    if isinstance(spec, str) and spec.startswith("tfds:"):
        return TFDSPhotographs(spec.removeprefix("tfds:"), split)
    return PhotographFolder(spec)
