"""What JPEG does to a picture: its blocks, their transform, its colours, its rounding."""

from __future__ import annotations

import io
import math

import numpy as np
from PIL import Image

SIDE = 8
_FREQUENCY, _PLACE = np.mgrid[:SIDE, :SIDE]
_COSINES = np.cos(np.pi * _FREQUENCY * (2 * _PLACE + 1) / (2 * SIDE))
_COSINES *= np.where(_FREQUENCY, math.sqrt(2 / SIDE), math.sqrt(1 / SIDE))
_DCT = np.kron(_COSINES, _COSINES).astype(np.float32)

# Rows: luma and the two colour differences of JPEG. Source: ITU-R BT.601.
COLOR = np.array(
    [[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]]
)


def transformed(plane: np.ndarray) -> np.ndarray:
    """The cosine coefficients of the blocks of a plane, `(blocks, 64)`."""
    height, width = plane.shape
    blocks = plane.reshape(height // SIDE, SIDE, width // SIDE, SIDE).swapaxes(1, 2)
    return blocks.reshape(-1, SIDE**2) @ _DCT.T


def restored(coefficients: np.ndarray, height: int, width: int) -> np.ndarray:
    """The plane whose blocks have these coefficients: the inverse of `transformed`."""
    blocks = (coefficients @ _DCT).reshape(height // SIDE, width // SIDE, SIDE, SIDE)
    return blocks.swapaxes(1, 2).reshape(height, width)


def coded(image: Image.Image, level: int) -> Image.Image:
    """A picture after compression: gray, or, if it has colours, in JPEG's own colour space."""
    file = io.BytesIO()
    image.save(file, "JPEG", quality=level)
    with Image.open(file) as found:
        if image.mode != "L":
            found.draft("YCbCr", found.size)
        found.load()
        return found
