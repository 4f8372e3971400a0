"""How much of a content image's structure another picture keeps."""

from __future__ import annotations

import numpy as np

from tf_style.image import color
from tf_style.measure.distances import as_vectors

# Places of a feature map that are compared with each other: more change the third digit.
_MOST = 2048
# Deviations below this, of features in shares of their size, of light and of cosines, are rounding.
_ROUNDING = 1e-6


def content_similarity(
    generated: np.ndarray, content: np.ndarray, inside: np.ndarray | None = None
) -> float:
    """Cosine similarity of two feature maps `(h, w, channels)`, each channel's mean removed.

    Args:
        inside: `(h, w)` in `[0, 1]`, how much each position counts; by default all count.

    Returns:
        1 for the same map, about 0 for unrelated ones; `nan` for a constant map.
    """
    weights = np.ones(np.shape(content)[:2]) if inside is None else np.asarray(inside, np.float64)
    if not weights.sum() > 0:
        return float("nan")
    first, second = (_centered(each, weights) for each in (generated, content))
    norm = np.linalg.norm(first) * np.linalg.norm(second)
    return float(np.sum(first * second) / norm) if norm > 0 else float("nan")


def _centered(features: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Vectors without their mean, by the roots of their weights; 0 if that leaves rounding."""
    vectors, counts = as_vectors(features).astype(np.float64), weights.reshape(-1, 1)
    left = np.sqrt(counts) * (vectors - np.average(vectors, axis=0, weights=weights.ravel()))
    size = np.linalg.norm(np.sqrt(counts) * vectors)
    return left if np.linalg.norm(left) > _ROUNDING * size else np.zeros_like(left)


def edge_agreement(generated: np.ndarray, content: np.ndarray) -> float:
    """Pearson correlation of the luminance gradients' magnitudes of two pictures of one size.

    1 for the same edges, 0 for unrelated ones; `nan` for a picture without any, or of one line.
    """
    if min(np.shape(content)[:2]) < 2:
        return float("nan")
    return _correlation(*(
        color.gradient_magnitude(color.luminance(each)).ravel() for each in (generated, content)
    ))


def self_similarity(generated: np.ndarray, content: np.ndarray) -> float:
    """Whether places that are alike in the content are alike in the generated image too.

    Pearson correlation of the two maps' matrices of cosine distances between the feature vectors
    at all pairs of places; of a larger map, at those of a regular grid of about 2048 places.

    Args:
        generated, content: feature maps `(h, w, channels)` of one size.

    Returns:
        1 for the same map, however its features are named or turned; about 0 for unrelated ones;
        `nan` for a constant map.

    Source: Shechtman, Irani, Matching Local Self-Similarities across Images and Videos, 2007; as a
        matrix of distances: Kolkin et al., 2019, equation 4.
    """
    step = int(np.ceil(np.sqrt(np.prod(np.shape(content)[:2]) / _MOST)))
    first, second = (_distances(each[::step, ::step]) for each in (generated, content))
    return _correlation(first, second)


def _distances(features: np.ndarray) -> np.ndarray:
    """Cosine distances of all pairs of places."""
    vectors = as_vectors(features).astype(np.float64)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    return 1 - (vectors @ vectors.T)[np.triu_indices(len(vectors), 1)]


def _correlation(first: np.ndarray, second: np.ndarray) -> float:
    if first.size < 2 or not min(first.std(), second.std()) > _ROUNDING:
        return float("nan")
    return float(np.corrcoef(first, second)[0, 1])
