"""The dense CRF against pydensecrf's marginals, the lattice against exact Gaussian sums, and what is refused."""

import numpy as np
import pytest

from keras_segpaint.inference import BilateralPairwise, DenseCRF, GaussianPairwise, dense_crf
from keras_segpaint.inference.permutohedral import PermutohedralLattice

SMALL = ("gauss", "both", "both_before", "both_after", "gauss_none", "compat_vector", "compat_matrix")


def terms(settings: list, normalization: str, arrays: dict[str, np.ndarray]) -> list[GaussianPairwise]:
    """The pairwise terms of a fixture."""
    result = []
    for kind, *numbers, compat in settings:
        common = dict(
            sxy=numbers[0],
            compat=arrays[compat] if isinstance(compat, str) else compat,
            normalization=normalization,
        )
        result.append(GaussianPairwise(**common) if kind == "g" else BilateralPairwise(**common, srgb=numbers[1]))
    return result


def exact_kernel(term: GaussianPairwise, image: np.ndarray) -> np.ndarray:
    """The normalised kernel between all pixels, by the definition."""
    features = term.features(image).astype(np.float64)
    squares = ((features[:, :, None] - features[:, None]) ** 2).sum(axis=0)
    kernel = np.exp(-squares / 2)
    mass = kernel.sum(axis=1)
    rows = {"symmetric": mass**-0.5, "after": 1 / mass}.get(term.normalization, np.ones_like(mass))
    columns = {"symmetric": mass**-0.5, "before": 1 / mass}.get(term.normalization, np.ones_like(mass))
    return rows[:, None] * kernel * columns


def exact_mean_field(probabilities: np.ndarray, image: np.ndarray, pairwise: list, iterations: int) -> np.ndarray:
    """Mean field with the true Gaussian sums."""
    scores = np.log(probabilities.astype(np.float64)).reshape(-1, probabilities.shape[-1])
    kernels = [exact_kernel(term, image) for term in pairwise]
    marginals = np.exp(scores)
    for _ in range(iterations):
        total = scores.copy()
        for term, kernel in zip(pairwise, kernels, strict=True):
            compat = np.asarray(term.compat)
            if compat.ndim < 2:
                # The Potts model, and one energy for each label: +w and -w_l.
                total += (compat if compat.ndim == 0 else -compat) * (kernel @ marginals)
            else:
                total -= (kernel @ marginals) @ compat.T
        marginals = np.exp(total - total.max(axis=1, keepdims=True))
        marginals /= marginals.sum(axis=1, keepdims=True)
    return marginals.reshape(probabilities.shape)


@pytest.fixture(scope="module")
def photograph():
    """A smooth image with an edge, and noisy probabilities of three classes."""
    random = np.random.default_rng(4)
    rows, columns = np.mgrid[:20, :26]
    image = np.stack([8 * rows, 9 * columns, np.where(columns > 12, 200, 40)], axis=-1)
    image = np.clip(image + random.integers(-6, 7, image.shape), 0, 255).astype(np.uint8)
    logits = random.normal(size=(20, 26, 3)) + np.stack([columns < 13, columns > 12, rows > 16], axis=-1)
    probabilities = np.exp(logits) / np.exp(logits).sum(axis=-1, keepdims=True)
    return probabilities.astype(np.float32), image


@pytest.mark.parametrize("setting", SMALL)
@pytest.mark.parametrize("iterations", [1, 5])
def test_marginals_are_those_of_pydensecrf(fixture_arrays, setting, iterations):
    reference = fixture_arrays("dense_crf_small")
    info = reference.info["settings"][setting]
    check(reference, setting, terms(info["terms"], info["normalization"], reference.arrays), iterations)


@pytest.mark.parametrize("setting", ["A", "B"])
@pytest.mark.parametrize("iterations", [1, 5, 10])
def test_marginals_of_an_image_are_those_of_pydensecrf(fixture_arrays, setting, iterations):
    reference = fixture_arrays("dense_crf")
    pairwise = terms(reference.info["settings"][setting], "symmetric", reference.arrays)
    check(reference, setting, pairwise, iterations)


def check(reference, setting: str, pairwise: list, iterations: int) -> None:
    probabilities = reference.arrays["prob"].transpose(1, 2, 0)
    expected = reference.arrays[f"Q_{setting}_iter{iterations}"].transpose(1, 2, 0)
    marginals = dense_crf(probabilities, reference.arrays["image"], pairwise, iterations)
    assert marginals.dtype == np.float32
    # The same algorithm in the same precision: far below the 1e-2 that an application could see.
    np.testing.assert_allclose(marginals, expected, rtol=0, atol=1e-4)
    assert np.mean(marginals.argmax(axis=-1) == expected.argmax(axis=-1)) >= 0.999


@pytest.mark.parametrize("setting", SMALL)
def test_lattice_is_near_the_exact_sums(fixture_arrays, setting):
    reference = fixture_arrays("dense_crf_small")
    info = reference.info["settings"][setting]
    pairwise = terms(info["terms"], info["normalization"], reference.arrays)
    probabilities = reference.arrays["prob"].transpose(1, 2, 0)
    exact = exact_mean_field(probabilities, reference.arrays["image"], pairwise, 1)
    stored = reference.arrays[f"Q_{setting}_iter1_exact"].transpose(1, 2, 0)
    np.testing.assert_allclose(exact, stored, rtol=0, atol=1e-5)
    marginals = dense_crf(probabilities, reference.arrays["image"], pairwise, 1)
    stated = reference.info["lattice_vs_exact"][f"{setting}_iter1"]
    assert np.abs(marginals - exact).max() == pytest.approx(stated["max"], abs=1e-4)
    assert np.abs(marginals - exact).mean() == pytest.approx(stated["mean"], abs=1e-5)


@pytest.mark.parametrize(
    "term",
    [
        GaussianPairwise(sxy=(2, 4), compat=2),
        BilateralPairwise(sxy=6, srgb=(20, 30, 40), compat=[-3, -1, -2]),
        BilateralPairwise(sxy=9, srgb=25, compat=[[-3, 1, 0], [0.5, -2, 0], [0, 1, -1]], normalization="after"),
    ],
)
def test_marginals_are_near_exact_ones(photograph, term):
    marginals = dense_crf(*photograph, [term], iterations=3)
    exact = exact_mean_field(*photograph, [term], 3)
    assert np.abs(marginals - exact).mean() < 0.01
    assert np.mean(marginals.argmax(axis=-1) == exact.argmax(axis=-1)) > 0.98


@pytest.mark.parametrize("dimensions", [1, 2, 3, 5])
def test_lattice_filters_by_a_gaussian(dimensions, rng):
    features = rng.normal(scale=1.5, size=(dimensions, 1500)).astype(np.float32)
    values = rng.random((1500, 2)).astype(np.float32)
    lattice = PermutohedralLattice(features)
    squares = ((features[:, :, None] - features[:, None]) ** 2).sum(axis=0)
    kernel = np.exp(-squares / 2)
    expected = kernel @ values / kernel.sum(axis=1, keepdims=True)
    means = lattice.filter(values) / lattice.mass
    # Nearly empty lattices, such as that of five dimensions, lose what blurs into points that do not exist.
    assert np.abs(means - expected).mean() < 0.004 * dimensions
    np.testing.assert_allclose(lattice.filter(np.ones((1500, 1), np.float32)), lattice.mass)
    # The corners of a point's simplex share it between them, and give the point back: its features are linear there.
    weights = lattice.interpolation(slice(0, 1500))
    np.testing.assert_allclose(weights.sum(axis=1), 1, atol=1e-5)
    assert weights.data.min() > -1e-5


def test_boundary_moves_to_the_edge_of_the_image():
    image = np.zeros((16, 24, 3), np.uint8)
    image[:, 12:] = 200
    left = np.where(np.arange(24) < 15, 0.8, 0.2) * np.ones((16, 1))
    refined = dense_crf(np.stack([left, 1 - left], axis=-1), image)
    np.testing.assert_array_equal(refined.argmax(axis=-1), np.tile(np.arange(24) >= 12, (16, 1)))


def test_without_weights_or_iterations_nothing_changes(photograph):
    probabilities, image = photograph
    for refined in (
        dense_crf(probabilities, image, [GaussianPairwise(compat=0), BilateralPairwise(compat=0)]),
        dense_crf(probabilities, image, []),
        dense_crf(probabilities, image, iterations=0),
    ):
        np.testing.assert_allclose(refined, probabilities, atol=1e-6)


def test_threads_and_kept_lattices_change_nothing(photograph):
    probabilities, image = photograph
    one = dense_crf(probabilities, image, threads=1)
    crf = DenseCRF(image, threads=3)
    crf(probabilities, [BilateralPairwise(compat=1)])
    np.testing.assert_allclose(crf(probabilities), one, atol=1e-5)
    np.testing.assert_allclose(one.sum(axis=-1), 1, atol=1e-5)


def test_extreme_weights_stay_finite(photograph):
    probabilities, image = photograph
    refined = dense_crf(probabilities, image, [GaussianPairwise(compat=1e4), BilateralPairwise(compat=[-900] * 3)])
    np.testing.assert_allclose(refined.sum(axis=-1), 1, atol=1e-5)
    certain = np.eye(3, dtype=np.float32)[probabilities.argmax(axis=-1)]
    assert np.isfinite(dense_crf(certain, image)).all()


def test_vector_and_matrix_are_energies(photograph):
    number, vector, matrix = (
        dense_crf(*photograph, [GaussianPairwise(compat=compat)]) for compat in (2, [-2.0] * 3, -2 * np.eye(3))
    )
    np.testing.assert_allclose(vector, number, atol=1e-6)
    np.testing.assert_allclose(matrix, number, atol=1e-6)


@pytest.mark.parametrize("height, width", [(1, 1), (1, 7), (5, 1)])
def test_smallest_images(height, width):
    probabilities = np.full((height, width, 2), [0.25, 0.75])
    refined = dense_crf(probabilities, np.zeros((height, width, 3), np.uint8))
    assert refined.shape == probabilities.shape
    assert (refined[..., 1] > 0.75).all()


def test_wrong_arguments_are_refused(photograph):
    probabilities, image = photograph
    nan = np.where(np.arange(3) == 1, np.nan, probabilities)
    for arguments, message in (
        ((probabilities[:-1], image), r"image's 20 rows and 26 columns.*Received: shape \(19, 26, 3\)"),
        ((probabilities[..., :1], image), "two classes or more"),
        ((probabilities.argmax(-1), image), r"\(height, width, classes\)"),
        ((probabilities * 2, image), r"in \[0, 1\] without NaN"),
        ((np.log(probabilities), image), "take the softmax of logits first"),
        ((nan, image), r"in \[0, 1\] without NaN"),
        ((np.ones((20, 26, 3), int), image), "must be floating. Received: int64"),
        ((probabilities, image / 255), "`image` must be uint8"),
        ((probabilities, image[..., :1]), r"`image` must be uint8 \(height, width, 3\)"),
        ((probabilities, image, [GaussianPairwise(compat=[1, 2])]), r"3 numbers or a matrix \(3, 3\)"),
        ((probabilities, image, [(3, 3)]), "must be a sequence of GaussianPairwise"),
        ((probabilities, image, [], -1), "`iterations` must be an integer >= 0"),
        ((probabilities, image, [], 5, 0), "`threads` must be an integer >= 1"),
        ((probabilities, image, [BilateralPairwise(sxy=1e-4, srgb=1e-3)]), "`sxy` or `srgb` is too small"),
    ):
        with pytest.raises(ValueError, match=message):
            dense_crf(*arguments)


@pytest.mark.parametrize(
    "build, message",
    [
        (lambda: GaussianPairwise(sxy=0), "`sxy` must be a number > 0, or 2 of them. Received: sxy=0"),
        (lambda: GaussianPairwise(sxy=(1, 2, 3)), "`sxy` must be a number > 0, or 2 of them"),
        (lambda: BilateralPairwise(srgb=-1), "`srgb` must be a number > 0, or 3 of them"),
        (lambda: BilateralPairwise(sxy=np.nan), "`sxy` must be"),
        (lambda: GaussianPairwise(compat=np.ones((2, 3))), "`compat` must be a finite number, a vector"),
        (lambda: GaussianPairwise(compat=np.inf), "`compat` must be a finite number"),
        (lambda: GaussianPairwise(normalization="sym"), "must be one of 'symmetric', 'before', 'after', 'none'"),
    ],
)
def test_wrong_terms_are_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build()
