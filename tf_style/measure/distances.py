"""Distances between sets of vectors, such as the features or the colours of two pictures."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np

# Shares of a set at which its sorted values are compared.
_LEVELS = (np.arange(1024) + 0.5) / 1024


def as_vectors(features: np.ndarray) -> np.ndarray:
    """The vectors at all positions of `(..., channels)`, as `(count, channels)`."""
    return np.reshape(features, (-1, np.shape(features)[-1]))


@dataclasses.dataclass(frozen=True)
class Gaussian:
    """Mean `(channels,)` and covariance `(channels, channels)` of feature vectors, float64."""

    mean: np.ndarray
    covariance: np.ndarray

    @classmethod
    def of(cls, features: np.ndarray) -> Gaussian:
        """The Gaussian fitted to the feature vectors at all positions of `(h, w, channels)`."""
        import tensorflow as tf

        vectors = as_vectors(features).astype(np.float64)
        mean = vectors.mean(axis=0)
        centered = vectors - mean
        # Here and below: on busy cores NumPy's threads wait for each other, 10 to 100 times as long
        # as the work takes.
        products = tf.linalg.matmul(centered, centered, transpose_a=True).numpy()
        return cls(mean, products / len(vectors))

    @property
    def gram(self) -> np.ndarray:
        """The Gram matrix `(channels, channels)` of the vectors, over their number."""
        return self.covariance + np.outer(self.mean, self.mean)

    @functools.cached_property
    def root(self) -> np.ndarray:
        """The symmetric square root of the covariance."""
        import tensorflow as tf

        values, vectors = (each.numpy() for each in tf.linalg.eigh(self.covariance))
        return (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T


def squared_wasserstein(first: Gaussian, second: Gaussian) -> float:
    """Squared 2-Wasserstein distance between two Gaussians.

    ‖m₁ − m₂‖² + tr(C₁ + C₂ − 2 (C₂^½ C₁ C₂^½)^½), in squared units of the features, at least 0.

    Source: Dowson, Landau, The Fréchet distance between multivariate normal distributions, 1982.
    """
    import tensorflow as tf

    # The trace of a square root is the sum of the square roots of the eigenvalues.
    cross = tf.linalg.eigvalsh(second.root @ first.covariance @ second.root).numpy()
    value = (
        np.sum((first.mean - second.mean) ** 2)
        + np.trace(first.covariance)
        + np.trace(second.covariance)
        - 2 * np.sqrt(np.maximum(cross, 0)).sum()
    )
    return float(max(value, 0))


def gram_distance(first: Gaussian, second: Gaussian) -> float:
    """Frobenius norm of the difference of two Gram matrices, in squared units of the features.

    Source: Gatys, Ecker, Bethge, Image Style Transfer Using Convolutional Neural Networks, 2016,
        equations 3 and 4.
    """
    return float(np.linalg.norm(first.gram - second.gram))


def sliced_wasserstein(first: np.ndarray, second: np.ndarray, *, slices: int = 64) -> float:
    """Sliced Wasserstein distance between two sets of vectors.

    The 1-Wasserstein distance between the projections of both sets on a line, averaged over
    `slices` directions drawn with a fixed seed.

    Args:
        first, second: `(..., channels)`, of any numbers of vectors.

    Returns:
        In units of the vectors; 0 for the same vectors in any order.

    Source: Bonneel et al., Sliced and Radon Wasserstein Barycenters of Measures, 2015.
    """
    return quantile_distance(*(projected_quantiles(each, slices) for each in (first, second)))


def quantile_distance(first: np.ndarray, second: np.ndarray) -> float:
    """Mean difference of two arrays of `projected_quantiles`."""
    return float(np.abs(first - second).mean())


def projected_quantiles(features: np.ndarray, slices: int = 64) -> np.ndarray:
    """Quantiles of the projections of `(..., channels)` on `slices` directions.

    Returns:
        float64 `(slices, 1024)`.
    """
    directions = np.random.default_rng(0).standard_normal((np.shape(features)[-1], slices))
    directions /= np.linalg.norm(directions, axis=0)
    vectors = as_vectors(features).astype(np.float32)
    # Sorted rows are several times as fast as `np.quantile` at this many levels.
    rows = np.sort(directions.T.astype(np.float32) @ vectors.T, axis=1)
    places = _LEVELS * (rows.shape[1] - 1)
    below = places.astype(int)
    above = np.minimum(below + 1, rows.shape[1] - 1)
    return rows[:, below] + (places - below) * (rows[:, above] - rows[:, below])


def relative(moved: float, whole: float, size: float) -> float:
    """A distance in shares of the untouched content's.

    Args:
        moved: from the generated image to the style.
        whole: from the untouched content to the style.
        size: what distances are compared with, in the same units: the style's own extent.

    Returns:
        0 at the style, 1 at the untouched content; `nan` if content and style do not differ, but
        for rounding.
    """
    return moved / whole if whole > 3e-5 * size else float("nan")
