import numpy as np
import pytest

from tf_style.library.search import Index, farthest_first, groups, nearest


def drawn(count, length=16, seed=0):
    return np.random.default_rng(seed).standard_normal((count, length)).astype(np.float32)


def test_nearest_against_the_definition():
    descriptors, one = drawn(50), drawn(1, seed=1)[0]
    expected = ((descriptors.astype(float) - one) ** 2).sum(axis=1)
    places, apart = nearest(Index(descriptors), one, 7)
    np.testing.assert_array_equal(places, np.argsort(expected)[:7])
    np.testing.assert_allclose(apart, np.sort(expected)[:7], rtol=1e-4)


def test_nearest_of_few():
    descriptors = drawn(3)
    assert len(nearest(Index(descriptors), descriptors[0], 9)[0]) == 3
    assert len(nearest(Index(descriptors[:0]), descriptors[0], 9)[0]) == 0


def test_distances_are_never_negative():
    descriptors = 1000 + drawn(100)
    assert Index(descriptors).distances(descriptors[3]).min() >= 0


def test_farthest_first_against_the_definition():
    descriptors = drawn(40)
    order = farthest_first(Index(descriptors), 8, first=5)
    assert order[0] == 5
    apart = ((descriptors[:, None].astype(float) - descriptors) ** 2).sum(axis=2)
    for number in range(1, 8):
        least = apart[:, order[:number]].min(axis=1)
        assert order[number] == np.argmax(least)


def test_farthest_first_takes_each_once():
    same = np.ones((5, 3), np.float32)
    assert sorted(farthest_first(Index(same), 9)) == [0, 1, 2, 3, 4]
    assert len(farthest_first(Index(same[:0]), 3)) == 0


def test_groups_are_found():
    centers = 20 * drawn(4)
    descriptors = np.concatenate([center + drawn(30, seed=number)
                                  for number, center in enumerate(centers)])
    found = groups(Index(descriptors))
    for group in found:
        assert len({place // 30 for place in group.places}) == 1
    assert sorted(place for group in found for place in group.places) == list(range(120))
    for group in found:
        if group.within:
            inner = np.concatenate([each.places for each in group.within])
            assert sorted(inner) == sorted(group.places)


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7])
def test_groups_of_few(count):
    found = groups(Index(drawn(count)))
    assert sorted(place for group in found for place in group.places) == list(range(count))


def test_the_first_of_a_group_is_typical():
    descriptors = drawn(200)
    for group in groups(Index(descriptors)):
        members = descriptors[group.places]
        apart = ((members - members.mean(axis=0)) ** 2).sum(axis=1)
        assert np.argmin(apart) == 0
