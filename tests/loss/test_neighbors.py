"""Single places and their nearest. Small maps are compared in test_style.py."""

import numpy as np
import pytest
import tensorflow as tf

from tests.loss.test_style import DRAW, loss_of, random
from tests.loss.test_style import neighbors as reference
from tf_style.loss.statistics import weighted_rows
from tf_style.loss.style import STYLE_LOSSES
from tf_style.settings import Settings

CHANNELS = 6


def drawn(maps, weights, draw=DRAW, most=1024):
    """One position from each of equal shares of the weight, `(count, channels)`."""
    rows = maps.reshape(-1, maps.shape[-1])
    count = min(len(rows), most)
    seed = tf.random.experimental.stateless_fold_in(draw, 0)
    inside = tf.random.stateless_uniform([count], seed, dtype=tf.float64).numpy()
    ends = np.cumsum(np.asarray(weights, np.float64).ravel())
    shares = (np.arange(count) + inside) / count * ends[-1]
    return rows[np.searchsorted(ends, shares, side="right")]


def turned(degrees):
    """A map of vectors of length 1 about a mean of zero: each angle and its opposite."""
    angles = np.deg2rad([*degrees, *(each + 180 for each in degrees)])
    return np.stack([np.cos(angles), np.sin(angles)], axis=-1)[None, None].astype(np.float32)


@pytest.mark.parametrize("masked", [False, True])
def test_large_maps_against_numpy_at_the_positions_drawn(masked):
    features, style = 30 * random(1, 50, 41, CHANNELS), 40 * random(1, 37, 64, CHANNELS, seed=1)
    weights = random(1, 50, 41, 1, seed=2) if masked else np.ones((1, 50, 41, 1), np.float32)
    expected = reference(drawn(features, weights), drawn(style, np.ones(37 * 64)))
    value = loss_of("neighbors", features, style, tf.constant(weights) if masked else None)
    assert value.numpy() == pytest.approx(expected, rel=1e-4)


def test_a_place_that_is_used_often_gives_way_to_the_next():
    """Two places of the image are nearest to 0 degrees; 20 is near enough to be taken, not 70."""
    features = turned([-1, 1, 90])
    for other, angles in ((20, [21, 19, 0]), (70, [1, 1, 0])):
        expected = np.mean(2 - 2 * np.cos(np.deg2rad(angles)))
        value = loss_of("neighbors", features, turned([0, other, 90]))
        assert value.numpy() == pytest.approx(expected, rel=5e-3)


def test_the_places_of_a_small_style_may_be_used_more_often():
    style, features = turned([0, 80, 90]), turned([0, 0, 0, 0, 90])
    assert loss_of("neighbors", features, style) < 1e-6


@pytest.mark.parametrize("shape", [(1, 6, 7), (1, 60, 50), (2, 33, 47)])
def test_a_map_and_its_brighter_copy_are_at_zero_from_it(shape):
    maps = 30 * random(*shape, CHANNELS)
    maps[:, ::3] = maps[:, :1]
    for features in (maps, 2 * maps, maps + 5):
        for step in range(3):
            value = loss_of("neighbors", features, maps, draw=tf.constant([0, step]))
            np.testing.assert_allclose(value, 0, atol=1e-5)


def test_one_where_either_map_is_constant():
    maps, flat = 30 * random(1, 40, 40, CHANNELS), np.full((1, 40, 40, CHANNELS), 7, np.float32)
    assert loss_of("neighbors", flat, maps).numpy() == pytest.approx(1, abs=1e-3)
    assert loss_of("neighbors", maps, flat).numpy() == pytest.approx(1, abs=1e-3)
    assert loss_of("neighbors", flat, flat).numpy() == 0


def test_what_the_style_lacks_costs_more_than_what_the_image_lacks():
    """An image of half the style's places is all style; the style is not all in that image."""
    angles = np.arange(0, 180, 5)
    half, whole = turned(angles[::2]), turned(angles)
    assert loss_of("neighbors", half, whole) < 1e-6
    assert loss_of("neighbors", whole, half) > 1e-3


def test_weights_draw_the_region_they_mark():
    features, style = 30 * random(2, 1, 80, 60, CHANNELS)
    features[:, :30] = style[:, :30]
    mask = np.zeros((1, 80, 60, 1), np.float32)
    mask[:, :30] = 0.5
    loss = STYLE_LOSSES["neighbors"]
    target = loss.statistic(tf.constant(style), tf.constant(mask))
    inside = loss.distance(loss.statistic(features, tf.constant(mask)), target, DRAW)
    assert inside < 1e-6
    assert loss.distance(loss.statistic(features, None), target, DRAW) > 0.02


def test_every_position_is_drawn_in_the_end_and_each_draw_can_be_repeated():
    features, target = 30 * random(2, 1, 50, 60, CHANNELS)
    target = weighted_rows(tf.constant(target))

    def touched(step):
        maps = tf.constant(features)
        with tf.GradientTape() as tape:
            tape.watch(maps)
            value = STYLE_LOSSES["neighbors"].distance(
                weighted_rows(maps), target, tf.constant([1, step])
            )
        return tape.gradient(value, maps).numpy()

    gradients = [touched(step) for step in range(14)]
    drawn_at = [each.any(axis=-1) for each in gradients]
    # Two shares of the weight that meet within a position may both draw it.
    assert 950 < drawn_at[0].sum() <= 1024
    assert np.mean(np.any(drawn_at, axis=0)) > 0.99
    np.testing.assert_array_equal(touched(0), gradients[0])


def test_it_mixes_with_other_losses_by_weight():
    assert Settings(style_loss="neighbors:0.5,moments").style_loss == {
        "neighbors": 0.5, "moments": 1.0
    }
    assert not STYLE_LOSSES["neighbors"].mean_over_positions
