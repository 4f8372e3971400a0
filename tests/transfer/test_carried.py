"""Networks with statistics that are carried on."""

import keras
import numpy as np
import pytest

from tests.transfer.conftest import lively
from tf_style.transfer.carried import CarriedNetwork
from tf_style.transfer.transform import SHAPES, transform_network


@pytest.fixture
def model():
    keras.utils.set_random_seed(3)
    return lively(transform_network(SHAPES["fine"]))


@pytest.fixture
def network(model):
    return CarriedNetwork(model, "fine")


def picture(height, width, seed=0):
    return np.random.default_rng(seed).random((height, width, 3), np.float32)


@pytest.mark.parametrize("size", [(1, 1), (7, 30), (33, 50), (65, 40)])
def test_with_its_own_statistics_it_paints_what_the_model_paints(model, network, size):
    seen = picture(*size)
    painted, statistics = network.paint(seen)
    assert painted.shape == seen.shape and painted.dtype == np.float32
    # More of the picture is mirrored, where its sides are no multiples of four.
    assert np.abs(painted - model(seen[None]).numpy()[0]).mean() < 0.02
    again, same = network.paint(seen, statistics, 0.0)
    np.testing.assert_allclose(again, painted, atol=1e-5)
    np.testing.assert_array_equal(same, statistics)


def test_statistics_move_as_far_as_asked(network):
    dark, bright = 0.2 * picture(40, 40), picture(40, 40)
    _, before = network.paint(dark)
    ends = [network.paint(bright, before, rate) for rate in (0, 0.3, 1)]
    own, wanted = network.paint(bright)
    np.testing.assert_allclose(ends[2][0], own, atol=1e-5)
    off = [np.abs(statistics - wanted).sum() for _, statistics in ends]
    assert off[0] > off[1] > off[2] and off[2] < 1e-3 * off[0]
    np.testing.assert_array_equal(ends[0][1], before)
    assert np.abs(ends[0][0] - own).mean() > 0.02


def test_one_half_is_painted_alike_whatever_the_other_shows(model, network):
    """Far enough from it, with statistics that are given."""
    first, second = picture(32, 160), picture(32, 160)
    second[:, 80:] = 0.1 * second[:, 80:]
    _, statistics = network.paint(first)
    made = [network.paint(each, statistics, 0.0)[0][:, :40] for each in (first, second)]
    np.testing.assert_allclose(*made, atol=1e-5)
    plain = [model(each[None]).numpy()[0, :, :40] for each in (first, second)]
    assert np.abs(plain[0] - plain[1]).mean() > 0.01


def test_the_same_strokes_stand_again_where_the_picture_has_moved_on(network):
    large = picture(90, 120)
    _, statistics = network.paint(large)
    first = network.paint(large[:64, :80], statistics, 0.0)[0]
    for down, right in ((1, 0), (3, 2), (2, 3)):
        moved = large[down : down + 64, right : right + 80]
        inner = np.s_[24:-28, 24:-28]
        wanted = first[down:, right:][:60 - down, :76 - right][inner]
        # What is there was further down and to the right by as many pixels.
        anchored, loose = (network.paint(moved, statistics, 0.0, place)[0][
            : wanted.shape[0] + 52, : wanted.shape[1] + 52][inner]
            for place in ((down, right), (0, 0)))
        assert np.abs(anchored - wanted).max() < 1e-4
        assert np.abs(loose - wanted).mean() > 0.01


def test_nothing_is_compiled_anew_for_another_size(network):
    for size in ((16, 16), (40, 28), (9, 70)):
        network.paint(picture(*size), None)
    assert network._compiled.experimental_get_tracing_count() == 1
