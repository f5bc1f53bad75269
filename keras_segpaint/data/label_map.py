"""Turning the values or colours stored in a mask into class indices."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from keras_segpaint.data.errors import DataError

__all__ = ["LabelMap", "LabelMapping"]

LabelMapping = Mapping[int, int] | Mapping[tuple[int, int, int], int]


class LabelMap:
    """Maps grey values or RGB colours to labels.

    Args:
        mapping: From a grey value, or from an RGB triple, to the label.

    Raises:
        ValueError: If the mapping is empty or mixes grey values and colours.

    Example:
        >>> LabelMap({(0, 0, 0): 0, (255, 0, 0): 1})(np.zeros((1, 2, 3), np.uint8), "mask.png").tolist()
        [[0, 0]]
    """

    def __init__(self, mapping: LabelMapping):
        coloured = {not isinstance(key, int | np.integer) for key in mapping}
        if len(coloured) != 1:
            raise ValueError(
                "`label_map` must map either grey values or RGB triples to class indices. "
                f"Received: label_map={dict(mapping)}"
            )
        self._coloured = coloured.pop()
        keys = np.array([_pack(np.array(key)) if self._coloured else key for key in mapping], np.int64)
        order = np.argsort(keys)
        self._keys = keys[order]
        labels = np.array(list(mapping.values()), np.int64)[order]
        fits = labels.min() >= 0 and labels.max() <= 255
        self._labels = labels.astype(np.uint8 if fits else np.int32)

    def __call__(self, mask: np.ndarray, path: str | Path) -> np.ndarray:
        """The labels `(height, width)` of a mask.

        Raises:
            DataError: If the mask of the file `path` has a value that the mapping lacks, or no colours where
                it has some.
        """
        if self._coloured and mask.ndim == 2:
            raise DataError(
                f"{path}: the mask has one channel, but `label_map` maps RGB colours. Map grey values instead."
            )
        if not self._coloured and mask.ndim == 3:
            raise DataError(
                f"{path}: the mask has RGB colours, but `label_map` maps grey values. Map RGB triples instead."
            )
        values = _pack(mask) if self._coloured else mask.astype(np.int64)
        position = np.searchsorted(self._keys, values).clip(max=len(self._keys) - 1)
        unknown = values[self._keys[position] != values]
        if unknown.size:
            value = int(unknown[0])
            shown = (value >> 16, value >> 8 & 255, value & 255) if self._coloured else value
            raise DataError(f"{path}: the mask holds {shown}, which `label_map` lacks. Add it, or correct the mask.")
        return self._labels[position]


def _pack(colours: np.ndarray) -> np.ndarray:
    red, green, blue = (colours[..., channel].astype(np.int64) for channel in range(3))
    return red << 16 | green << 8 | blue
