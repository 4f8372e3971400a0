"""Distances between distributions. Formulas are compared in test_style.py."""

import numpy as np
import pytest
import tensorflow as tf

from tf_style.loss.content import EPSILON
from tf_style.loss.style import STYLE_LOSSES

DRAW = tf.constant([3, 7])


def random(*shape, seed=0):
    return np.random.default_rng(seed).random(shape, np.float32)


def loss_of(name, features, style, weights=None, draw=DRAW):
    loss = STYLE_LOSSES[name]
    target = loss.target(loss.statistic(tf.constant(style), None))
    return loss.distance(loss.statistic(features, weights), target, draw)


def test_the_gaussian_distance_of_shifted_and_scaled_maps():
    style = random(1, 32, 32, 3)
    mean, spread = style.mean(axis=(0, 1, 2)), np.float32(2)
    square = np.sum(np.mean(style.astype(np.float64) ** 2, axis=(0, 1, 2)))
    variance = np.sum(np.var(style.astype(np.float64), axis=(0, 1, 2)))
    for name in ("moments", "mean_std"):
        shifted = loss_of(name, style + np.array([0.3, 0, 0.4], np.float32), style)
        assert shifted.numpy() == pytest.approx(0.25 / (square + EPSILON), rel=1e-3)
        scaled = loss_of(name, mean + spread * (style - mean), style)
        assert scaled.numpy() == pytest.approx(variance / (square + EPSILON), rel=1e-2)


@pytest.mark.parametrize("channels", [150, 300])
def test_of_many_channels_the_axes_that_vary_most_are_compared(channels):
    """Maps that vary along 100 axes lose nothing; the variance along all others counts as one."""
    mixing = np.random.default_rng(1).standard_normal((100, channels)).astype(np.float32)
    style, features = (random(1, 40, 40, 100, seed=seed) ** power @ mixing
                       for seed, power in ((0, 1), (1, 2)))
    means, covariances = zip(*[
        (rows.mean(axis=0), np.cov(rows.T, bias=True))
        for rows in (each.reshape(-1, channels).astype(np.float64) for each in (features, style))
    ], strict=True)
    values, vectors = np.linalg.eigh(covariances[1])
    root = vectors * np.sqrt(values.clip(0)) @ vectors.T
    cross = np.linalg.eigvalsh(root @ covariances[0] @ root)
    whole = np.sum((means[0] - means[1]) ** 2) + np.trace(covariances[0] + covariances[1])
    expected = whole - 2 * np.sqrt(cross.clip(0)).sum()
    size = np.sum(means[1] ** 2) + np.trace(covariances[1])
    found = float(loss_of("moments", features, style)[0])
    assert found == pytest.approx(expected / size, rel=2e-2)
    rough = style + np.random.default_rng(2).standard_normal(style.shape).astype(np.float32) * 5
    beyond = float(loss_of("moments", rough, style)[0])
    assert 0.5 < beyond * size / (25 * channels) < 1.1
    assert float(loss_of("moments", style, style)[0]) == pytest.approx(0, abs=1e-4)


def test_correlations_count_for_moments_and_not_for_mean_std():
    style = random(1, 64, 64, 2)
    features = np.stack([style[..., 0], style[..., 0]], axis=-1)
    assert loss_of("mean_std", features, style) < 1e-3
    assert loss_of("moments", features, style) > 0.02
