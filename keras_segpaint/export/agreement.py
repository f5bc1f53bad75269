"""How far what a LiteRT file gives is from what the Keras model gives, one image at a time."""

from collections.abc import Callable
from typing import Any

import numpy as np

from keras_segpaint.export.options import FileOptions
from keras_segpaint.export.report import ExportError
from keras_segpaint.metrics.scores import count_confusion, scores

__all__ = ["agreement"]

# Kernels of two libraries round differently, which changes the class of a pixel only where two logits all but tie; what is
# rounded on purpose may change more. Below these shares the file is broken, not coarse.
_LEAST_EQUAL_ARGMAX = {"float32": 0.99, "float16": 0.95, "dynamic_int8": 0.8, "int8": 0.5}
_LARGEST_FILL_DIFFERENCE = {"float32": 0.01, "float16": 0.1}
_LEAST_PSNR = 20.0
# A file that has one class everywhere is refused if the model has it in fewer pixels than this share.
_COLLAPSED = 0.98
IGNORED = 255


def agreement(
    model: Callable[[np.ndarray], Any],
    file: Callable[[np.ndarray], np.ndarray],
    images: np.ndarray,
    options: FileOptions,
    fills: bool,
    labels: np.ndarray | None = None,
) -> dict[str, Any]:
    """Compares a file with its model, as fields of an `ExportReport`.

    Args:
        model: From images `(1, height, width, channels)` to logits or filled images.
        file: The same as a LiteRT file, giving what `options` say.
        images: `(batch, height, width, channels)`.
        options: Those of the file.
        fills: Whether the outputs are filled images.
        labels: Integers `(batch, height, width)`, 255 where none counts, or `None`.

    Raises:
        ExportError: If shapes differ, a value is not finite, or the file is grossly wrong.
    """
    difference = squared = equal = count = 0.0
    expected_counts = found_counts = np.zeros(1, np.int64)
    matrices: list[list[np.ndarray]] = []
    for index, image in enumerate(images):
        expected, found = np.asarray(model(image[None])), file(image[None])
        wanted = expected.shape[:3] if options.classes else expected.shape
        if found.shape != wanted:
            raise ExportError(f"The exported model gives the shape {found.shape}, the Keras model {wanted}.")
        if fills:
            found = found.astype(np.float64) / (255 if options.output == "image" else 1)
        if not options.classes:
            apart = np.abs(expected.astype(np.float64) - found)
            # A difference that is not a number is larger than any.
            difference = max(difference, float(np.nan_to_num(apart.max(), nan=np.inf)))
            squared += float(np.square(apart).sum())
        count += expected.size
        if fills:
            continue
        classes = expected.shape[-1]
        truth = np.argmax(expected, -1)
        found = found if options.classes else np.argmax(found, -1)
        equal += np.count_nonzero(truth == found)
        expected_counts = expected_counts + np.bincount(truth.ravel(), minlength=classes)
        found_counts = found_counts + np.bincount(found.ravel(), minlength=classes)
        if labels is not None:
            matrices.append([count_confusion(labels[index], each[0], classes, IGNORED) for each in (found, truth)])
    result: dict[str, Any] = {"images": len(images)}
    if not options.classes:
        result["max_difference"] = difference
    if fills:
        result["psnr"] = float(-10 * np.log10(max(squared / count, 1e-20)))
        _judge_fills(difference, result["psnr"], options.precision)
        return result
    equal /= expected_counts.sum()
    result["equal_argmax"] = float(equal)
    _judge_classes(difference, equal, expected_counts, found_counts, options)
    if matrices:
        found_scores, own_scores = (scores(np.sum(column, axis=0)) for column in zip(*matrices, strict=True))
        result.update(mean_iou=found_scores.mean_iou, mean_iou_keras=own_scores.mean_iou)
    return result


def _judge_fills(difference: float, psnr: float, precision: str) -> None:
    if difference <= _LARGEST_FILL_DIFFERENCE.get(precision, np.inf) and psnr >= _LEAST_PSNR:
        return
    raise ExportError(
        f"The exported model disagrees with the Keras model: largest difference {difference:.3g} of values in [0, 1], PSNR "
        f"{psnr:.1f} dB. Nothing was written.{_advice(precision)}"
    )


def _judge_classes(
    difference: float, equal: float, expected: np.ndarray, found: np.ndarray, options: FileOptions
) -> None:
    if np.max(found) == np.sum(found) and np.max(expected) < _COLLAPSED * np.sum(expected):
        raise ExportError(
            f"The exported model gives class {int(np.argmax(found))} everywhere, the Keras model {np.count_nonzero(expected)} "
            f"classes. Nothing was written.{_advice(options.precision)}"
        )
    if not np.isfinite(difference) or equal < _LEAST_EQUAL_ARGMAX[options.precision]:
        largest = "" if options.classes else f"largest difference {difference:.3g}, "
        raise ExportError(
            f"The exported model disagrees with the Keras model: {largest}equal class in {equal:.2%} of the pixels. "
            f"Nothing was written.{_advice(options.precision)}"
        )


def _advice(precision: str) -> str:
    if precision == "int8":
        return ' Calibrate on more images like those to come, or take precision="dynamic_int8" or "float16".'
    return "" if precision == "float32" else ' Take precision="float32".'
