"""How much of a style picture recurs in it: its manner does, a thing that it shows once does not.

A sun, a head or a lone tree is in the statistics of deep layers as well as the strokes that it is
painted with, and an image would get it wherever there is room. So large forms are taken from what
the picture has several times.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tf_style.image.masks import mostly
from tf_style.image.style import Style
from tf_style.loss.places import place_vectors
from tf_style.network.networks import Network

# A place and those around it, within this share of the long side, are one thing.
_NEAR = 3 / 16
# In so many places far away must something be found again.
_AGAIN = 4
# Percentiles of the places: up to the first, what is found again least hardly counts; from the
# second on, what is found again more counts fully. All that differs less than this recurs alike.
_RARE, _COMMON, _LEAST_SPREAD = 5, 60, 0.1
# So that no thing is missed altogether where there is nothing else.
_LEAST = 0.02


def recurrence(network: Network, layers: Sequence[str], style: Style) -> np.ndarray:
    """How much each place of a style counts: the more, the more often its like is found elsewhere.

    Args:
        layers: those that tell things apart, fine to coarse, at least one.

    Returns:
        Float32 `(rows, columns)` in `[0.02, 1]`, coarser than the picture; `(1, 1)`, all 1, for a
        picture that is too small or the same everywhere, or of which a mask leaves too little.

    Source: our own. That what recurs within a picture characterises it is Shechtman, Irani, CVPR
        2007 (self-similarity); that a covariance is to be estimated without outliers, Maronna,
        Annals of Statistics 1976.
    """
    vectors = place_vectors(network, layers, style.picture) if style.share else None
    if vectors is None:
        return np.ones((1, 1), np.float32)
    rows, columns, features = vectors.shape
    places = vectors.reshape(-1, features)
    likeness = places @ places.T
    down, across = np.divmod(np.arange(len(places)), columns)
    apart = np.maximum(*(np.abs(each[:, None] - each) for each in (down, across)))
    counts = mostly(style.mask, rows, columns).ravel()
    elsewhere = (apart >= _NEAR * max(rows, columns)) & counts
    if elsewhere[counts].sum(axis=1).min() < _AGAIN:
        return np.ones((1, 1), np.float32)
    likeness[~elsewhere] = -1
    found = np.sort(likeness, axis=1)[:, -_AGAIN:].mean(axis=1)
    rare, common = np.percentile(found[counts], [_RARE, _COMMON])
    weights = 1 - (common - found) / max(common - rare, _LEAST_SPREAD)
    return np.clip(weights, _LEAST, 1).astype(np.float32).reshape(rows, columns)
