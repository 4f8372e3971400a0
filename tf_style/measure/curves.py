"""Several pictures of one method, and what they would measure at another's content similarity."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence

import numpy as np

from tf_style.measure.metrics import Evaluation


@dataclasses.dataclass(frozen=True)
class Reading:
    """A curve read at one content similarity.

    Attributes:
        evaluation: its measures there; `nan` where the curve has a single point elsewhere.
        extrapolated: whether it lies beyond the curve's own pictures.
    """

    evaluation: Evaluation
    extrapolated: bool


def read_at(curve: Sequence[Evaluation], content_similarity: float) -> Reading:
    """Read each measure of a curve at a content similarity.

    Between two pictures it is interpolated linearly; beyond the last one it is extrapolated from
    the last two.

    Args:
        curve: pictures of one method that keep more or less of the content, in any order.
    """
    points = _by_similarity(curve)
    kept = np.array([point[0] for point in points])
    extrapolated = not kept.min() <= content_similarity <= kept.max()
    if len(points) == 1:
        values = points[0][1] if not extrapolated else np.full_like(points[0][1], np.nan)
    else:
        above = int(np.clip(np.searchsorted(kept, content_similarity), 1, len(points) - 1))
        share = (content_similarity - kept[above - 1]) / (kept[above] - kept[above - 1])
        values = (1 - share) * points[above - 1][1] + share * points[above][1]
    return Reading(Evaluation(*map(float, values)), extrapolated)


def _by_similarity(curve: Sequence[Evaluation]) -> list[tuple[float, np.ndarray]]:
    """Content similarity and all measures, the lowest first; equal ones are averaged.

    Pictures whose content similarity could not be measured are left out.

    Raises:
        ValueError: if it could not be measured for any.
    """
    found: dict[float, list[np.ndarray]] = {}
    for each in curve:
        if np.isfinite(each.content_similarity):
            found.setdefault(each.content_similarity, []).append(
                np.array(dataclasses.astuple(each))
            )
    if not found:
        raise ValueError("expected a picture whose content similarity could be measured")
    return [(kept, np.mean(found[kept], axis=0)) for kept in sorted(found)]


def common_content(curves: Iterable[Sequence[Evaluation]]) -> float:
    """A content similarity at which all curves can be compared.

    The middle of what all have in common; or of the gap, if some have nothing in common.
    """
    kept = [[point for point, _ in _by_similarity(curve)] for curve in curves]
    return (max(min(each) for each in kept) + min(max(each) for each in kept)) / 2
