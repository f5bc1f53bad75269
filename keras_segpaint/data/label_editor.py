"""Editing of label maps: what a user changes before a network is guided by it."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from keras_segpaint.data.guides import IGNORED, guide_labels

__all__ = ["LabelEditor"]

Point = tuple[float, float]


class LabelEditor:
    """Paints, erases and swaps labels of a label map; every step can be undone.

    Points are `(row, column)`, in pixels; what lies outside of the map is cut off. All methods that change the map give
    the editor back, so that calls can be chained.

    Args:
        labels: Integers `(height, width)`. Not changed: the editor works on a copy.
        classes: The number of classes, or their names, by which labels can then be called too.
        ignore_class: The label of pixels of which nothing is said. Defaults to `255`.

    Attributes:
        labels: The map as it is now, int32 `(height, width)`; a copy.
        changed: Boolean `(height, width)`, where it differs from the one given.

    Raises:
        ValueError: If the map holds unknown labels, or is none.

    Example:
        >>> editor = LabelEditor(np.zeros((4, 6), np.uint8), ["road", "car", "sky"])
        >>> editor.rectangle((0, 0), (1, 5), "sky").brush([(3, 2)], 0.5, "car").labels.tolist()
        [[2, 2, 2, 2, 2, 2], [2, 2, 2, 2, 2, 2], [0, 0, 0, 0, 0, 0], [0, 0, 1, 0, 0, 0]]
        >>> int(editor.undo().labels.max()), int(editor.undo().changed.sum())
        (2, 0)
    """

    def __init__(self, labels: Any, classes: int | Sequence[str], ignore_class: int = IGNORED):
        self.class_names = tuple(map(str, range(classes))) if isinstance(classes, int) else tuple(classes)
        if not self.class_names:
            raise ValueError(f"`classes` must be a number >= 1 or at least one name. Received: classes={classes!r}")
        self.ignore_class = int(ignore_class)
        checked = guide_labels(labels, len(self.class_names), self.ignore_class)
        self._original = np.asarray(labels).reshape(checked.shape).astype(np.int32)
        self._now = self._original.copy()
        self._past: list[np.ndarray] = []

    @property
    def labels(self) -> np.ndarray:
        return self._now.copy()

    @property
    def changed(self) -> np.ndarray:
        return self._now != self._original

    def brush(self, points: Sequence[Point], radius: float, label: int | str) -> "LabelEditor":
        """Paints a line of round ends through points; of one point a disc.

        Args:
            points: At least one.
            radius: Half the width of the line in pixels, > 0.
            label: A class, by number or name, or the ignored label.
        """
        return self._put(self._stroke(points, radius), self._label(label))

    def polygon(self, points: Sequence[Point], label: int | str) -> "LabelEditor":
        """Paints a polygon with its border, given by at least three corners."""
        import cv2

        corners = _points(points, at_least=3)
        area = np.zeros(self._now.shape, np.uint8)
        cv2.fillPoly(area, [np.rint(corners[:, ::-1]).astype(np.int32)], 1)
        return self._put(area > 0, self._label(label))

    def rectangle(self, first: Point, last: Point, label: int | str) -> "LabelEditor":
        """Paints the rectangle between two corners, both inside."""
        corners = _points([first, last], at_least=2)
        low, high = np.rint(corners.min(axis=0)).astype(int), np.rint(corners.max(axis=0)).astype(int)
        area = np.zeros(self._now.shape, bool)
        area[max(low[0], 0) : max(high[0] + 1, 0), max(low[1], 0) : max(high[1] + 1, 0)] = True
        return self._put(area, self._label(label))

    def fill(self, where: Any, label: int | str) -> "LabelEditor":
        """Paints where a Boolean map (or a mask of 0 and 1) says."""
        where = np.asarray(where) > 0
        if where.shape != self._now.shape:
            raise ValueError(f"`where` must have the shape {self._now.shape}. Received: shape {where.shape}")
        return self._put(where, self._label(label))

    def erase(self, points: Sequence[Point], radius: float, to: str = "original") -> "LabelEditor":
        """Takes labels away along a line, as `brush` paints it.

        Args:
            points: At least one.
            radius: Half the width of the line in pixels, > 0.
            to: `"original"` for what the map held at first, or `"ignore"`. Defaults to `"original"`.
        """
        if to not in ("original", "ignore"):
            raise ValueError(f'`to` must be "original" or "ignore". Received: to={to!r}')
        return self._put(self._stroke(points, radius), self._original if to == "original" else self.ignore_class)

    def swap(self, old: int | str, new: int | str) -> "LabelEditor":
        """Makes all pixels of one class those of another."""
        new = self._label(new)
        return self._put(self._now == self._label(old), new)

    def undo(self, steps: int = 1) -> "LabelEditor":
        """Takes steps back; none are left at the map given."""
        for _ in range(min(steps, len(self._past))):
            self._now = self._past.pop()
        return self

    def reset(self) -> "LabelEditor":
        """Goes back to the map given, as a step that can be undone."""
        return self._put(np.ones(self._now.shape, bool), self._original)

    def _put(self, where: np.ndarray, labels: Any) -> "LabelEditor":
        self._past.append(self._now)
        self._now = np.where(where, labels, self._now).astype(np.int32)
        return self

    def _stroke(self, points: Sequence[Point], radius: float) -> np.ndarray:
        """Where the distance to the line is at most the radius."""
        if not radius > 0:
            raise ValueError(f"`radius` must be > 0. Received: radius={radius}")
        corners = _points(points, at_least=1)
        place = np.moveaxis(np.indices(self._now.shape, np.float64), 0, -1)
        covered = np.zeros(self._now.shape, bool)
        for start, end in zip(corners, corners[1:] if len(corners) > 1 else corners, strict=False):
            along = end - start
            share = ((place - start) @ along / max(along @ along, 1e-12)).clip(0, 1)
            covered |= np.linalg.norm(place - start - share[..., None] * along, axis=-1) <= radius
        return covered

    def _label(self, label: int | str) -> int:
        if isinstance(label, str) and label in self.class_names:
            return self.class_names.index(label)
        known = not isinstance(label, str) and (0 <= label < len(self.class_names) or label == self.ignore_class)
        if not known:
            names = ", ".join(f"{number} ({name})" for number, name in enumerate(self.class_names))
            raise ValueError(
                f"`label` must be a class or {self.ignore_class}, which is ignored. Received: label={label!r}. Classes "
                f"are: {names}"
            )
        return int(label)


def _points(points: Sequence[Point], at_least: int) -> np.ndarray:
    corners = np.asarray(points, np.float64)
    if corners.ndim != 2 or corners.shape[1] != 2 or len(corners) < at_least or not np.isfinite(corners).all():
        raise ValueError(
            f"`points` must hold at least {at_least} pairs (row, column). Received: {np.asarray(points).tolist()}"
        )
    return corners
