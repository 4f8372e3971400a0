"""Which place of a painting each place of a picture is most like, and what follows from it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from tf_style.image.masks import mostly

# Similarities are computed for so many places at a time, which bounds memory.
_ROWS = 1024
# Sides of the window in which places must continue one another, and how many of its places.
_WINDOW, _AGREEING = 5, 20


@dataclasses.dataclass(frozen=True)
class Places:
    """Feature vectors and where they are.

    Attributes:
        vectors: `(count, channels)`, of length 1.
        rows, columns: `(count,)`, of the feature map. The places of several pictures are so far
            apart that none continues one of another picture.
    """

    vectors: np.ndarray
    rows: np.ndarray
    columns: np.ndarray

    @classmethod
    def of(
        cls, maps: Sequence[np.ndarray], alphas: Sequence[np.ndarray | None] | None = None
    ) -> Places:
        """The places of feature maps `(h, w, channels)` of one or several pictures.

        Args:
            alphas: how opaque each picture is, `(height, width)` in `[0, 1]`, or `None`; what is
                mostly transparent does not count. By default all are opaque.
        """
        vectors, rows, columns = [], [], []
        for number, (features, alpha) in enumerate(
            zip(maps, alphas or [None] * len(maps), strict=True)
        ):
            counted = mostly(alpha, *features.shape[:2])
            at, across = np.nonzero(counted)
            vectors.append(_of_length_one(features[counted]))
            rows.append(at + number * 1_000_000)
            columns.append(across)
        return cls(*map(np.concatenate, (vectors, rows, columns)))


def _of_length_one(vectors: np.ndarray) -> np.ndarray:
    vectors = vectors.astype(np.float32)
    # A dead feature vector is as far from all others as unrelated ones are.
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)


@dataclasses.dataclass(frozen=True)
class Nearest:
    """The nearest neighbours of two sets of places in each other.

    Distance is 1 − the cosine of two feature vectors: 0 for the same direction, 1 for unrelated.

    Attributes:
        index: for each place of the first its nearest of the second, `(count,)`.
        distance: mean distance of the first's places to their nearest.
        back: mean distance of the second's places to their nearest of the first.

    Source: the two halves of the relaxed earth mover's distance of Kolkin, Salavon, Shakhnarovich,
        Style Transfer by Relaxed Optimal Transport and Self-Similarity, 2019, equation 3.
    """

    index: np.ndarray
    distance: float
    back: float

    @classmethod
    def of(cls, first: Places, second: Places) -> Nearest:
        """Find them."""
        index = np.empty(len(first.vectors), np.int64)
        most = np.empty(len(first.vectors), np.float32)
        most_back = np.full(len(second.vectors), -1, np.float32)
        for start in range(0, len(index), _ROWS):
            part = slice(start, start + _ROWS)
            similarity = first.vectors[part] @ second.vectors.T
            index[part] = similarity.argmax(axis=1)
            most[part] = similarity[np.arange(len(similarity)), index[part]]
            np.maximum(most_back, similarity.max(axis=0), out=most_back)
        return cls(index, _mean_distance(most), _mean_distance(most_back))


def _mean_distance(similarities: np.ndarray) -> float:
    return float(np.mean(1 - np.minimum(similarities, 1), dtype=np.float64))


def copied_places(nearest: Nearest, shape: tuple[int, int], painting: Places) -> np.ndarray:
    """Where a picture continues the painting as the painting itself does.

    In a window of 5x5 places, the nearest neighbours of at least 20 lie beside each other as the
    places do, to within one place. Then those of the window that do so are copied.

    Args:
        nearest: of all places of a picture in the painting's.
        shape: of the picture's feature map.
        painting: the places that `nearest` points to.

    Returns:
        bool, of `shape`; nothing in a map with a side under 5.
    """
    copied = np.zeros(shape, bool)
    if min(shape) < _WINDOW:
        return copied
    moves = np.stack([
        painting.rows[nearest.index].reshape(shape) - np.arange(shape[0])[:, None],
        painting.columns[nearest.index].reshape(shape) - np.arange(shape[1]),
    ])
    windows = sliding_window_view(moves, (_WINDOW, _WINDOW), axis=(1, 2))
    middle = windows[..., _WINDOW // 2, _WINDOW // 2][..., None, None]
    together = (np.abs(windows - middle) <= 1).all(axis=0)
    runs = together & (together.sum(axis=(-2, -1), keepdims=True) >= _AGREEING)
    for row in range(_WINDOW):
        for column in range(_WINDOW):
            part = runs[..., row, column]
            copied[row : row + part.shape[0], column : column + part.shape[1]] |= part
    return copied
