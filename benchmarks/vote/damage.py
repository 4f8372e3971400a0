"""What ruins a result beyond dispute, for questions whose honest answer is known."""

from __future__ import annotations

import numpy as np

_BLOCKS = 24


def noise(picture: np.ndarray) -> np.ndarray:
    """Half the picture, half random pixels of all colours.

    Args:
        picture: uint8 `(height, width, 3)`; so is what all of these return.
    """
    drawn = np.random.default_rng(0).integers(0, 256, picture.shape, np.uint16)
    return ((picture + drawn) // 2).astype(np.uint8)


def blocks(picture: np.ndarray) -> np.ndarray:
    """In squares of one colour, 24 along the long side."""
    height, width = picture.shape[:2]
    side = max(2, max(height, width) // _BLOCKS)
    rows, columns = (np.arange(length) // side * side for length in (height, width))
    return picture[rows[:, None], columns]


def colors(picture: np.ndarray) -> np.ndarray:
    """A photographic negative with red, green and blue exchanged."""
    return 255 - np.roll(picture, 1, axis=2)


DAMAGES = {"noise": noise, "blocks": blocks, "colors": colors}
