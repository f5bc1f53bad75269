"""Does the exported model compute what the Keras model computes, and how fast?"""

import statistics
import time
from collections.abc import Callable

import numpy as np

from keras_segpaint.export.report import ExportError

__all__ = ["compare", "median_milliseconds"]

# Float32 kernels of two libraries round differently, which changes the class of a pixel only where two logits all but
# tie.
_LEAST_EQUAL_ARGMAX = 0.99
_LARGEST_FILL_DIFFERENCE = 0.01
_SECONDS_TO_MEASURE = 3.0


def compare(expected: np.ndarray, exported: np.ndarray, fills: bool = False) -> tuple[float, float | None]:
    """Largest absolute difference of logits and share of pixels of the same class; of filled images the former alone.

    Raises:
        ExportError: If shapes differ, a value is not finite, or more than one pixel in a hundred has another class; of
            filled images, in [0, 1], if one differs by more than 0.01.
    """
    if expected.shape != exported.shape:
        raise ExportError(f"The exported model gives the shape {exported.shape}, the Keras model {expected.shape}.")
    difference = float(np.max(np.abs(expected.astype(np.float64) - exported)))
    if fills:
        if not difference <= _LARGEST_FILL_DIFFERENCE:
            raise ExportError(
                f"The exported model disagrees with the Keras model: largest difference {difference:.3g} of values in "
                "[0, 1]. Nothing was written."
            )
        return difference, None
    equal = float(np.mean(np.argmax(expected, -1) == np.argmax(exported, -1)))
    if not np.isfinite(difference) or equal < _LEAST_EQUAL_ARGMAX:
        raise ExportError(
            f"The exported model disagrees with the Keras model: largest difference {difference:.3g}, equal class in "
            f"{equal:.2%} of the pixels. Nothing was written."
        )
    return difference, equal


def median_milliseconds(run: Callable[[np.ndarray], object], images: np.ndarray) -> float:
    """Median time of one image, after one that is not counted; at least five runs, about three seconds at most."""
    run(images[:1])
    times: list[float] = []
    began = time.perf_counter()
    while len(times) < 5 or (len(times) < 50 and time.perf_counter() - began < _SECONDS_TO_MEASURE):
        image = images[len(times) % len(images)][None]
        start = time.perf_counter()
        run(image)
        times.append(time.perf_counter() - start)
    return 1000 * statistics.median(times)
