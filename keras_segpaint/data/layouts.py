"""Which folders of a data set hold the images and the masks of a split."""

from pathlib import Path
from typing import NamedTuple

from keras_segpaint.data.errors import DataError

__all__ = ["Layout", "find_layouts", "split_folders"]

SPLITS = ("train", "val", "test")

_ALIASES = {
    "val": ("val", "valid", "validation"),
    "train": ("train", "training"),
    "test": ("test", "testing"),
}


class Layout(NamedTuple):
    """The folders of one split; `split` is `None` for a data set that is not divided."""

    split: str | None
    images: Path
    masks: Path


def find_layouts(root: Path, images: str = "images", masks: str = "masks") -> list[Layout]:
    """Finds the image and mask folders below `root`.

    Looked for, in this order: `root/train/images` with `root/train/masks`; `root/images/train` with
    `root/masks/train`; `root/train` with `root/trainannot` (CamVid); `root/images` with `root/masks`. The
    same for `val` (or `valid`, `validation`) and `test`.

    Args:
        root: The folder of the data set.
        images: The name of the image folders.
        masks: The name of the mask folders.

    Returns:
        One layout per split, or one with `split=None`.

    Raises:
        DataError: If `root` is no folder or holds none of these.
    """
    if not root.is_dir():
        raise DataError(f"The folder {root} does not exist. Give the folder that holds `{images}/` and `{masks}/`.")
    patterns = (
        ("{split}/" + images, "{split}/" + masks),
        (images + "/{split}", masks + "/{split}"),
        ("{split}", "{split}annot"),
    )
    for image_pattern, mask_pattern in patterns:
        found = []
        for split in SPLITS:
            for alias in _ALIASES[split]:
                pair = root / image_pattern.format(split=alias), root / mask_pattern.format(split=alias)
                if pair[0].is_dir() and pair[1].is_dir():
                    found.append(Layout(split, *pair))
                    break
        if found:
            return found
    if (root / images).is_dir() and (root / masks).is_dir():
        return [Layout(None, root / images, root / masks)]
    content = ", ".join(sorted(path.name for path in root.iterdir())[:8]) or "nothing"
    raise DataError(
        f"No images with masks found in {root}. Expected `{images}/` and `{masks}/` with files of the same "
        "names, either "
        f"directly in it or in `train/`, `val/` and `test/`; it holds: {content}."
    )


def split_folders(root: Path) -> dict[str, Path]:
    """The folders of images alone: by split where `root` is divided, else one named `"all"`.

    Args:
        root: A folder of images, or one of images and masks, whose masks are left out.
    """
    base = _images_of(root)
    found = {}
    for split in SPLITS:
        for alias in _ALIASES[split]:
            if (base / alias).is_dir():
                found[split] = _images_of(base / alias)
                break
    return found if "train" in found and "val" in found else {"all": base}


def _images_of(folder: Path) -> Path:
    return folder / "images" if (folder / "images").is_dir() and (folder / "masks").is_dir() else folder
