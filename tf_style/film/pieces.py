"""Films cut into pieces that processes or machines can paint by themselves. No TensorFlow."""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Iterable, Sequence

import numpy as np

from tf_style.film.cuts import is_cut

# Frames that are painted before a piece that begins within a shot, so that it begins as steady as
# it goes on.
_WARM = 8
# How far a boundary moves to reach a cut, as a share of a piece's length.
_REACH = 0.4


@dataclasses.dataclass(frozen=True)
class Piece:
    """Frames of a film, one after another.

    Attributes:
        start, end: numbers of the first, and of the one after the last.
        warm: where painting begins: before `start` if that is within a shot; what is painted up to
            there is not kept.
    """

    start: int
    end: int
    warm: int


def cuts_of(pictures: Iterable[np.ndarray]) -> tuple[int, list[int]]:
    """How many frames there are, and the numbers of those that begin a shot, the first included.

    Args:
        pictures: `(height, width, 3)` uint8; of one that moves through them only once.
    """
    before, count, found = None, 0, []
    for number, picture in enumerate(pictures):
        values = picture.astype(np.float32) / 255
        if before is None or is_cut(before, values):
            found.append(number)
        before, count = values, number + 1
    return count, found


def pieces(count: int, cuts: Sequence[int], parts: int) -> list[Piece]:
    """A film in pieces of about equal length, cut where shots begin if one begins near.

    Args:
        count: frames of the film.
        cuts: numbers of the frames that begin a shot.
        parts: how many pieces, at most one for each frame.

    Returns:
        Pieces that together are the film, in order.
    """
    parts = max(1, min(parts, count))
    length = count / parts
    bounds = [0]
    for part in range(1, parts):
        wanted = round(part * length)
        near = [cut for cut in cuts if abs(cut - wanted) <= _REACH * length and cut > bounds[-1]]
        bounds.append(min(near, key=lambda cut: abs(cut - wanted), default=wanted))
    bounds.append(count)
    return [
        Piece(start, end, start if start in cuts else max(
            0, start - _WARM, *(cut for cut in cuts if cut <= start)))
        for start, end in itertools.pairwise(bounds)
    ]
