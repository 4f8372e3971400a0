import numpy as np
import pytest
import scipy.linalg
from scipy.stats import wasserstein_distance

from tf_style.measure.distances import (
    Gaussian,
    gram_distance,
    projected_quantiles,
    relative,
    sliced_wasserstein,
    squared_wasserstein,
)

RNG = np.random.default_rng(0)


def gaussian(channels, rank=None):
    factor = RNG.normal(size=(channels, rank or channels))
    return Gaussian(RNG.normal(size=channels), factor @ factor.T)


def test_gaussian_of_features():
    features = RNG.random((5, 6, 3)).astype(np.float32)
    fitted = Gaussian.of(features)
    vectors = features.reshape(-1, 3).astype(np.float64)
    np.testing.assert_allclose(fitted.mean, vectors.mean(axis=0))
    np.testing.assert_allclose(fitted.covariance, np.cov(vectors.T, bias=True))
    assert fitted.covariance.dtype == np.float64


@pytest.mark.parametrize("channels", [1, 4, 32])
def test_squared_wasserstein_against_scipys_square_root(channels):
    first, second = gaussian(channels), gaussian(channels)
    root = scipy.linalg.sqrtm(first.covariance @ second.covariance)
    expected = (
        np.sum((first.mean - second.mean) ** 2)
        + np.trace(first.covariance + second.covariance - 2 * np.real(root))
    )
    assert squared_wasserstein(first, second) == pytest.approx(expected, rel=1e-6)
    assert squared_wasserstein(second, first) == pytest.approx(expected, rel=1e-6)


def test_squared_wasserstein_by_hand():
    one = Gaussian(np.array([0.0, 0.0]), np.diag([1.0, 4.0]))
    other = Gaussian(np.array([3.0, 4.0]), np.diag([9.0, 4.0]))
    assert squared_wasserstein(one, other) == pytest.approx(25 + 4)


def test_squared_wasserstein_of_singular_covariances():
    first = gaussian(16, rank=3)
    assert squared_wasserstein(first, first) == pytest.approx(0, abs=1e-5)
    dead = Gaussian(np.zeros(16), np.zeros((16, 16)))
    assert squared_wasserstein(dead, dead) == 0
    assert squared_wasserstein(first, dead) == pytest.approx(
        np.sum(first.mean**2) + np.trace(first.covariance)
    )


def test_sliced_wasserstein_of_a_shift():
    rng = np.random.default_rng(0)
    first = rng.random((20, 30, 3)) / 2
    assert sliced_wasserstein(first, first) == 0
    # Moved along a line, the distance is the mean of |direction · shift|: half the length in 3-D.
    assert sliced_wasserstein(first, first + 0.1) == pytest.approx(
        0.1 * np.sqrt(3) / 2, rel=0.15
    )


def test_sliced_wasserstein_does_not_depend_on_size():
    picture = np.random.default_rng(0).random((8, 8, 3))
    assert sliced_wasserstein(picture, picture.repeat(3, axis=0)) < 5e-3


def test_gram_distance_against_sums_over_positions():
    first, second = RNG.random((5, 6, 3)), 2 * RNG.random((4, 3, 3))
    grams = [np.einsum("hwi,hwj->ij", each, each) / each[..., 0].size for each in (first, second)]
    expected = np.sqrt(np.sum((grams[0] - grams[1]) ** 2))
    of_first, of_second = Gaussian.of(first), Gaussian.of(second)
    np.testing.assert_allclose(of_first.gram, grams[0])
    assert gram_distance(of_first, of_second) == pytest.approx(expected)
    assert gram_distance(of_first, Gaussian.of(first[::-1])) == pytest.approx(0, abs=1e-12)


def test_sliced_wasserstein_against_scipy_along_each_direction():
    # As many vectors as there are quantiles, so that each is compared by itself.
    first, second = RNG.normal(size=(32, 32, 5)), RNG.normal(1, 2, size=(1024, 5))
    directions = np.random.default_rng(0).standard_normal((5, 8))
    directions /= np.linalg.norm(directions, axis=0)
    expected = [
        wasserstein_distance(first.reshape(-1, 5) @ each, second @ each) for each in directions.T
    ]
    assert sliced_wasserstein(first, second, slices=8) == pytest.approx(
        np.mean(expected), rel=2e-3)


def test_projected_quantiles_are_numpys():
    vectors = RNG.normal(size=(7, 9, 4))
    directions = np.random.default_rng(0).standard_normal((4, 64))
    directions /= np.linalg.norm(directions, axis=0)
    expected = np.quantile(
        vectors.reshape(-1, 4) @ directions, (np.arange(1024) + 0.5) / 1024, axis=0).T
    np.testing.assert_allclose(projected_quantiles(vectors), expected, atol=1e-5)
    one = projected_quantiles(vectors[:1, :1])
    np.testing.assert_allclose(one, np.repeat(vectors[0, 0] @ directions, 1024).reshape(64, -1),
                               atol=1e-5)


def test_a_relative_distance_needs_a_difference():
    assert relative(1, 4, 100) == 0.25
    assert np.isnan(relative(0, 0, 1)) and np.isnan(relative(0, 0, 0))
    assert np.isnan(relative(1e-9, 1e-6, 1))
