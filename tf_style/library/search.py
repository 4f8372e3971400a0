"""Searching descriptors: what is near, what is different, what belongs together. NumPy alone."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np

_ROUNDS, _ENOUGH = 12, 5000
# Groups of a level: as many as are taken in at a glance.
_MOST, _MOST_WITHIN = 8, 6


@dataclasses.dataclass(frozen=True)
class Group:
    """Pictures that are more like each other than like others.

    Attributes:
        places: of its descriptors among all, the most typical first, then each as different as
            possible from those before.
        within: the groups that it consists of; none for a small one.
    """

    places: np.ndarray
    within: tuple[Group, ...] = ()


class Index:
    """Descriptors, ready to be searched.

    Args:
        descriptors: float32 `(count, length)`.
    """

    def __init__(self, descriptors: np.ndarray):
        self.descriptors = descriptors
        self._squares = np.einsum("ij,ij->i", descriptors, descriptors)

    def __len__(self) -> int:
        return len(self.descriptors)

    def distances(self, one: np.ndarray) -> np.ndarray:
        """Squared distances from one descriptor, float32 `(count,)`, at least 0."""
        # Not the square of a difference: that would be a second array as large as all descriptors.
        return np.maximum(self._squares - 2 * (self.descriptors @ one) + one @ one, 0)

    @functools.cached_property
    def typical(self) -> int:
        """The place of the one nearest to the mean."""
        return int(np.argmin(self.distances(self.descriptors.mean(axis=0))))


def nearest(index: Index, one: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The places of the descriptors nearest to one, nearest first, and their squared distances."""
    apart = index.distances(one)
    count = min(count, len(apart))
    if not count:
        return np.zeros(0, np.int64), apart[:0]
    places = np.argpartition(apart, count - 1)[:count]
    places = places[np.argsort(apart[places], kind="stable")]
    return places, apart[places]


def farthest_first(index: Index, count: int, first: int | None = None) -> np.ndarray:
    """Places of descriptors that stand for all: each is as far as possible from those before.

    Args:
        first: the first of them; by default the one nearest to the mean.

    Source: Gonzalez, Clustering to minimize the maximum intercluster distance, 1985.
    """
    if not len(index):
        return np.zeros(0, np.int64)
    chosen = [index.typical if first is None else first]
    apart = np.full(len(index), np.inf, np.float32)
    while True:
        apart = np.minimum(apart, index.distances(index.descriptors[chosen[-1]]))
        # At a distance of 0, but for rounding; so may be others.
        apart[chosen] = -1
        if len(chosen) >= min(count, len(index)):
            return np.array(chosen, np.int64)
        chosen.append(int(np.argmax(apart)))


def groups(index: Index, order: int = 8) -> list[Group]:
    """Groups of pictures in two levels, so that those that differ most come first.

    Args:
        order: how many of a group are ordered; the others follow as they come.

    Source: of each level: Lloyd, Least squares quantization in PCM, 1982.
    """
    found = []
    for places in _parts(index, _MOST):
        members = Index(index.descriptors[places])
        within = _parts(members, _MOST_WITHIN)
        found.append(Group(
            _ordered(index, places, order),
            tuple(Group(_ordered(index, places[each], order)) for each in within)
            if len(within) > 1 else (),
        ))
    return found


def _ordered(index: Index, places: np.ndarray, order: int) -> np.ndarray:
    first = farthest_first(Index(index.descriptors[places]), order)
    rest = np.setdiff1d(np.arange(len(places)), first)
    return places[np.concatenate([first, rest])]


def _parts(index: Index, most: int) -> list[np.ndarray]:
    """The places of the descriptors of each part, the parts that differ most first."""
    count = min(most, round(np.sqrt(len(index) / 2)))
    if count < 2:
        return [np.arange(len(index))] if len(index) else []
    # A few thousand tell where the groups are.
    some = np.ascontiguousarray(index.descriptors[:: -(-len(index) // _ENOUGH)])
    centers = some[_spread(Index(some), count)]
    for _ in range(_ROUNDS):
        nearest_one = _nearest_center(some, centers)
        centers = np.stack([
            some[nearest_one == each].mean(axis=0) if np.any(nearest_one == each) else center
            for each, center in enumerate(centers)
        ])
    nearest_one = _nearest_center(index.descriptors, centers)
    kept = [each for each in range(len(centers)) if np.any(nearest_one == each)]
    return [np.flatnonzero(nearest_one == kept[each]) for each in
            farthest_first(Index(centers[kept]), len(kept))]


def _spread(index: Index, count: int) -> np.ndarray:
    """Places to start from, far apart, but no outliers that would be groups of their own.

    Source: Arthur, Vassilvitskii, k-means++, SODA 2007.
    """
    draws = np.random.default_rng(0)
    chosen = [index.typical]
    apart = np.full(len(index), np.inf)
    while len(chosen) < count:
        apart = np.minimum(apart, index.distances(index.descriptors[chosen[-1]]))
        apart[chosen] = 0
        if not apart.any():
            break
        chosen.append(int(draws.choice(len(apart), p=apart / apart.sum())))
    return np.array(chosen)


def _nearest_center(descriptors: np.ndarray, centers: np.ndarray) -> np.ndarray:
    squares = np.einsum("ij,ij->i", centers, centers)
    return np.argmin(squares - 2 * (descriptors @ centers.T), axis=1)
