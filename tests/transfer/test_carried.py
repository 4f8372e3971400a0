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
    painted, statistics = network.begin(seen)
    assert painted.shape == seen.shape and painted.dtype == np.float32
    # More of the picture is mirrored, where its sides are no multiples of four.
    assert np.abs(painted - model(seen[None]).numpy()[0]).mean() < 0.02
    again, own = network.follow(seen, statistics)
    np.testing.assert_allclose(own, statistics, rtol=1e-3, atol=1e-3)
    np.testing.assert_array_equal(again, network.paint(seen, statistics))
    np.testing.assert_allclose(again, painted, atol=1e-4)


def test_statistics_of_another_picture_lead_to_its_own(network):
    dark, bright = 0.2 * picture(40, 40), picture(40, 40)
    (_, known), (wanted, own) = network.begin(dark), network.begin(bright)
    first = network.paint(bright, known)
    assert np.abs(first - wanted).mean() > 0.02
    for _ in range(60):
        _, found = network.follow(bright, known)
        known = known + 0.3 * (found - known)
    np.testing.assert_allclose(known, own, rtol=0.01, atol=0.01)
    np.testing.assert_allclose(network.paint(bright, known), wanted, atol=0.01)


def test_a_map_that_was_all_but_erased_keeps_its_statistics(model):
    norm = model.get_layer("block0_second_norm")
    norm.gamma.assign(np.r_[1e-7, norm.gamma[1:]])
    network = CarriedNetwork(model, "fine")
    _, known = network.begin(picture(40, 40))
    _, own = network.follow(0.5 * picture(40, 40), known)
    place = network._places[norm.name].start
    np.testing.assert_array_equal(own[:, place], known[:, place])
    assert np.isfinite(own).all() and not np.allclose(own[:, place + 1], known[:, place + 1])


def test_one_half_is_painted_alike_whatever_the_other_shows(model, network):
    """Far enough from it, with statistics that are given."""
    first, second = picture(32, 160), picture(32, 160)
    second[:, 80:] = 0.1 * second[:, 80:]
    _, statistics = network.begin(first)
    made = [network.paint(each, statistics)[:, :40] for each in (first, second)]
    np.testing.assert_allclose(*made, atol=1e-5)
    plain = [model(each[None]).numpy()[0, :, :40] for each in (first, second)]
    assert np.abs(plain[0] - plain[1]).mean() > 0.01


def test_the_same_strokes_stand_again_where_the_picture_has_moved_on(network):
    large = picture(90, 120)
    _, statistics = network.begin(large)
    first = network.paint(large[:64, :80], statistics)
    for down, right in ((1, 0), (3, 2), (2, 3)):
        moved = large[down : down + 64, right : right + 80]
        inner = np.s_[24:-28, 24:-28]
        wanted = first[down:, right:][:60 - down, :76 - right][inner]
        # What is there was further down and to the right by as many pixels.
        anchored, loose = (network.paint(moved, statistics, place)[
            : wanted.shape[0] + 52, : wanted.shape[1] + 52][inner]
            for place in ((down, right), (0, 0)))
        assert np.abs(anchored - wanted).max() < 1e-4
        assert np.abs(loose - wanted).mean() > 0.01


def test_nothing_is_compiled_anew_for_another_size(network):
    for size in ((16, 16), (40, 28), (9, 70)):
        _, statistics = network.begin(picture(*size))
        network.paint(picture(*size), statistics)
        network.follow(picture(*size), statistics)
    assert {each.experimental_get_tracing_count() for each in
            (network._beginning, network._painting, network._following)} == {1}
