"""The permutohedral lattice: Gaussian filtering of many values over a few features, in linear time."""

from functools import cached_property

import numpy as np
from scipy import sparse

__all__ = ["PermutohedralLattice"]


class PermutohedralLattice:
    """Filters values at points by a Gaussian of standard deviation 1 over the points' features, approximately.

    The features are mapped onto a plane that a lattice fills with simplices. Each point spreads its values over the
    corners of its simplex (`splat`), the lattice points are blurred along each of their directions by `[1/2, 1, 1/2]`
    (`blur`), and each point reads its simplex again (`slice`). All three are sparse matrices here. Only lattice points
    beside some point exist; those beyond count as 0.

    Args:
        features: float32 `(dimensions, points)`, each already divided by its standard deviation. Time and memory
            grow with `points * dimensions`.

    Raises:
        ValueError: If the features extend so far that lattice points cannot be numbered by 64 bits.

    References:
        - [Fast High-Dimensional Filtering Using the Permutohedral Lattice](https://doi.org/10.1111/j.1467-8659.2009.01645.x),
          sections 3 and 4.

    Example:
        >>> lattice = PermutohedralLattice(np.arange(9, dtype="float32")[None] / 2)
        >>> step = (np.arange(9, dtype="float32") >= 4)[:, None]
        >>> smooth = lattice.filter(step.astype("float32")) / lattice.mass
        >>> smooth[:, 0].round(1).tolist() == sorted(smooth[:, 0].round(1).tolist())
        True
    """

    def __init__(self, features: np.ndarray):
        self.dimensions, self.points = features.shape
        corner, rank, inside = _enclosing_simplex(_elevate(features))
        self._weights = _barycentric(inside, rank)
        # Neighbours share simplices: only different ones are worth the work on their corners.
        simplex, member = _unique(np.concatenate([corner[:-1], rank[:-1]]))
        corner, rank = corner[:, simplex], rank[:, simplex]
        keys, strides = _keys(corner, rank)
        existing, index = np.unique(keys, return_inverse=True)
        self.size = len(existing)
        self._corners = index.reshape(keys.shape).astype(np.int32)[member]
        self._blurs = [self._blur_matrix(existing, step) for step in _steps(strides)]

    @cached_property
    def mass(self) -> np.ndarray:
        """float32 `(points, 1)`: the filtered image of ones, that is the sum of the kernel around each point."""
        return self.filter(np.ones((self.points, 1), np.float32))

    def filter(self, values: np.ndarray) -> np.ndarray:
        """Filters float32 values `(points, channels)`; a point's own value is one of the sum."""
        matrix = self.interpolation(slice(0, self.points))
        return matrix @ self.blur(matrix.T @ values)

    def interpolation(self, points: slice, scale: np.ndarray | None = None) -> sparse.csr_array:
        """The matrix `(points, size)` which reads points from the lattice; its transpose splats.

        Args:
            points: Which points; the rows of the matrix.
            scale: float32 `(points, 1)` for all points, by which rows are multiplied. Defaults to ones.
        """
        count, corners = points.stop - points.start, self.dimensions + 1
        weights = self._weights[points] if scale is None else self._weights[points] * scale[points]
        ends = np.arange(0, count * corners + 1, corners, dtype=np.int32)
        return sparse.csr_array((weights.ravel(), self._corners[points].ravel(), ends), shape=(count, self.size))

    def blur(self, values: np.ndarray) -> np.ndarray:
        """Blurs values of the lattice `(size, channels)` and makes up for what splat, blur and slice add."""
        for matrix in self._blurs:
            values = matrix @ values
        values *= np.float32(1 / (1 + 2.0**-self.dimensions))
        return values

    def _blur_matrix(self, existing: np.ndarray, step: int) -> sparse.csr_array:
        own = np.arange(self.size, dtype=np.int32)
        found = np.searchsorted(existing, existing + step).astype(np.int32)
        found[found == self.size] = 0
        pairs = np.flatnonzero(existing[found] == existing + step)
        columns = np.full((self.size, 3), -1, np.int32)
        columns[:, 1] = own
        columns[pairs, 2] = found[pairs]
        columns[found[pairs], 0] = own[pairs]
        present = columns >= 0
        weights = np.broadcast_to(np.array([0.5, 1, 0.5], np.float32), columns.shape)[present]
        ends = np.concatenate([[0], np.cumsum(present.sum(axis=1))]).astype(np.int32)
        return sparse.csr_array((weights, columns[present], ends), shape=(self.size, self.size))


def _elevate(features: np.ndarray) -> np.ndarray:
    """The points on the plane whose coordinates add to 0, `(dimensions + 1, points)`, scaled to the lattice's blur."""
    dimensions, points = features.shape
    elevated = np.empty((dimensions + 1, points), np.float32)
    total = np.zeros(points, np.float32)
    # Splat, blur and slice together have the variance 2/3 (dimensions + 1)^2.
    deviation = np.sqrt(2 / 3) * (dimensions + 1)
    for axis in range(dimensions, 0, -1):
        part = features[axis - 1] * np.float32(deviation / np.sqrt(axis * (axis + 1)))
        elevated[axis] = total - np.float32(axis) * part
        total += part
    elevated[0] = total
    return elevated


def _enclosing_simplex(elevated: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The simplex of each point: its corner of remainder 0, the order of the axes, and the place in the simplex.

    All three are `(dimensions + 1, points)`. The corner counts in steps of `dimensions + 1`, and so does the place,
    whose largest coordinate has the rank 0.
    """
    axes = len(elevated)
    elevated = elevated * np.float32(1 / axes)
    corner = np.rint(elevated)
    inside = elevated - corner
    corner = corner.astype(np.int32)
    rank = np.zeros(corner.shape, np.int8)
    for first in range(axes):
        for second in range(first + 1, axes):
            smaller = inside[first] < inside[second]
            rank[first] += smaller
            rank[second] += ~smaller
    # Rounding leaves the plane by a few steps: the axes that were rounded the furthest take them back.
    rank += corner.sum(axis=0).astype(np.int8)
    step = (rank < 0).view(np.int8) - (rank >= axes).view(np.int8)
    rank += step * np.int8(axes)
    corner += step
    inside -= step
    return corner, rank, inside


def _barycentric(inside: np.ndarray, rank: np.ndarray) -> np.ndarray:
    """The weights `(points, dimensions + 1)` of the corners of each point's simplex."""
    axes, points = inside.shape
    ordered = np.empty_like(inside)
    np.put_along_axis(ordered, rank.astype(np.intp), inside, axis=0)
    weights = np.empty((points, axes), np.float32)
    weights[:, 0] = 1 + ordered[-1] - ordered[0]
    weights[:, 1:] = (ordered[:-1] - ordered[1:])[::-1].T
    return weights


def _unique(columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The index of one of each different column, and for each column which of them it equals."""
    columns = columns.astype(np.int64)
    low = columns.min(axis=1)
    keys = np.zeros(columns.shape[1], np.int64)
    for stride, column, least in zip(_strides(columns.max(axis=1) - low + 1), columns, low, strict=True):
        keys += stride * (column - least)
    order = np.argsort(keys)
    keys = keys[order]
    first = np.concatenate([[True], keys[1:] != keys[:-1]])
    member = np.empty(len(keys), np.intp)
    member[order] = np.cumsum(first) - 1
    return order[first], member


def _keys(corner: np.ndarray, rank: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A number for each corner `(simplices, dimensions + 1)`, and by how much it grows along each axis."""
    axes = len(corner)
    # All but the last coordinate, which the others give; a neighbour is less than a step away from a corner.
    base = axes * corner[:-1].astype(np.int64)
    low = base.min(axis=1, keepdims=True) - 2 * axes
    strides = _strides(base.max(axis=1) + 2 * axes - low[:, 0] + 1)
    keys = np.empty((corner.shape[1], axes), np.int64)
    for remainder in range(axes):
        coordinates = base - low + remainder - axes * (rank[:-1] >= axes - remainder)
        keys[:, remainder] = strides @ coordinates
    return keys, strides


def _strides(extents: np.ndarray) -> np.ndarray:
    """Strides of a dense array of these extents, which number its elements."""
    if np.prod(extents.astype(np.float64)) >= 2.0**63:
        raise ValueError(
            "The features extend too far for the lattice. Use larger standard deviations. "
            f"Received: features over {extents.tolist()} lattice points"
        )
    return np.concatenate([[1], np.cumprod(extents[:-1])]).astype(np.int64)


def _steps(strides: np.ndarray) -> list[int]:
    """By how much a corner's number differs from its neighbour's, for each direction of the lattice."""
    axes = len(strides) + 1
    return [int(axes * stride - strides.sum()) for stride in [*strides, 0]]
