"""Data sets of TensorFlow Datasets that have a segmentation mask."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from keras_segpaint.data.dataset import Example, SegmentationDataset, in_threads
from keras_segpaint.data.errors import DataError
from keras_segpaint.data.label_map import LabelMap
from keras_segpaint.extras import require

__all__ = ["FIELDS", "TFDSDataset", "tfds_splits"]

CITYSCAPES_CLASSES = (
    "road",
    "sidewalk",
    "building",
    "wall",
    "fence",
    "pole",
    "traffic light",
    "traffic sign",
    "vegetation",
    "terrain",
    "sky",
    "person",
    "rider",
    "car",
    "truck",
    "bus",
    "train",
    "motorcycle",
    "bicycle",
)
# The 19 evaluated ones of the 34 label ids, in the order of the classes above.
CITYSCAPES_IDS = (7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33)

IGNORED = -1


class Field(NamedTuple):
    """How a data set stores its images and masks, and what its labels mean (`IGNORED` for those that count
    nowhere)."""

    builder: str
    image: str
    mask: str
    class_names: tuple[str, ...]
    labels: dict[int, int]
    description: str

    @property
    def classes(self) -> int:
        return len(self.class_names)


FIELDS = {
    "oxford_iiit_pet": Field(
        "oxford_iiit_pet",
        "image",
        "segmentation_mask",
        ("pet", "background", "outline"),
        {1: 0, 2: 1, 3: 2},
        "Oxford-IIIT pets",
    ),
    "cityscapes": Field(
        "cityscapes/semantic_segmentation",
        "image_left",
        "segmentation_label",
        CITYSCAPES_CLASSES,
        {index: IGNORED for index in range(-1, 256)} | {index: i for i, index in enumerate(CITYSCAPES_IDS)},
        "Cityscapes road scenes (to be downloaded by hand)",
    ),
    "ade20k": Field(
        "scene_parse150",
        "image",
        "annotation",
        tuple(f"class {index}" for index in range(150)),
        {0: IGNORED} | {index: index - 1 for index in range(1, 151)},
        "ADE20K scenes, the 150 classes of the scene parsing challenge",
    ),
}
IMAGE_KEYS = ("image", "image_left", "images")
MASK_KEYS = ("segmentation_mask", "segmentation_label", "annotation", "mask", "label_map")


class TFDSDataset(SegmentationDataset):
    """A TFDS data set read by index, prepared in the array_record format.

    Of `"oxford_iiit_pet"`, `"cityscapes"` and `"ade20k"` the fields and labels are known. Any other data set
    is accepted if its features hold an image and a mask of class indices under one of the usual names. What
    is not on disk yet is downloaded.

    Args:
        name: The name, optionally with a configuration (`"name/config"`), or a `DatasetBuilder`.
        split: A split of the data set; `"train"`, `"val"` and `"test"` are found under their usual names,
            `"val"` falls back on `"test"`. Defaults to `"train"`.
        data_dir: The folder of TFDS; `None` for its own default.
        class_names: The names of the classes; needed only if numbers are not good enough.
        num_classes: The number of classes of a data set that is not known and does not say it. `None` looks
            for the highest label.
        ignore_class: The label that counts nowhere. Defaults to `255`.

    Raises:
        DataError: If there is no such data set, split, image or mask, or it cannot be prepared.
        ImportError: If tensorflow-datasets is not installed.
    """

    def __init__(
        self,
        name: Any,
        split: str = "train",
        *,
        data_dir: str | None = None,
        class_names: Sequence[str] | None = None,
        num_classes: int | None = None,
        ignore_class: int = 255,
    ):
        builder = name if not isinstance(name, str) else find_builder(name, data_dir)
        self._field = known_field(builder.info.name) or guess_field(builder)
        labels = {key: ignore_class if value == IGNORED else value for key, value in self._field.labels.items()}
        self._label_map = LabelMap(labels) if labels else None
        self._label = builder.info.name
        prepare(builder)
        self._source = builder.as_data_source(split=pick_split(builder, split))
        if class_names is None:
            class_names = self._field.class_names
        if not class_names:
            count = num_classes or self._count_classes(ignore_class)
            class_names = [f"class {index}" for index in range(count)]
        super().__init__(f"tfds:{builder.info.name} ({split})", class_names, None, ignore_class)

    def __len__(self) -> int:
        return len(self._source)

    def example_name(self, index: int) -> str:
        return f"{self._label}[{index}]"

    def _load(self, index: int) -> Example:
        record = self._source[index]
        image = np.asarray(record[self._field.image])
        if image.ndim != 3 or image.shape[-1] not in (1, 3) or image.dtype != np.uint8:
            raise DataError(
                f"{self.example_name(index)}: the field {self._field.image!r} must be a uint8 image with 1 "
                "or 3 channels. "
                f"Received: shape {image.shape}, type {image.dtype}"
            )
        return Example(image, self._labels(record, index), self.example_name(index))

    def _load_mask(self, index: int) -> np.ndarray:
        return self._labels(self._source[index], index)

    def _labels(self, record: Mapping[str, Any], index: int) -> np.ndarray:
        mask = np.asarray(record[self._field.mask])
        if mask.ndim == 3 and (mask[..., :1] == mask).all():
            mask = mask[..., 0]
        if mask.ndim != 2 or not np.issubdtype(mask.dtype, np.integer):
            raise DataError(
                f"{self.example_name(index)}: the field {self._field.mask!r} must hold class indices "
                "(height, width). Received: "
                f"shape {mask.shape}, type {mask.dtype}"
            )
        if self._label_map is not None:
            return self._label_map(mask, self.example_name(index))
        return mask if mask.dtype == np.uint8 else mask.astype(np.int32)

    def _count_classes(self, ignore_class: int) -> int:
        def highest(index: int) -> int:
            mask = self._load_mask(index)
            return int(mask.max(initial=0, where=mask != ignore_class))

        return max(in_threads(highest, len(self)), default=0) + 1


def tfds_splits(name: str) -> list[str]:
    """The splits of a TFDS data set.

    Raises:
        DataError: If there is no such data set.
    """
    builder = find_builder(name, None)
    prepare(builder)
    return list(builder.info.splits)


def find_builder(name: str, data_dir: str | None) -> Any:
    """The builder of a data set, by its name or the name that `FIELDS` gives it."""
    tfds = require("tensorflow_datasets", "datasets", "Reading a TFDS data set")
    field = FIELDS.get(name)
    try:
        return tfds.builder(field.builder if field else name, data_dir=data_dir, file_format="array_record")
    except tfds.core.DatasetNotFoundError as error:
        raise DataError(
            f"TFDS has no data set {name!r}. Known here are {', '.join(FIELDS)}; all names are listed at "
            "https://www.tensorflow.org/datasets/catalog."
        ) from error


def prepare(builder: Any) -> None:
    """Downloads and writes the data set, if it is not on disk."""
    try:
        builder.download_and_prepare()
    except (AssertionError, OSError) as error:
        raise DataError(f"tfds:{builder.info.name} could not be downloaded and prepared: {error}") from error


def known_field(builder_name: str) -> Field | None:
    """What `FIELDS` says about a builder."""
    for field in FIELDS.values():
        if field.builder.partition("/")[0] == builder_name:
            return field
    return None


def guess_field(builder: Any) -> Field:
    """The image and mask of a data set that is not known, by the usual names."""
    features = builder.info.features
    image = next((key for key in IMAGE_KEYS if key in features), None)
    mask = next((key for key in MASK_KEYS if key in features), None)
    if image is None or mask is None:
        raise DataError(
            f"tfds:{builder.info.name} has no image with a segmentation mask: its features are "
            f"{', '.join(features)}. Expected "
            f"one of {', '.join(IMAGE_KEYS)} and one of {', '.join(MASK_KEYS)}."
        )
    names = getattr(features[mask], "names", None) or ()
    return Field(builder.info.name, image, mask, tuple(names), {}, "")


def pick_split(builder: Any, split: str) -> str:
    """The name of a split in this data set."""
    aliases = {"val": ("val", "validation", "test"), "all": ("all",)}.get(split, (split,))
    for alias in aliases:
        if alias == "all" or alias.partition("[")[0] in builder.info.splits:
            return alias
    raise DataError(
        f"tfds:{builder.info.name} has no split {split!r}. Available: {', '.join([*builder.info.splits, 'all'])}."
    )
