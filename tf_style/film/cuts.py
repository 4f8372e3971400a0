"""Where a film cuts from one shot to another."""

from __future__ import annotations

import numpy as np

from tf_style.film.extra import needs
from tf_style.image.resize import fitted_size

# Long side of the copies that are compared, side of the blocks that are looked for, in pixels.
_SIDE, _BLOCK = 64, 16
# Shades that each channel is counted in.
_SHADES = 8
# Between what pans by a quarter of the frame reach and what cuts between scenes alike do.
_MOST = 0.08


def is_cut(before: np.ndarray, after: np.ndarray) -> bool:
    """Whether a shot begins between two neighbouring frames.

    It does if neither what is to be seen is found again, wherever it went and however bright it
    became, nor the colours: fast motion leaves the colours, a flash the shapes.

    Args:
        before, after: `(height, width, 3)` in `[0, 1]`, of one size.

    Raises:
        InputError: if OpenCV is missing.
    """
    needs("cv2")
    small = _small(before), _small(after)
    return (1 - _found_again(*small)) * _color_change(*small) > _MOST


def _small(picture: np.ndarray) -> np.ndarray:
    import cv2

    height, width = (max(_BLOCK, side) for side in fitted_size(*picture.shape[:2], _SIDE))
    small = cv2.resize(np.asarray(picture, np.float32), (width, height),
                       interpolation=cv2.INTER_AREA)
    return cv2.GaussianBlur(small, (3, 3), 0)


def _found_again(first: np.ndarray, second: np.ndarray) -> float:
    """How much of each of two pictures is in the other: 1 is all, 0 is none.

    The correlation of blocks with where they fit best. Blocks count by their contrast.
    """
    import cv2

    grays = first.mean(axis=2), second.mean(axis=2)
    likeness, contrast = [], []
    for one, other in (grays, grays[::-1]):
        tops, lefts = (_starts(side) for side in one.shape)
        for top in tops:
            for left in lefts:
                block = one[top : top + _BLOCK, left : left + _BLOCK]
                likeness.append(cv2.matchTemplate(other, block, cv2.TM_CCOEFF_NORMED).max())
                contrast.append(block.std())
    # Where all is flat, all counts the same.
    return float(np.average(likeness, weights=np.add(contrast, 1e-4)))


def _starts(side: int) -> list[int]:
    """Where blocks that cover a side begin."""
    return np.linspace(0, side - _BLOCK, round(side / _BLOCK)).astype(int).tolist()


def _color_change(*pictures: np.ndarray) -> float:
    """The share of the area whose colours are no longer there."""
    counts = []
    for each in pictures:
        shades = np.minimum(each * _SHADES, _SHADES - 1).astype(int) @ (1, _SHADES, _SHADES**2)
        counts.append(np.bincount(shades.ravel(), minlength=_SHADES**3) / shades.size)
    return float(1 - np.minimum(*counts).sum())
