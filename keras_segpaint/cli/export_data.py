"""The images that an exported file is calibrated and judged on."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from keras_segpaint import data
from keras_segpaint.cli.errors import UserError
from keras_segpaint.cli.runs import RunRecord, task_of
from keras_segpaint.data.augmentation.resize import resize_pair
from keras_segpaint.data.guides import IGNORED
from keras_segpaint.inference.images import resize_map, to_float

__all__ = ["ExportData", "calibration_for"]


@dataclass(frozen=True)
class ExportData:
    """Images of the file's size.

    Args:
        images: uint8 or float32 in [0, 1], `(batch, height, width, channels)`.
        labels: Their label maps, or `None` where there are none.
    """

    images: np.ndarray
    labels: np.ndarray | None


def calibration_for(
    network: Any, record: RunRecord | None, spec: str | None, shape: tuple[int, int, int], count: int
) -> ExportData:
    """Images for a network's file, taken evenly from a data set.

    Args:
        network: The Keras model.
        record: What its run says, or `None`.
        spec: As `--data` of training takes it, or a folder of images; `None` for the run's own training data.
        shape: `(height, width, channels)` of the file's input.
        count: How many images at most.

    Raises:
        UserError: If there is nothing to take.
    """
    if spec is None and record is None:
        raise UserError(
            "--precision int8 needs images like those to come. Name them with --calibration: a folder, or a data set of "
            "`segpaint datasets`."
        )
    chosen = spec or (record.data if record else "")
    if task_of(network) == "inpainting":
        photographs = data.load_photographs(chosen)
        return ExportData(_with_holes(_some(photographs, count), shape), None)
    dataset = _labelled(chosen, network.num_classes)
    labelled = dataset is not None and dataset.num_classes == network.num_classes
    examples = _some(dataset if dataset is not None else data.load_photographs(chosen), count)
    images = np.stack([resize_map(to_float(example.image, shape[2]), shape[:2]).reshape(shape) for example in examples])
    if dataset is None or not labelled:
        return ExportData(images, None)
    labels = [resize_pair(example.image, example.mask, shape[:2])[1] for example in examples]
    return ExportData(
        images,
        np.stack([np.where(label == dataset.ignore_class, IGNORED, label) for label in labels]).astype(np.int32),
    )


def _labelled(spec: str, classes: int) -> data.SegmentationDataset | None:
    """The data set, or `None` for a folder of images alone."""
    try:
        return data.load_dataset(spec, "train", num_classes=classes)
    except data.DataError:
        if Path(spec).is_dir() and not (Path(spec) / "masks").exists():
            return None
        raise


def _some(dataset: data.SegmentationDataset, count: int) -> list[data.Example]:
    chosen = np.unique(np.linspace(0, len(dataset) - 1, min(count, len(dataset))).round().astype(int))
    return [dataset[int(index)] for index in chosen]


def _with_holes(examples: list[data.Example], shape: tuple[int, int, int]) -> np.ndarray:
    """Photographs with a hole mask each, and further planes of zeros."""
    masks = data.FreeFormMask().draw(shape[:2], len(examples))
    planes = np.zeros((len(examples), *shape), np.float32)
    for plane, example, mask in zip(planes, examples, masks, strict=True):
        plane[..., :3] = resize_map(to_float(example.image, 3), shape[:2])
        plane[..., 3] = np.asarray(mask).reshape(shape[:2])
    return planes
