"""How far the texture of one picture is from that of another, without any network."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tf_style.image.masks import mostly
from tf_style.image.resize import resize
from tf_style.measure.distances import projected_quantiles, quantile_distance

SIDE = 7
SCALES = 3
# Patches at a scale: more of them change the third digit.
_MOST = 1 << 16


def patch_quantiles(
    pictures: Sequence[np.ndarray], alphas: Sequence[np.ndarray | None] | None = None
) -> list[np.ndarray]:
    """Statistics of the 7x7 patches of pixels of one or several pictures, at three scales.

    The first two scales hold what the next coarser one lacks: detail of about 1 and 2 pixels. The
    third is what is left, at a quarter of the size: larger forms and the colours.

    Args:
        pictures: `(height, width, 3)` in `[0, 1]`; the patches of several are pooled.
        alphas: how opaque each picture is, `(height, width)` in `[0, 1]`, or `None`; patches whose
            middle is mostly transparent do not count. By default all are opaque.

    Returns:
        For each scale what `projected_quantiles` returns for its patches, of 147 values each.

    Source: Karras, Aila, Laine, Lehtinen, Progressive Growing of GANs, 2018, section 5; there,
        each picture's patches first get mean 0 and deviation 1 in each channel, so that its
        palette does not count.
    """
    most = _MOST // len(pictures)
    return [
        projected_quantiles(np.concatenate([
            _patches(level, alpha, most)
            for level, alpha in zip(levels, alphas or [None] * len(pictures), strict=True)
        ]))
        for levels in zip(*map(_pyramid, pictures), strict=True)
    ]


def _pyramid(picture: np.ndarray) -> list[np.ndarray]:
    """Laplacian pyramid, fine first."""
    levels = []
    for _ in range(SCALES - 1):
        height, width = picture.shape[:2]
        smaller = resize(picture, max(1, height // 2), max(1, width // 2), smooth=True)
        levels.append(picture - resize(smaller, height, width, smooth=True))
        picture = smaller
    return [*levels, picture]


def _patches(level: np.ndarray, alpha: np.ndarray | None, most: int) -> np.ndarray:
    """At most so many patches of a level, evenly drawn, `(count, 147)`."""
    reach = SIDE // 2
    padded = np.pad(level, ((reach, reach), (reach, reach), (0, 0)), mode="symmetric")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (SIDE, SIDE), axis=(0, 1))
    chosen = np.flatnonzero(mostly(alpha, *level.shape[:2]))
    if len(chosen) > most:
        chosen = np.sort(np.random.default_rng(0).choice(chosen, most, replace=False))
    rows, columns = np.unravel_index(chosen, level.shape[:2])
    return windows[rows, columns].reshape(len(chosen), -1)


def patch_distance(first: Sequence[np.ndarray], second: Sequence[np.ndarray]) -> float:
    """Mean over scales of the sliced Wasserstein distance, in shares of the second's spread.

    Args:
        first, second: as returned by `patch_quantiles`.

    Returns:
        0 for the same patches in any order.
    """
    return float(np.mean([
        quantile_distance(one, other) / max(spread(other), 1e-6)
        for one, other in zip(first, second, strict=True)
    ]))


def spread(quantiles: np.ndarray) -> float:
    """Mean standard deviation of the values that have these quantiles."""
    return float(quantiles.std(axis=1).mean())
