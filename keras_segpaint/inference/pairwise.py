"""The pairwise terms of a dense CRF: what makes two pixels want labels that go together."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

__all__ = ["BilateralPairwise", "Compat", "GaussianPairwise", "Normalization"]

Normalization = Literal["symmetric", "before", "after", "none"]
Compat = float | Sequence[float] | Sequence[Sequence[float]] | np.ndarray


@dataclass(frozen=True)
class GaussianPairwise:
    """Pixels that are near each other: a Gaussian of the distance.

    Args:
        sxy: Standard deviation in pixels > 0, or two of them: of the columns and of the rows. Defaults to `3.0`.
        compat: How labels go together. A number is the Potts model: what two pixels gain by the same label. One number
            for each class, or a matrix `(classes, classes)` of them, are energies, so what attracts is negative: a
            vector of `-w` is the number `w`. Defaults to `3.0`.
        normalization: What the sum over the other pixels is divided by, `k` being the sum of a pixel's kernel:
            `"symmetric"`, the roots of `k` of both pixels; `"before"`, `k` of the other pixel; `"after"`, `k` of the
            pixel itself; `"none"`. Defaults to `"symmetric"`.

    Raises:
        ValueError: If an argument is not as above.

    Example:
        >>> GaussianPairwise(sxy=1, compat=[-2, -3])
        GaussianPairwise(sxy=1, compat=(-2.0, -3.0), normalization='symmetric')
    """

    sxy: float | tuple[float, float] = 3.0
    compat: Any = 3.0
    normalization: Normalization = "symmetric"

    def __post_init__(self) -> None:
        _check_deviation("sxy", self.sxy, 2)
        if self.normalization not in get_args(Normalization):
            raise ValueError(
                f"`normalization` must be one of {', '.join(map(repr, get_args(Normalization)))}. "
                f"Received: normalization={self.normalization!r}"
            )
        object.__setattr__(self, "compat", _hashable(self.compat))

    @property
    def deviations(self) -> tuple[float, ...]:
        """Of column and row."""
        return _several(self.sxy, 2)

    def features(self, image: np.ndarray) -> np.ndarray:
        """float32 `(dimensions, pixels)`: what the Gaussian sees of each pixel, in standard deviations."""
        rows, columns = np.indices(image.shape[:2], np.float32).reshape(2, -1)
        values = [columns, rows, *image.reshape(-1, 3).T.astype(np.float32)]
        return np.stack(
            [value / np.float32(deviation) for value, deviation in zip(values, self.deviations, strict=False)]
        )

    def matrix(self, classes: int) -> np.ndarray:
        """What each class's messages `(classes, ...)` add to each class's score: float32 `(classes, classes)`.

        Raises:
            ValueError: If `compat` is of another number of classes.
        """
        compat = np.asarray(self.compat, np.float32)
        if compat.ndim == 0:
            return compat * np.eye(classes, dtype=np.float32)
        if len(compat) != classes:
            raise ValueError(
                f"`compat` must be a number, {classes} numbers or a matrix ({classes}, {classes}): one for each class "
                f"of the probabilities. Received: compat of shape {compat.shape}"
            )
        return -(np.diag(compat) if compat.ndim == 1 else compat)


@dataclass(frozen=True)
class BilateralPairwise(GaussianPairwise):
    """Pixels that are near each other and alike in colour: a Gaussian of distance and of difference in colour.

    Args:
        sxy: As in `GaussianPairwise`. Defaults to `80.0`.
        compat: As in `GaussianPairwise`. Defaults to `10.0`.
        normalization: As in `GaussianPairwise`.
        srgb: Standard deviation of the colours > 0, of 255 as white, or three of them. Defaults to `13.0`.

    Raises:
        ValueError: If an argument is not as above.

    Example:
        >>> BilateralPairwise(sxy=50, srgb=3, compat=4).deviations
        (50.0, 50.0, 3.0, 3.0, 3.0)
    """

    sxy: float | tuple[float, float] = 80.0
    compat: Any = 10.0
    srgb: float | tuple[float, float, float] = 13.0

    def __post_init__(self) -> None:
        super().__post_init__()
        _check_deviation("srgb", self.srgb, 3)

    @property
    def deviations(self) -> tuple[float, ...]:
        """Of column, row, red, green and blue."""
        return _several(self.sxy, 2) + _several(self.srgb, 3)


def _several(value: Any, count: int) -> tuple[float, ...]:
    return tuple(np.broadcast_to(np.asarray(value, float), count).tolist())


def _check_deviation(name: str, value: Any, count: int) -> None:
    array = np.asarray(value)
    fits = array.shape in ((), (count,)) and array.dtype.kind in "fiu"
    if not fits or not np.all(np.isfinite(array)) or not np.all(array > 0):
        raise ValueError(f"`{name}` must be a number > 0, or {count} of them. Received: {name}={value!r}")


def _hashable(compat: Any) -> Any:
    """A number, a tuple of numbers, or a tuple of tuples."""
    array = np.asarray(compat)
    square = array.ndim < 2 or (array.ndim == 2 and array.shape[0] == array.shape[1])
    if array.dtype.kind not in "fiu" or not square or array.size == 0 or not np.all(np.isfinite(array)):
        raise ValueError(
            "`compat` must be a finite number, a vector of one for each class, or a matrix of one for each two "
            f"classes. Received: compat={compat!r}"
        )
    array = array.astype(float)
    return (
        tuple(map(tuple, array.tolist())) if array.ndim == 2 else tuple(array.tolist()) if array.ndim else float(array)
    )
