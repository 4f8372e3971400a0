"""The first of several pictures in a file, and the part of the canvas that it covers."""

from __future__ import annotations

import struct
from contextlib import suppress

import numpy as np
from PIL import Image

# In other formats, further pictures are not frames: layers, sizes, the other eye of a stereo pair.
_ANIMATED = ("AVIF", "GIF", "TIFF", "WEBP")
# Place of the first chunk of a WebP file. Source: RFC 9649, 2.4.
_WEBP_HEAD = 12


def has_more(image: Image.Image) -> bool:
    """Whether an image that was just opened from a file is not its only one."""
    # Whatever is wrong with the next one says nothing about the first.
    with suppress(Exception):
        return image.format in _ANIMATED and getattr(image, "is_animated", False)
    return False


def uncovered(image: Image.Image) -> np.ndarray | None:
    """Where the first frame of an image that was just opened leaves its canvas empty.

    Returns:
        Boolean `(height, width)`; `None` if the frame covers the canvas.
    """
    box = None
    if image.format == "GIF" and image.tile:
        box = image.tile[0][1]
    elif image.format == "WEBP":
        box = _webp_box(image)
    if box is None or tuple(box) == (0, 0, *image.size):
        return None
    left, top, right, bottom = box
    empty = np.ones(image.size[::-1], bool)
    empty[top:bottom, left:right] = False
    return empty if empty.any() else None


def _webp_box(image: Image.Image) -> tuple[int, int, int, int] | None:
    """The part that the first frame of an animation covers. Source: RFC 9649, 2.7.1.1."""
    file = image.fp
    if file is None:
        return None
    before = file.tell()
    try:
        file.seek(_WEBP_HEAD)
        while len(head := file.read(8)) == 8:
            kind, length = struct.unpack("<4sI", head)
            if kind == b"ANMF":
                left, top, width, height = (
                    int.from_bytes(file.read(3), "little") for _ in range(4))
                return 2 * left, 2 * top, 2 * left + width + 1, 2 * top + height + 1
            file.seek(length + length % 2, 1)
    finally:
        file.seek(before)
    return None
