"""A folder of images and a folder of masks, matched by file name."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from keras_segpaint.data.dataset import (
    Example,
    Progress,
    SegmentationDataset,
    in_threads,
    label_problem,
    raise_problems,
)
from keras_segpaint.data.errors import DataError
from keras_segpaint.data.files import IMAGE_SUFFIXES, LOSSY_SUFFIXES, image_size, read_image, read_mask
from keras_segpaint.data.label_map import LabelMap, LabelMapping
from keras_segpaint.data.layouts import find_layouts

__all__ = ["FolderDataset"]

HOLD_OUT_EVERY = 5


class FolderDataset(SegmentationDataset):
    """Images and masks from two folders; a mask has the name of its image, with any image suffix.

    The masks are single-channel images of class indices (8 or 16 bits, or a palette PNG). The classes are
    taken from the first of these that there is: `class_names`; `classes.txt` in `root` (one name a line,
    optionally followed by a colour `#rrggbb`); `classes.json` (a list of names, or of `{"name": ..., "color":
    [r, g, b]}`); `num_classes`; the highest label in all masks below `root`, plus one.

    Args:
        root: The folder of the data set. Its images and masks are in `images/` and `masks/`, or divided into
            `train/images`, `images/train` or (CamVid) `train` and `trainannot`, the same for `val` and
            `test`.
        split: `"train"`, `"val"`, `"test"` or `"all"`. In a folder that is not divided, every fifth image in
            the order of the names is `"val"` and the others are `"train"`. Defaults to `"all"`.
        images: The name of the image folders. Defaults to `"images"`.
        masks: The name of the mask folders. Defaults to `"masks"`.
        class_names: The names of the classes in the order of their labels.
        num_classes: The number of classes, where there are no names.
        ignore_class: The label that counts nowhere. Defaults to `255`.
        label_map: What the values in the masks mean, if they are not class indices: a dict from a grey value,
            or from an RGB triple for coloured masks, to the class index (or to `ignore_class`). Values that
            it lacks are errors.

    Raises:
        DataError: If folders or files are missing, names do not match, or the split does not exist.
        ValueError: If arguments contradict each other.

    Example:
        >>> import tempfile
        >>> from PIL import Image
        >>> root = Path(tempfile.mkdtemp())
        >>> for folder, mode in (("images", "RGB"), ("masks", "L")):
        ...     (root / folder).mkdir()
        ...     for name in ("a", "b"):
        ...         Image.new(mode, (6, 4)).save(root / folder / f"{name}.png")
        >>> dataset = FolderDataset(root, class_names=["background", "cell"])
        >>> dataset.validate()
        >>> len(dataset), dataset[0].image.shape, dataset[0].mask.shape
        (2, (4, 6, 3), (4, 6))
    """

    def __init__(
        self,
        root: str | Path,
        split: str = "all",
        *,
        images: str = "images",
        masks: str = "masks",
        class_names: Sequence[str] | None = None,
        num_classes: int | None = None,
        ignore_class: int = 255,
        label_map: LabelMapping | None = None,
    ):
        self.root = Path(root)
        self._label_map = None if label_map is None else LabelMap(label_map)
        layouts = find_layouts(self.root, images, masks)
        pairs = {layout.split: match_files(layout.images, layout.masks) for layout in layouts}
        self.files = select_split(pairs, split, self.root)
        palette = None
        if class_names is None:
            class_names, palette = read_class_file(self.root)
        if class_names is None:
            count = num_classes or self._count_classes(
                [mask for files in pairs.values() for _, mask in files], ignore_class
            )
            class_names = [f"class {index}" for index in range(count)]
        elif num_classes not in (None, len(class_names)):
            raise ValueError(
                f"`num_classes` must be the number of class names, {len(class_names)}, or left out. "
                f"Received: num_classes={num_classes}"
            )
        super().__init__(str(self.root), class_names, palette, ignore_class)

    def __len__(self) -> int:
        return len(self.files)

    def example_name(self, index: int) -> str:
        return str(self.files[index][0])

    def _load(self, index: int) -> Example:
        image_file, mask_file = self.files[index]
        example = Example(read_image(image_file), self._read_labels(mask_file), image_file.name)
        if example.image.shape[:2] != example.mask.shape:
            raise DataError(_size_message(mask_file, example.mask.shape, image_file, example.image.shape))
        return example

    def _load_mask(self, index: int) -> np.ndarray:
        return self._read_labels(self.files[index][1])

    def validate(self, progress: Progress | None = None) -> None:
        # Sizes come from headers and labels from the masks; decoding every image as well would take minutes
        # on big sets, and one that turns out truncated during training is skipped with a warning.
        super().validate(progress)
        if self._label_map is None and set(self._all_labels(limit=50)) == {0, self.ignore_class}:
            raise DataError(
                f"{self.name}: the masks hold only 0 and {self.ignore_class}, and {self.ignore_class} is the "
                "ignored label. "
                f"If {self.ignore_class} is meant as a class, pass "
                f"`label_map={{0: 0, {self.ignore_class}: 1}}`."
            )

    def _problem(self, index: int) -> str | None:
        image_file, mask_file = self.files[index]
        try:
            size = image_size(image_file)
            mask = self._read_labels(mask_file)
        except DataError as error:
            return str(error)
        if size != mask.shape:
            return _size_message(mask_file, mask.shape, image_file, size)
        return label_problem(Example(np.empty((*size, 0)), mask, str(mask_file)), self.num_classes, self.ignore_class)

    def _read_labels(self, path: Path) -> np.ndarray:
        mask = read_mask(path)
        if self._label_map is not None:
            return self._label_map(mask, path)
        if mask.ndim == 3:
            colours = np.unique(mask.reshape(-1, 3)[:: max(mask.size // 30000, 1)], axis=0)[:3].tolist()
            raise DataError(
                f"{path}: the mask has RGB colours (such as "
                f"{', '.join(str(tuple(colour)) for colour in colours)}) where "
                "class indices are expected. Pass `label_map={(r, g, b): index, ...}`, or save it with one "
                "channel."
            )
        return mask

    def _all_labels(self, limit: int) -> list[int]:
        labels: set[int] = set()
        for index in range(min(len(self), limit)):
            labels.update(np.unique(self._load_mask(index)).tolist())
        return sorted(labels)

    def _count_classes(self, masks: Sequence[Path], ignore_class: int) -> int:
        def highest(index: int) -> int | str:
            try:
                mask = self._read_labels(masks[index])
            except DataError as error:
                return str(error)
            return int(mask.max(initial=0, where=mask != ignore_class))

        results = in_threads(highest, len(masks))
        raise_problems(str(self.root), [result for result in results if isinstance(result, str)])
        return max(results, default=0) + 1


def match_files(images: Path, masks: Path) -> list[tuple[Path, Path]]:
    """Pairs the images and masks of two folders by name, sorted.

    Raises:
        DataError: If an image has no mask, a mask is a lossy JPEG, two files share a name, or there is no
            image.
    """
    image_files, mask_files = _by_stem(images), _by_stem(masks)
    if not image_files:
        raise DataError(f"{images} is empty: it holds no image ({', '.join(sorted(IMAGE_SUFFIXES))}).")
    missing = sorted(image_files.keys() - mask_files.keys())
    problems = [f"{image_files[stem]}: has no mask; expected {masks / stem}.png or another suffix" for stem in missing]
    lossy = [mask_files[stem] for stem in sorted(image_files.keys() & mask_files.keys())]
    problems += [
        f"{path}: a JPEG changes the labels it stores; save masks as PNG"
        for path in lossy
        if path.suffix.lower() in LOSSY_SUFFIXES
    ]
    raise_problems(str(images.parent), problems)
    return [(image_files[stem], mask_files[stem]) for stem in sorted(image_files)]


def select_split(
    pairs: Mapping[str | None, list[tuple[Path, Path]]], split: str, root: Path
) -> list[tuple[Path, Path]]:
    """The files of a split, cut from the whole where the folder is not divided."""
    if split == "all":
        return [pair for files in pairs.values() for pair in files]
    if split in pairs:
        return pairs[split]
    if None in pairs and split in ("train", "val"):
        held_out = split == "val"
        return [pair for i, pair in enumerate(pairs[None]) if (i % HOLD_OUT_EVERY == HOLD_OUT_EVERY - 1) == held_out]
    available = ["train", "val"] if None in pairs else [str(name) for name in pairs]
    raise DataError(f"{root} has no split {split!r}. Available: {', '.join([*available, 'all'])}.")


def read_class_file(root: Path) -> tuple[list[str] | None, np.ndarray | None]:
    """Class names and colours from `classes.txt` or `classes.json` in `root`; `(None, None)` without such a
    file."""
    text_file, json_file = root / "classes.txt", root / "classes.json"
    names: list[str] = []
    colours: list[Sequence[int]] = []
    if text_file.is_file():
        source = text_file
        for line in filter(None, map(str.strip, text_file.read_text(encoding="utf-8").splitlines())):
            name, marker, code = line.rpartition("#")
            if marker and len(code) == 6 and all(digit in "0123456789abcdefABCDEF" for digit in code):
                colours.append(tuple(bytes.fromhex(code)))
                line = name.strip()
            names.append(line)
    elif json_file.is_file():
        source = json_file
        try:
            entries = json.loads(json_file.read_text(encoding="utf-8"))
            names = [entry if isinstance(entry, str) else str(entry["name"]) for entry in entries]
            colours = [entry["color"] for entry in entries if not isinstance(entry, str) and "color" in entry]
        except (json.JSONDecodeError, KeyError, TypeError) as error:
            raise DataError(
                f'{json_file}: must be a list of names or of {{"name": ..., "color": [r, g, b]}} ({error!r}).'
            ) from error
    else:
        return None, None
    if not names:
        raise DataError(
            f"{source}: names no class. Write one name a line, in the order of the labels, or remove the file."
        )
    if colours and len(colours) != len(names):
        raise DataError(
            f"{source}: {len(colours)} of {len(names)} classes have a colour. Give all of them one, or none."
        )
    return names, np.array(colours, np.uint8) if colours else None


def _by_stem(folder: Path) -> dict[str, Path]:
    files: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in IMAGE_SUFFIXES or path.name.startswith("."):
            continue
        if path.stem in files:
            raise DataError(f"{files[path.stem]} and {path.name} share a name. Keep one of them.")
        files[path.stem] = path
    return files


def _size_message(mask_file: Path, mask_shape: Sequence[int], image_file: Path, image_shape: Sequence[int]) -> str:
    return (
        f"{mask_file}: the mask is {mask_shape[1]} x {mask_shape[0]} pixels, its image {image_file.name} "
        f"{image_shape[1]} x {image_shape[0]}. They must have the same size."
    )
