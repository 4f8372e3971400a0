import numpy as np
import pytest

from tf_style.measure import nearest
from tf_style.measure.nearest import Nearest, Places, copied_places

RNG = np.random.default_rng(0)


@pytest.fixture(autouse=True)
def the_same_numbers_whatever_was_tested_before(monkeypatch):
    monkeypatch.setitem(globals(), "RNG", np.random.default_rng(0))


def cosine_distances(first, second):
    """Of all pairs of vectors, in float64."""
    one, other = (
        each / np.linalg.norm(each, axis=1, keepdims=True)
        for each in (first.astype(np.float64), second.astype(np.float64))
    )
    return 1 - one @ other.T


@pytest.mark.parametrize("rows", [1024, 7], ids=["at once", "in parts"])
def test_nearest_against_all_pairs(monkeypatch, rows):
    monkeypatch.setattr(nearest, "_ROWS", rows)
    first, second = RNG.normal(size=(5, 4, 6)), RNG.normal(size=(3, 7, 6))
    found = Nearest.of(Places.of([first]), Places.of([second]))
    distances = cosine_distances(first.reshape(-1, 6), second.reshape(-1, 6))
    np.testing.assert_array_equal(found.index, distances.argmin(axis=1))
    assert found.distance == pytest.approx(distances.min(axis=1).mean(), abs=1e-6)
    assert found.back == pytest.approx(distances.min(axis=0).mean(), abs=1e-6)


def test_places_of_several_pictures_that_are_partly_transparent():
    pictures = [RNG.normal(size=shape) for shape in ((4, 6, 5), (3, 2, 5))]
    alpha = np.zeros((4, 6), np.float32)
    alpha[1:, 2:5] = 1
    places = Places.of(pictures, [alpha, None])
    counted = np.concatenate([pictures[0][1:, 2:5].reshape(-1, 5), pictures[1].reshape(-1, 5)])
    np.testing.assert_allclose(
        places.vectors, counted / np.linalg.norm(counted, axis=1, keepdims=True), rtol=1e-6
    )
    np.testing.assert_array_equal(places.rows[:9], np.repeat([1, 2, 3], 3))
    np.testing.assert_array_equal(places.columns, [2, 3, 4] * 3 + [0, 1] * 3)
    assert places.rows[9:].min() > 1000
    first = RNG.normal(size=(3, 3, 5))
    found = Nearest.of(Places.of([first]), places)
    distances = cosine_distances(first.reshape(-1, 5), counted)
    np.testing.assert_array_equal(found.index, distances.argmin(axis=1))
    assert found.back == pytest.approx(distances.min(axis=0).mean(), abs=1e-6)


def test_dead_vectors_are_as_far_as_unrelated_ones():
    dead, alive = Places.of([np.zeros((2, 2, 3))]), Places.of([np.ones((2, 3, 3))])
    found = Nearest.of(dead, alive)
    assert found.distance == found.back == 1


def unrelated(*shape):
    """A map of random features, no two of which are alike."""
    return RNG.normal(size=(*shape, 32))


def copied(picture, painting):
    return copied_places(Nearest.of(Places.of([picture]), Places.of([painting])),
                         picture.shape[:2])


def test_all_of_the_painting_is_copied():
    painting = unrelated(9, 12)
    places, share = copied(painting, painting)
    assert places.all() and share == 1
    places, share = copied(3 * painting[1:, 2:], painting)
    assert places.all() and share == 1


@pytest.mark.parametrize("changed", [
    lambda painting: unrelated(16, 16),
    lambda painting: painting[:, ::-1],
    lambda painting: painting[::-1],
    lambda painting: painting.swapaxes(0, 1),
    # Every second place, and one place over and over.
    lambda painting: painting[::2, ::2],
    lambda painting: np.broadcast_to(painting[5, 6], painting.shape),
    lambda painting: RNG.permutation(painting.reshape(256, -1)).reshape(painting.shape),
], ids=["unrelated", "mirrored", "upside down", "transposed", "smaller", "flat", "shuffled"])
def test_nothing_is_copied(changed):
    painting = unrelated(16, 16)
    places, share = copied(changed(painting), painting)
    assert not places.any() and share == 0


def test_a_pasted_piece_is_found_and_nothing_else():
    painting, picture = unrelated(20, 24), unrelated(30, 26)
    picture[4:15, 8:18] = painting[7:18, 13:23]
    places, share = copied(picture, painting)
    pasted = np.zeros(places.shape, bool)
    pasted[4:15, 8:18] = True
    # The corners lie in no window that is mostly pasted around its middle.
    assert places[pasted].mean() > 0.9
    # Of others, only those whose nearest neighbour happens to be right.
    assert places[~pasted].mean() < 0.01
    assert share == places.mean()


def test_a_piece_may_be_stretched_a_little_and_have_holes():
    painting = unrelated(20, 20)
    stretched = painting[np.round(np.linspace(0, 18, 20)).astype(int)]
    assert copied(stretched, painting)[1] > 0.9
    holes = painting.copy()
    holes[::3, ::3] = unrelated(7, 7)
    places, share = copied(holes, painting)
    assert 0.85 < share < 0.92 and places[::3, ::3].mean() < 0.05


def test_pieces_that_are_smaller_than_the_window():
    painting, picture = unrelated(20, 20), unrelated(20, 20)
    picture[3:8, 3:8] = painting[10:15, 2:7]
    assert not copied(picture, painting)[0].any()


def test_too_small_a_map_tells_nothing():
    painting = unrelated(20, 20)
    places, share = copied(painting[:6], painting)
    assert places.shape == (6, 20) and not places.any() and np.isnan(share)


def test_a_piece_does_not_continue_in_another_painting():
    paintings = [unrelated(10, 8), unrelated(10, 8)]
    # Side by side, where they are in both: halves that are too narrow by themselves.
    halves = np.concatenate([paintings[0][:, :4], paintings[1][:, 4:]], axis=1)
    for painted, expected in (([halves], 1), (paintings, 0)):
        found = Nearest.of(Places.of([halves]), Places.of(painted))
        assert copied_places(found, (10, 8))[1] == expected


def test_of_several_pictures_the_opaque_part_of_the_first_is_looked_at():
    paintings = [unrelated(12, 14), unrelated(9, 9)]
    alpha = np.zeros((12, 14), np.float32)
    alpha[:, 5:] = 1
    places = Places.of(paintings, [alpha, None])
    copied, share = copied_places(Nearest.of(places, places), (12, 14))
    assert not copied[:, :5].any() and share == copied[:, 5:].mean() > 0.95
