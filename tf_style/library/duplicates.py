"""Near duplicates: the same picture but for size, compression or shades. No TensorFlow."""

from __future__ import annotations

import numpy as np

from tf_style.image import color
from tf_style.image.resize import resize

# Side of the reduced picture, and of the low frequencies that are kept of it.
_SIDE, _KEPT = 32, 8
# Bits of 64. Unrelated pictures differ in about 32.
MOST_BITS = 8


def picture_hash(picture: np.ndarray) -> int:
    """64 bits that stay about the same when a picture is rescaled, recompressed or recoloured.

    For each low frequency of its luminance, whether it is above the median.

    Args:
        picture: `(height, width, 3)` in `[0, 1]`.

    Returns:
        A signed number of 64 bits, as SQLite holds it.

    Source: Zauner, Implementation and benchmarking of perceptual image hash functions, 2010,
        section 3.2.1.
    """
    gray = color.luminance(resize(picture, _SIDE, _SIDE))
    places = np.arange(_SIDE) + 0.5
    waves = np.cos(np.pi / _SIDE * np.outer(np.arange(_KEPT), places))
    powers = (waves @ gray @ waves.T).ravel()
    return int(np.packbits(powers > np.median(powers)).view(">i8")[0])


def bits_apart(hashes: np.ndarray, one: int) -> np.ndarray:
    """In how many bits each of `hashes`, int64 `(count,)`, differs from `one`."""
    different = np.bitwise_xor(hashes, np.int64(one))
    return np.unpackbits(different.view(np.uint8).reshape(-1, 8), axis=1).sum(axis=1)
