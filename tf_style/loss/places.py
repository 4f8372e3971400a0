"""What is where in a picture, as a network's deep layers see it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from tf_style.image.resize import fit
from tf_style.network.networks import Network

# Long side at which pictures are looked at, in pixels: large enough for things, and cheap.
_SIDE = 256
# Of a picture's values: of one that varies less, a network sees rounding and the edge.
_LEAST_RANGE = 2 / 255


def place_vectors(
    network: Network, layers: Sequence[str], picture: np.ndarray
) -> np.ndarray | None:
    """What is where in a picture.

    Args:
        layers: whose maps are looked at together, fine to coarse.
        picture: `(height, width, 3)` in `[0, 1]`.

    Returns:
        `(rows, columns, features)`, of length 1 at each place; their cosines say how alike two
        places are. `None` for a picture that is too small, or the same everywhere.
    """
    shown = fit(picture, _SIDE)
    if min(shown.shape[:2]) < network.least_size or np.ptp(shown) < _LEAST_RANGE:
        return None
    maps = network.model(tf.constant(shown[None], tf.float32), training=False)
    rows, columns = maps[layers[-1]].shape[1:3]
    found = []
    for layer in layers:
        values = tf.image.resize(tf.cast(maps[layer], tf.float32), (rows, columns), "area")[0]
        values = values.numpy() - values.numpy().mean((0, 1))
        found.append(values / (np.sqrt(np.square(values).sum(-1).mean()) + 1e-6))
    return of_length_one(_smooth(np.concatenate(found, axis=-1)))


def _smooth(values: np.ndarray) -> np.ndarray:
    """Each place's mean with its four neighbours, of which it counts as two."""
    wide = np.pad(values, [(1, 1), (1, 1), (0, 0)], mode="edge")
    return (wide[:-2, 1:-1] + wide[2:, 1:-1] + wide[1:-1, :-2] + wide[1:-1, 2:] + 2 * values) / 6


def of_length_one(vectors: np.ndarray) -> np.ndarray:
    """The vectors along the last axis, but of length 1; those of length 0 stay."""
    return vectors / (np.linalg.norm(vectors, axis=-1, keepdims=True) + 1e-6)
