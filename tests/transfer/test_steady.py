"""Steadiness of a network that paints."""

import numpy as np
import pytest
import tensorflow as tf

from tf_style.transfer.steady import Change, changed, moved, unsteadiness


def wave(side, shift=(0.0, 0.0), scale=1.0):
    """A smooth picture, and what is seen of it after a shift and an enlargement."""
    middle = (side - 1) / 2
    rows, columns = np.indices((side, side)) - middle
    down, across = (each / scale + by + middle for each, by in
                    zip((rows, columns), shift, strict=True))
    made = [0.5 + 0.3 * np.sin(across / 3 + down / 5 + phase) for phase in range(3)]
    return np.stack(made, 2).astype(np.float32)[None]


def plain(side, shift=(0.0, 0.0), scale=1.0):
    """The change that does that and no more."""
    from tf_style.transfer import steady

    down, across = (steady._resampling(side, np.array([scale]), np.array([by])) for by in shift)
    none = np.zeros((1, 1, 1, 1), np.float32)
    return Change(down, across, np.zeros((1, side, side, 3), np.float32), none + 1, none)


@pytest.mark.parametrize(("shift", "scale"), [((0, 0), 1), ((2, -3), 1), ((0.4, 1.7), 1),
                                              ((0, 0), 1.04), ((-5.3, 2.5), 0.97)])
def test_pictures_are_moved_by_parts_of_pixels(shift, scale):
    change = plain(48, shift, scale)
    made = moved(tf.constant(wave(48)), change.down, change.across).numpy()
    inner = np.s_[:, 10:-10, 10:-10]
    assert np.abs(made - wave(48, shift, scale))[inner].max() < 0.004
    assert (shift == (0, 0) and scale == 1) or np.abs(made - wave(48))[inner].max() > 0.02


def test_what_paints_alike_wherever_it_is_is_steady():
    change = Change.drawn(np.random.default_rng(2), 3, 48)
    pictures = tf.constant(np.concatenate([wave(48), 1 - wave(48), wave(48) ** 2]))
    still = plain(48)
    for paint, noisy in ((lambda x: 1 - 0.5 * x, False), (lambda x: 0 * x + 0.3, True)):
        # An equivariant painter answers moved pictures with moved ones.
        again = paint(moved(pictures, change.down, change.across))
        assert float(unsteadiness(paint(pictures), again, change.down, change.across)) < 1e-6
        again = paint(changed(pictures, *change.parts()))
        off = float(unsteadiness(paint(pictures), again, change.down, change.across))
        assert off < 1e-6 if noisy else off > 1e-4
    # One that paints by a grid of its own does not.
    grid = tf.constant(np.tile([[0.0, 1.0], [1.0, 0.0]], (24, 24))[None, ..., None], tf.float32)
    shifted = plain(48, (1, 0))
    off = [float(unsteadiness(pictures[:1] * grid, moved(
        pictures[:1], each.down, each.across) * grid, each.down, each.across))
        for each in (still, shifted)]
    assert off[0] < 1e-6 and off[1] > 0.1


def test_changes_are_drawn_within_bounds_and_by_chance_alone():
    first, again, other = (Change.drawn(np.random.default_rng(seed), 4, 32) for seed in (1, 1, 2))
    for one, two in zip(first.parts(), again.parts(), strict=True):
        np.testing.assert_array_equal(one, two)
    assert (first.noise != other.noise).any() and (first.down != other.down).any()
    np.testing.assert_allclose(first.down.sum(2), 1, atol=1e-5)
    assert first.noise.std() < 0.04 and np.abs(first.light).max() <= 0.05
    made = changed(tf.constant(np.ones((4, 32, 32, 3), np.float32)), *first.parts()).numpy()
    assert made.min() >= 0 and made.max() <= 1
