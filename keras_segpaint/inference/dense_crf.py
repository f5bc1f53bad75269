"""Fully connected conditional random fields: boundaries of a prediction moved to those of the image."""

import itertools
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from scipy import sparse

from keras_segpaint.inference.pairwise import BilateralPairwise, GaussianPairwise
from keras_segpaint.inference.permutohedral import PermutohedralLattice

__all__ = ["DenseCRF", "dense_crf"]

# Of a pixel's classes; the logarithm of the least probability bounds what one pixel can say against its neighbours.
_LEAST_PROBABILITY = 1e-5
# Pixels whose messages and softmax are done at a time: they stay in a core's cache.
_BLOCK = 8192
# exp(-80) is far above float32's least number, so a difference in scores below this loses nothing.
_SAFE_EXPONENT = 80.0


def dense_crf(
    probabilities: np.ndarray,
    image: np.ndarray,
    pairwise: Sequence[GaussianPairwise] = (GaussianPairwise(), BilateralPairwise()),
    iterations: int = 5,
    threads: int | None = None,
) -> np.ndarray:
    """Refines class probabilities by mean-field inference in a CRF that connects all pixels with each other.

    The Gaussian sums over all pixels are done by a permutohedral lattice, in time linear in the pixels. They differ
    from exact ones: in a photograph of 36x48 pixels the marginals by 0.008 or less in the mean, by 0.1 at single pixels,
    and the label of fewer than one pixel of a hundred.

    Names, defaults and results are those of pydensecrf.

    Args:
        probabilities: Floating `(height, width, classes)` in [0, 1], two classes or more, such as a network's softmax.
            Those below 1e-5 count as 1e-5.
        image: uint8 `(height, width, 3)`, RGB.
        pairwise: The pairwise terms. Defaults to a Gaussian (`sxy=3, compat=3`) and a bilateral one
            (`sxy=80, srgb=13, compat=10`). The best weights depend on the data and the network: see `search_dense_crf`.
        iterations: Integer >= 0; `0` gives the probabilities, normalised. Defaults to `5`; DeepLab takes `10`.
        threads: Integer >= 1. Defaults to as many as there are cores for this process.

    Returns:
        float32 marginals `(height, width, classes)`, which add to 1 in each pixel.

    Raises:
        ValueError: If an argument is not as above, or the `compat` of a term is of another number of classes.

    References:
        - [Efficient Inference in Fully Connected CRFs with Gaussian Edge Potentials](https://arxiv.org/abs/1210.5644)
        - [DeepLab](https://arxiv.org/abs/1606.00915), section 3.3

    Example:
        >>> image = np.zeros((8, 12, 3), "uint8")
        >>> image[:, 6:] = 255
        >>> left = np.where(np.arange(12) < 8, 0.7, 0.3) * np.ones((8, 1))
        >>> refined = dense_crf(np.stack([left, 1 - left], axis=-1), image)
        >>> (refined[4, :, 0] > 0.5).tolist().index(False)
        6
    """
    return DenseCRF(image, threads)(probabilities, pairwise, iterations)


class DenseCRF:
    """The CRF of one image, for several calls of it: what depends on the image alone is computed once.

    Args:
        image: uint8 `(height, width, 3)`, RGB.
        threads: Integer >= 1. Defaults to as many as there are cores for this process.

    Attributes:
        lattices: Those that were built, by their standard deviations.

    Call arguments:
        probabilities, pairwise, iterations: As in `dense_crf`.

    Raises:
        ValueError: As in `dense_crf`.

    Example:
        >>> crf = DenseCRF(np.zeros((4, 5, 3), "uint8"))
        >>> weights = [crf(np.full((4, 5, 2), 0.5), [GaussianPairwise(compat=weight)]) for weight in (1, 3)]
        >>> len(weights), weights[0].shape
        (2, (4, 5, 2))
    """

    def __init__(self, image: np.ndarray, threads: int | None = None):
        image = np.asarray(image)
        if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3 or image.size == 0:
            raise ValueError(
                "`image` must be uint8 (height, width, 3): the colours from 0 to 255, to which `srgb` refers. "
                f"Received: {image.dtype} of shape {image.shape}"
            )
        if threads is not None and (not isinstance(threads, int) or threads < 1):
            raise ValueError(f"`threads` must be an integer >= 1, or None. Received: threads={threads!r}")
        self.image = image
        self.threads = threads or _cores()
        self.lattices: dict[tuple[float, ...], PermutohedralLattice] = {}

    def __call__(
        self,
        probabilities: np.ndarray,
        pairwise: Sequence[GaussianPairwise] = (GaussianPairwise(), BilateralPairwise()),
        iterations: int = 5,
    ) -> np.ndarray:
        probabilities = _checked(probabilities, self.image)
        pairwise = list(pairwise)
        if not all(isinstance(term, GaussianPairwise) for term in pairwise):
            raise ValueError(
                "`pairwise` must be a sequence of GaussianPairwise and BilateralPairwise. "
                f"Received: pairwise={pairwise!r}"
            )
        if not isinstance(iterations, int) or iterations < 0:
            raise ValueError(f"`iterations` must be an integer >= 0. Received: iterations={iterations!r}")
        classes = probabilities.shape[2]
        compats = [term.matrix(classes) for term in pairwise]
        scores = np.log(np.maximum(probabilities, np.float32(_LEAST_PROBABILITY))).reshape(-1, classes)
        if not pairwise:
            _softmax(scores, out=scores)
            return scores.reshape(probabilities.shape)
        with ThreadPoolExecutor(self.threads) as pool:
            spans = _parts(slice(0, len(scores)), -(-len(scores) // self.threads))
            lattices = list(pool.map(self._lattice, pairwise))
            kernels = _Kernels(lattices, [term.normalization for term in pairwise], spans)
            return _mean_field(scores, kernels, compats, iterations, spans, pool.map).reshape(probabilities.shape)

    def _lattice(self, term: GaussianPairwise) -> PermutohedralLattice:
        if term.deviations not in self.lattices:
            try:
                self.lattices[term.deviations] = PermutohedralLattice(term.features(self.image))
            except ValueError as error:
                raise ValueError(f"`sxy` or `srgb` is too small for this image. {error}, from {term}") from error
        return self.lattices[term.deviations]


class _Kernels:
    """The normalised kernels of all terms as one: pixels to lattices by spans, lattices to pixels by blocks of each span."""

    def __init__(self, lattices: list[PermutohedralLattice], normalizations: list[str], spans: list[slice]):
        scales = [_scales(*pair) for pair in zip(lattices, normalizations, strict=True)]
        before, after = zip(*scales, strict=True)
        self.blurs = [lattice.blur for lattice in lattices]
        ends = np.cumsum([0, *(lattice.size for lattice in lattices)]).tolist()
        self.size = ends[-1]
        self.parts = [slice(*pair) for pair in itertools.pairwise(ends)]
        self.to_lattices = [_side_by_side(lattices, before, span).T for span in spans]
        self.to_pixels = [[_side_by_side(lattices, after, block) for block in _parts(span, _BLOCK)] for span in spans]


def _scales(lattice: PermutohedralLattice, normalization: str) -> tuple[np.ndarray | None, np.ndarray | None]:
    """What pixels are multiplied by on their way to the lattice and back."""
    if normalization == "none":
        return None, None
    mass = lattice.mass + np.float32(1e-20)
    if normalization == "symmetric":
        return 1 / np.sqrt(mass), 1 / np.sqrt(mass)
    return (1 / mass, None) if normalization == "before" else (None, 1 / mass)


def _side_by_side(
    lattices: list[PermutohedralLattice], scales: Sequence[np.ndarray | None], points: slice
) -> sparse.csr_array:
    """The matrix `(points, sizes of all lattices)` that sums what points read from each."""
    matrices = [lattice.interpolation(points, scale) for lattice, scale in zip(lattices, scales, strict=True)]
    count, width = matrices[0].shape[0], 0
    weights, corners = [], []
    for matrix in matrices:
        weights.append(matrix.data.reshape(count, -1))
        corners.append(matrix.indices.reshape(count, -1) + np.int32(width))
        width += matrix.shape[1]
    ends = np.arange(0, sum(map(np.size, weights)) + 1, sum(part.shape[1] for part in weights), dtype=np.int32)
    data, indices = (np.concatenate(parts, axis=1).ravel() for parts in (weights, corners))
    return sparse.csr_array((data, indices, ends), shape=(count, width))


def _mean_field(
    scores: np.ndarray,
    kernels: _Kernels,
    compats: list[np.ndarray],
    iterations: int,
    spans: list[slice],
    run: Callable[..., Iterable[Any]],
) -> np.ndarray:
    """The marginals for scores `(pixels, classes)`, the logarithms of the unary potentials."""
    marginals = np.empty_like(scores)
    messages = np.empty((kernels.size, scores.shape[1]), np.float32)

    def start(span: int) -> None:
        _softmax(scores[spans[span]], out=marginals[spans[span]])

    def splat(span: int) -> np.ndarray:
        return kernels.to_lattices[span] @ marginals[spans[span]]

    def spread(term: int) -> None:
        part = kernels.parts[term]
        total = splatted[0][part]
        for other in splatted[1:]:
            total += other[part]
        # On the lattice, which has fewer points than the image has pixels.
        messages[part] = _compatible(kernels.blurs[term](total), compats[term])

    def update(span: int) -> None:
        for index, block in enumerate(_parts(spans[span], _BLOCK)):
            total = kernels.to_pixels[span][index] @ messages
            total += scores[block]
            _softmax(total, out=marginals[block])

    list(run(start, range(len(spans))))
    for _ in range(iterations):
        splatted = list(run(splat, range(len(spans))))
        list(run(spread, range(len(kernels.parts))))
        list(run(update, range(len(spans))))
    return marginals


def _compatible(messages: np.ndarray, compat: np.ndarray) -> np.ndarray:
    """What the messages `(points, classes)` add to each class's score."""
    diagonal = np.diagonal(compat)
    if np.array_equal(compat, np.diag(diagonal)):
        # Not by BLAS, whose threads then go on to spin for a while and keep a core from ours.
        messages *= diagonal
        return messages
    return messages @ compat.T


def _softmax(scores: np.ndarray, out: np.ndarray) -> None:
    """Over the last axis, which is short: a maximum of each row would take longer than all else."""
    largest = scores.max()
    if largest - scores.min() > _SAFE_EXPONENT:
        largest = scores.max(axis=1, keepdims=True)
    np.subtract(scores, largest, out=out)
    np.exp(out, out=out)
    # The same sums by BLAS cost the other threads more time than they save.
    out *= (1 / np.einsum("ij->i", out))[:, None]


def _checked(probabilities: np.ndarray, image: np.ndarray) -> np.ndarray:
    probabilities = np.asarray(probabilities)
    if probabilities.ndim != 3 or probabilities.shape[:2] != image.shape[:2] or probabilities.shape[2] < 2:
        raise ValueError(
            f"`probabilities` must have the shape (height, width, classes) with the image's {image.shape[0]} rows and "
            f"{image.shape[1]} columns, and two classes or more. Received: shape {probabilities.shape}"
        )
    if probabilities.dtype.kind != "f":
        raise ValueError(f"`probabilities` must be floating. Received: {probabilities.dtype}")
    least, most = float(probabilities.min()), float(probabilities.max())
    # Written so that NaN fails.
    if not (least >= 0 and most <= 1):
        raise ValueError(
            "`probabilities` must be in [0, 1] without NaN; take the softmax of logits first. "
            f"Received: values from {least} to {most}"
        )
    return probabilities.astype(np.float32, copy=False)


def _parts(whole: slice, size: int) -> list[slice]:
    return [slice(start, min(start + size, whole.stop)) for start in range(whole.start, whole.stop, size)]


def _cores() -> int:
    available = getattr(os, "sched_getaffinity", None)
    return len(available(0)) if available else os.cpu_count() or 1
