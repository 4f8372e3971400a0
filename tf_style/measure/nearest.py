"""Which place of a painting each place of a picture is most like, and what follows from it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from tf_style.image.masks import mostly

# Similarities are computed for so many places at a time, which bounds memory.
_ROWS = 1024
# Side of the window in which places must continue one another, and how many of its places must.
# Measured with pasted pieces and smoothed noise: 5 and 20 find no more of the pieces, and blobs.
_WINDOW, _AGREEING = 7, 36


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
        first, second: the two sets.
        index: for each place of the first its nearest of the second, `(count,)`.
        distance: mean distance of the first's places to their nearest.
        back: mean distance of the second's places to their nearest of the first.

    Source: the two halves of the relaxed earth mover's distance of Kolkin, Salavon, Shakhnarovich,
        Style Transfer by Relaxed Optimal Transport and Self-Similarity, 2019, equation 3.
    """

    first: Places
    second: Places
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
        return cls(first, second, index, _mean_distance(most), _mean_distance(most_back))


def _mean_distance(similarities: np.ndarray) -> float:
    return float(np.mean(1 - np.minimum(similarities, 1), dtype=np.float64))


def copied_places(nearest: Nearest, shape: tuple[int, int]) -> tuple[np.ndarray, float]:
    """Where a picture continues the painting as the painting itself does.

    In some window of 7x7 places, the nearest neighbours of at least 36 are displaced as that of the
    place in the middle is, to within one row and one column. Those places are copied.

    Args:
        nearest: of the places of a picture in the painting's. Of several pictures' places, the
            first one's are looked at.
        shape: of the picture's feature map.

    Returns:
        bool, of `shape`; and the share of the picture's places. Nothing and `nan` for a map with a
        side under 7.
    """
    copied = np.zeros(shape, bool)
    if min(shape) < _WINDOW:
        return copied, float("nan")
    moves = _moves(nearest, shape)
    windows = sliding_window_view(moves, (_WINDOW, _WINDOW), axis=(1, 2))
    middle = windows[..., _WINDOW // 2, _WINDOW // 2][..., None, None]
    together = (np.abs(windows - middle) <= 1).all(axis=0)
    runs = together & (together.sum(axis=(-2, -1), keepdims=True) >= _AGREEING)
    for row in range(_WINDOW):
        for column in range(_WINDOW):
            part = runs[..., row, column]
            copied[row : row + part.shape[0], column : column + part.shape[1]] |= part
    return copied, float(copied.sum() / np.isfinite(moves[0]).sum())


def _moves(nearest: Nearest, shape: tuple[int, int]) -> np.ndarray:
    """How far from each place its nearest is, `(2, *shape)`; `nan` where no place counts."""
    own, found = nearest.first, nearest.second
    moves = np.full((2, *shape), np.nan)
    one = own.rows < shape[0]
    rows, columns, index = own.rows[one], own.columns[one], nearest.index[one]
    moves[:, rows, columns] = found.rows[index] - rows, found.columns[index] - columns
    return moves
