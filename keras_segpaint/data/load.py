"""Data sets by a short text, as the command line takes them."""

from pathlib import Path

from keras_segpaint.data.brain import BLOCKS, BrainTemplate
from keras_segpaint.data.camvid import UNLABELLED, CamVid
from keras_segpaint.data.dataset import SegmentationDataset
from keras_segpaint.data.errors import DataError
from keras_segpaint.data.files import IMAGE_SUFFIXES, read_mask
from keras_segpaint.data.folder import FolderDataset
from keras_segpaint.data.instances import InstanceDataset
from keras_segpaint.data.layouts import find_layouts
from keras_segpaint.data.tfds import FIELDS, TFDSDataset, tfds_splits

__all__ = ["available_splits", "list_datasets", "load_dataset"]

# What `load_photographs` opens beside TFDS data sets.
PHOTOGRAPHS = {
    "PHOTOS": "a folder of photographs, optionally with train/ and val/, or a pattern such as 'photos/*.jpg'",
    "skimage": "scikit-image's six photographs",
    "A,B": "several sources",
}


def load_dataset(spec: str, split: str = "train", *, num_classes: int | None = None) -> SegmentationDataset:
    """Opens a data set.

    Args:
        spec: A folder (see `FolderDataset` for the layouts; a CamVid folder is recognised), `"brain"`,
            `"camvid:FOLDER"`, `"instances:FOLDER"` or `"tfds:NAME"`.
        split: `"train"`, `"val"`, `"test"` or `"all"`, or a split of a TFDS data set.
        num_classes: The number of classes of a folder of masks that has no class file. `None` looks for the
            highest label.

    Returns:
        The data set.

    Raises:
        DataError: If there is no such data set or split, or files are missing.

    Example:
        >>> load_dataset("brain", "test").num_classes
        4
    """
    kind, separator, rest = spec.partition(":")
    if spec == "brain":
        return BrainTemplate(split)
    if separator and kind == "camvid":
        return CamVid(rest, split)
    if separator and kind == "instances":
        return InstanceDataset(rest, split)
    if separator and kind == "tfds":
        return TFDSDataset(rest, split)
    root = Path(spec)
    if not root.is_dir():
        raise DataError(
            f"There is no data set {spec!r}. Give a folder with `images/` and `masks/`, or one of: "
            + ", ".join(row["spec"] for row in list_datasets())
        )
    if is_camvid(root):
        return CamVid(root, split)
    return FolderDataset(root, split, num_classes=num_classes)


def available_splits(spec: str) -> list[str]:
    """The splits that `load_dataset` finds for `spec`.

    Raises:
        DataError: If there is no such data set.

    Example:
        >>> available_splits("brain")
        ['train', 'val', 'test']
    """
    kind, separator, rest = spec.partition(":")
    if spec == "brain":
        return list(BLOCKS)
    if separator and kind == "tfds":
        return tfds_splits(rest)
    masks = "instances" if separator and kind == "instances" else "masks"
    layouts = find_layouts(Path(rest if separator and kind in ("camvid", "instances") else spec), masks=masks)
    return ["train", "val"] if layouts[0].split is None else [str(layout.split) for layout in layouts]


def list_datasets() -> list[dict[str, str]]:
    """What `load_dataset` opens: one row each, with `spec`, `classes` and `description`.

    Example:
        >>> list_datasets()[1]["spec"]
        'brain'
    """
    rows = [
        {
            "spec": "FOLDER",
            "classes": "any",
            "description": "images/ and masks/ with the same file names; optional classes.txt",
        },
        {
            "spec": "brain",
            "classes": "4",
            "description": "axial slices of the MNI brain template that nilearn carries",
        },
        {
            "spec": "camvid:FOLDER",
            "classes": "11",
            "description": "CamVid: train/ and trainannot/, val/ and valannot/",
        },
        {
            "spec": "instances:FOLDER",
            "classes": "2",
            "description": "images/ and instances/ (2018 Data Science Bowl nuclei)",
        },
    ]
    for name, field in FIELDS.items():
        rows.append({"spec": f"tfds:{name}", "classes": str(field.classes), "description": field.description})
    rows.append({"spec": "tfds:NAME", "classes": "any", "description": "any TFDS data set with a segmentation mask"})
    for spec, description in PHOTOGRAPHS.items():
        rows.append({"spec": spec, "classes": "none", "description": f"inpainting: {description}"})
    return rows


def is_camvid(root: Path) -> bool:
    """Whether a folder has CamVid's layout and no label above CamVid's 11 in its first mask."""
    annotations = [path for path in (root / "trainannot", root / "valannot", root / "testannot") if path.is_dir()]
    for folder in annotations:
        for path in sorted(folder.iterdir()):
            if path.suffix.lower() in IMAGE_SUFFIXES:
                mask = read_mask(path)
                known = mask.ndim == 2 and mask.max(initial=0) <= UNLABELLED
                return known and not (root / "classes.txt").exists()
    return False
