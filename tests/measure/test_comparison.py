import numpy as np
import pytest

from tf_style.measure.comparison import DISTANCES, Comparison
from tf_style.measure.distances import Gaussian, sliced_wasserstein, squared_wasserstein
from tf_style.measure.nearest import Nearest, Places
from tf_style.measure.patches import patch_distance, patch_quantiles
from tf_style.measure.views import View

LAYERS = ("a", "b")


def view(seed, height=24, width=28):
    rng = np.random.default_rng(seed)
    return View([rng.random((height, width, 3)) ** (1 + seed)], [{
        "a": rng.normal(seed, 1 + seed, (height, width, 4)),
        "b": rng.random((height // 2, width // 2, 9)),
    }])


@pytest.fixture
def compared():
    return Comparison(view(0), view(1, 20, 32))


def features(seen, layer):
    return seen.maps[0][layer]


def gram(array):
    vectors = array.reshape(-1, array.shape[-1])
    return vectors.T @ vectors / len(vectors)


@pytest.mark.parametrize("name, by_hand", [
    ("style_distance", lambda one, other: np.sqrt(
        squared_wasserstein(Gaussian.of(one), Gaussian.of(other)))),
    ("gram_distance", lambda one, other: np.linalg.norm(gram(one) - gram(other))),
    ("sliced_distance", sliced_wasserstein),
])
def test_distances_are_shares_of_the_contents(compared, name, by_hand):
    generated = view(2)
    expected = np.mean([
        by_hand(features(generated, layer), features(compared.style, layer))
        / by_hand(features(compared.content, layer), features(compared.style, layer))
        for layer in LAYERS
    ])
    assert compared.distance(name, generated, LAYERS) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("name", DISTANCES)
def test_distances_go_from_0_to_1(compared, name):
    assert compared.distance(name, compared.content, LAYERS) == pytest.approx(1)
    assert compared.distance(name, compared.style, LAYERS) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("name", DISTANCES)
@pytest.mark.parametrize("seed", range(6))
def test_no_distance_where_content_has_the_style_already(name, seed):
    same = [view(seed).maps[0] for _ in range(2)]
    # The same features in another order: sums differ by rounding.
    same[1] = {layer: each[::-1, ::-1] for layer, each in same[1].items()}
    content, style = (View(view(seed).pictures, [maps]) for maps in same)
    assert np.isnan(Comparison(content, style).distance(name, view(seed + 1), LAYERS))


def test_patch_distance_is_a_share_of_the_contents(compared):
    generated = view(2)
    first, second, style = (patch_quantiles(each.pictures)
                            for each in (generated, compared.content, compared.style))
    assert compared.patch_distance(generated) == pytest.approx(
        patch_distance(first, style) / patch_distance(second, style))
    assert compared.patch_distance(compared.content) == 1
    assert compared.patch_distance(compared.style) == 0
    assert np.isnan(Comparison(compared.style, compared.style).patch_distance(generated))


def test_local_distances_are_shares_of_the_contents(compared):
    generated = view(2)
    found, untouched = (
        Nearest.of(*(Places.of([features(each, "b")]) for each in (one, compared.style)))
        for one in (generated, compared.content)
    )
    seen = compared.local_distances(compared.nearest(generated, "b"), "b")
    assert seen == pytest.approx((found.distance / untouched.distance,
                                  found.back / untouched.back))

    def local(one):
        return compared.local_distances(compared.nearest(one, "b"), "b")

    assert local(compared.content) == (1, 1)
    assert local(compared.style) == pytest.approx((0, 0), abs=1e-6)
    same = Comparison(compared.style, compared.style)
    assert np.isnan(same.local_distances(same.nearest(generated, "b"), "b")).all()


def test_copied_is_what_the_content_had_not(compared):
    style, content = compared.style, compared.content
    assert compared.copied(compared.nearest(style, "a"), "a", (20, 32)) > 0.99
    assert compared.copied(compared.nearest(content, "a"), "a", (24, 28)) == 0
    same = Comparison(style, style)
    assert same.copied(same.nearest(style, "a"), "a", (20, 32)) == 0
    assert same.copied(same.nearest(content, "a"), "a", (24, 28)) < -0.99


def test_shows_only_what_all_pictures_have(compared):
    assert compared.shows(LAYERS) and not compared.shows((*LAYERS, "c"))
    poor = View(compared.style.pictures, [{"a": features(compared.style, "a")}])
    assert not Comparison(compared.content, poor).shows(LAYERS)
    assert not Comparison(poor, compared.style).shows(LAYERS)
    assert Comparison(poor, compared.style).shows(("a",))
