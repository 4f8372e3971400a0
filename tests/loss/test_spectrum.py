"""Phases: what they tell of and what not. Formulas are compared in test_style.py."""

import numpy as np
import tensorflow as tf

from tf_style.loss.spectrum import phase_match_distance, phase_matrix, weighted_map

CHANNELS = 4
DRAW = tf.constant([3, 7])


def random(*shape, seed=0):
    return np.random.default_rng(seed).random(shape, np.float32)


def test_phase_matrix_tells_same_opposite_and_unrelated_maps():
    first, second = 50 * random(2, 96, 96)
    features = np.stack([first, 3 * first + 20, 50 - first, second], axis=-1)[None]
    matrix = phase_matrix(features)[0].numpy()
    np.testing.assert_allclose(np.diag(matrix), matrix[0, 0], rtol=1e-3)
    assert 0.9 < matrix[0, 0] <= 1
    np.testing.assert_allclose(matrix[0, 1:3], matrix[0, 0] * np.array([1, -1]), rtol=1e-3)
    assert abs(matrix[0, 3]) < 0.1


def test_phase_matrix_does_not_depend_on_contrast_or_place():
    features = np.zeros((1, 96, 96, 4), np.float32)
    features[:, 24:64, 16:56] = 50 * random(1, 40, 40, 4)
    matrix = phase_matrix(features).numpy()
    np.testing.assert_allclose(
        phase_matrix(features * np.array([0.3, 1, 5, 40], np.float32)), matrix, atol=1e-3
    )
    np.testing.assert_allclose(
        phase_matrix(np.roll(features, (16, 24), axis=(1, 2))), matrix, atol=1e-5
    )
    # Places between the windows' are not those of a texture either.
    texture = 50 * random(1, 96, 96, 4)
    moved = phase_matrix(np.roll(texture, (3, 5), axis=(1, 2)))
    np.testing.assert_allclose(moved, phase_matrix(texture), atol=0.05)
    # One map moved alone has other neighbours.
    texture[..., 1] = texture[..., 0]
    apart = np.array(texture)
    apart[..., 1] = np.roll(texture[..., 1], 4, axis=1)
    assert phase_matrix(texture)[0, 0, 1] > 0.9 > 0.5 > phase_matrix(apart)[0, 0, 1]


def match(features, style):
    """The distance of two maps, and its gradient."""
    features = tf.constant(features)
    with tf.GradientTape() as tape:
        tape.watch(features)
        value = phase_match_distance(
            weighted_map(features, None), weighted_map(tf.constant(style), None), DRAW
        )
    return value[0].numpy(), tape.gradient(value, features).numpy()


def test_phase_match_finds_a_moved_and_a_resized_picture():
    style = 50 * random(1, 40, 48, CHANNELS)
    other = 50 * random(1, 40, 48, CHANNELS, seed=1)
    assert match(np.roll(style, (7, 30), axis=(1, 2)), style)[0] < 1e-3
    assert match(3 * style + 5, style)[0] < 1e-3
    assert match(other, style)[0] > 0.8
    large = tf.image.resize(style, (80, 96))
    assert match(style, large.numpy())[0] < 0.1
    # A map that is dead in the style asks for nothing.
    style[..., 2] = 0
    other[..., [0, 1, 3]] = style[..., [0, 1, 3]]
    assert abs(match(other, style)[0]) < 1e-4
    assert not match(other, style)[1][..., 2].any()
