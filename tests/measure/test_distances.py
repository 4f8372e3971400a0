import numpy as np
import pytest
import scipy.linalg

from tf_style.measure.distances import Gaussian, sliced_wasserstein, squared_wasserstein

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
