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


def test_correlations_count_for_moments_and_not_for_mean_std():
    style = random(1, 64, 64, 2)
    features = np.stack([style[..., 0], style[..., 0]], axis=-1)
    assert loss_of("mean_std", features, style) < 1e-3
    assert loss_of("moments", features, style) > 0.02
