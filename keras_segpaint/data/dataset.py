"""What every segmentation data set has in common: indexed access, class names, checks, subsets."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np

from keras_segpaint.data.counts import ClassCounts
from keras_segpaint.data.errors import DataError
from keras_segpaint.data.palette import default_palette

__all__ = ["Example", "Progress", "SegmentationDataset", "Subset"]

Progress = Callable[[int, int], None]
"""Called with `(done, total)` during long work."""

_PROBLEMS_SHOWN = 10


class Example(NamedTuple):
    """One image with its labels.

    `image` is uint8 `(height, width, channels)` with 1 or 3 (RGB) channels; `mask` holds integer labels
    `(height, width)`, uint8 or int32; `name` says where it comes from, for messages and file names.
    """

    image: np.ndarray
    mask: np.ndarray
    name: str


class SegmentationDataset:
    """Base of the data sets: `len(dataset)` examples, `dataset[i]` gives an `Example`.

    A subclass implements `__len__` and `_load(index)`, and may override `_problem(index)`, which `validate`
    calls.

    Args:
        name: What the data set is called in messages.
        class_names: The names of the classes in the order of their labels.
        palette: uint8 `(num_classes, 3)` RGB colours, or `None` for the default ones.
        ignore_class: The label of pixels that count nowhere. Defaults to `255`.

    Raises:
        ValueError: If there is no class, the palette has another length, or `ignore_class` is a class.

    Example:
        >>> class Squares(SegmentationDataset):
        ...     def __len__(self):
        ...         return 3
        ...     def _load(self, index):
        ...         mask = np.full((4, 4), index % 2, np.uint8)
        ...         return Example(mask[..., None] * 255, mask, f"square {index}")
        >>> squares = Squares("squares", class_names=["dark", "bright"])
        >>> len(squares.subset([0, 2])), squares[1].mask.max(), squares.class_counts().pixels.tolist()
        (2, np.uint8(1), [32, 16])
    """

    def __init__(
        self,
        name: str,
        class_names: Sequence[str],
        palette: np.ndarray | None = None,
        ignore_class: int = 255,
    ):
        if not class_names:
            raise ValueError(f"`class_names` must name at least one class. Received: class_names={class_names}")
        if 0 <= ignore_class < len(class_names):
            raise ValueError(
                f"`ignore_class` must not be one of the {len(class_names)} classes. Received: "
                f"ignore_class={ignore_class}"
            )
        self.name = name
        self.class_names = tuple(class_names)
        self.palette = default_palette(len(class_names)) if palette is None else np.asarray(palette, np.uint8)
        self.ignore_class = ignore_class
        if self.palette.shape != (len(class_names), 3):
            raise ValueError(
                f"`palette` must have one RGB row for each of the {len(class_names)} classes. "
                f"Received: palette of shape {self.palette.shape}"
            )

    @property
    def num_classes(self) -> int:
        """The number of classes, the ignored label not counted."""
        return len(self.class_names)

    def __len__(self) -> int:
        raise NotImplementedError

    def __getitem__(self, index: int) -> Example:
        if not -len(self) <= index < len(self):
            raise IndexError(f"{self.name} has {len(self)} examples. Received: index={index}")
        return self._load(index % len(self))

    def __iter__(self) -> Iterator[Example]:
        return (self[index] for index in range(len(self)))

    def example_name(self, index: int) -> str:
        """What an example is called in messages, known without reading it."""
        return f"{self.name}[{index}]"

    def subset(self, indices: Iterable[int]) -> "Subset":
        """The examples at `indices`, in that order, as a data set."""
        return Subset(self, indices)

    def validate(self, progress: Progress | None = None) -> None:
        """Checks every example before training.

        Args:
            progress: Called with `(done, total)`.

        Raises:
            DataError: If the data set is empty or an example cannot be used. The message names up to ten of
                the files, says what is wrong with each, and how many there are in all.
        """
        if len(self) == 0:
            raise DataError(f"{self.name} is empty: it has no image.")
        problems = [text for text in in_threads(self._problem, len(self), progress) if text]
        raise_problems(self.name, problems)

    def class_counts(self, progress: Progress | None = None) -> ClassCounts:
        """Counts the pixels of every class; the class-weight formulas start from it."""

        def histogram(index: int) -> np.ndarray:
            mask = self._load_mask(index)
            valid = mask[(mask != self.ignore_class) & (mask >= 0) & (mask < self.num_classes)]
            pixels = np.bincount(valid.ravel().astype(np.int64), minlength=self.num_classes)
            return np.append(pixels, mask.size - valid.size)

        table = np.array(in_threads(histogram, len(self), progress), np.int64)
        return ClassCounts.of_table(table.reshape(-1, self.num_classes + 1))

    def _load(self, index: int) -> Example:
        raise NotImplementedError

    def _load_mask(self, index: int) -> np.ndarray:
        return self._load(index).mask

    def _problem(self, index: int) -> str | None:
        """What is wrong with an example, or `None`."""
        try:
            example = self._load(index)
        except DataError as error:
            return str(error)
        return size_problem(example) or label_problem(example, self.num_classes, self.ignore_class)


class Subset(SegmentationDataset):
    """Some examples of another data set.

    Args:
        dataset: The data set to take from.
        indices: Integers in `[0, len(dataset))`.
        name: Defaults to the name of `dataset`.

    Raises:
        IndexError: If an index is outside `dataset`.
    """

    def __init__(self, dataset: SegmentationDataset, indices: Iterable[int], name: str | None = None):
        super().__init__(name or dataset.name, dataset.class_names, dataset.palette, dataset.ignore_class)
        self.dataset = dataset
        self.indices = tuple(int(index) for index in indices)
        outside = [index for index in self.indices if not 0 <= index < len(dataset)]
        if outside:
            raise IndexError(f"`indices` must be in [0, {len(dataset)}). Received among others: {outside[:3]}")

    def __len__(self) -> int:
        return len(self.indices)

    def example_name(self, index: int) -> str:
        return self.dataset.example_name(self.indices[index])

    def _load(self, index: int) -> Example:
        return self.dataset[self.indices[index]]

    def _load_mask(self, index: int) -> np.ndarray:
        return self.dataset._load_mask(self.indices[index])

    def _problem(self, index: int) -> str | None:
        return self.dataset._problem(self.indices[index])


def in_threads(function: Callable[[int], Any], count: int, progress: Progress | None = None) -> list[Any]:
    """`[function(0), ..., function(count - 1)]`, computed by threads (decoding releases Python's lock)."""
    results = []
    with ThreadPoolExecutor(max_workers=min(8, os.cpu_count() or 1)) as pool:
        for result in pool.map(function, range(count)):
            results.append(result)
            if progress is not None:
                progress(len(results), count)
    return results


def raise_problems(name: str, problems: Sequence[str]) -> None:
    """Raises one `DataError` for a list of problems, if there are any."""
    if not problems:
        return
    lines = [f"  - {problem}" for problem in problems[:_PROBLEMS_SHOWN]]
    if len(problems) > _PROBLEMS_SHOWN:
        lines.append(f"  ... and {len(problems) - _PROBLEMS_SHOWN} more")
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    raise DataError(f"{name} cannot be used, {count}:\n" + "\n".join(lines))


def size_problem(example: Example) -> str | None:
    """What is wrong with the sizes of an example, or `None`."""
    if example.image.shape[:2] == example.mask.shape:
        return None
    image_size, mask_size = (" x ".join(map(str, shape[1::-1])) for shape in (example.image.shape, example.mask.shape))
    return f"{example.name}: the mask is {mask_size} pixels, the image {image_size}. They must have the same size."


def label_problem(example: Example, num_classes: int, ignore_class: int) -> str | None:
    """What is wrong with the labels of an example, or `None`."""
    labels = np.unique(example.mask)
    wrong = labels[((labels < 0) | (labels >= num_classes)) & (labels != ignore_class)]
    if not wrong.size:
        return None
    shown = ", ".join(map(str, wrong[:5].tolist())) + (", ..." if wrong.size > 5 else "")
    return (
        f"{example.name}: the mask holds the labels {shown}; allowed are 0 to {num_classes - 1} and "
        f"{ignore_class} "
        "(ignored). Correct the mask, raise `num_classes`, or map the labels with `label_map`."
    )
