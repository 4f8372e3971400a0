"""What JPEG does to a picture: its blocks, their transform, its colours, its rounding, its end."""

from __future__ import annotations

import hashlib
import io
import math
import re
from collections.abc import Callable

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

_END = b"\xff\xd9"
# So many zeros in a row are no pixels, but fill up what was cut off.
_ZEROS = 4
# Bytes enough to show in a block that is not complete.
_FILLING = 256
# A marker that is neither stuffing nor a restart. Source: ITU-T T.81, table B.1.
_MARKER = re.compile(rb"\xff([^\x00\xff\xd0-\xd7])")
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_SCAN = 0xDA
_METADATA = {*range(0xE0, 0xF0), 0xFE}
# Bytes in the segment that says how colours are stored. Source: ITU-T T.872, 6.5.3.
_ADOBE = 12


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


def bare(content: bytes) -> bytes:
    """A file without its metadata, but for what says how its pixels are to be shown."""
    parts, place = [content[:2]], 2
    while match := _MARKER.match(content, place):
        kind, start = match[1][0], match.end()
        if kind == _SCAN:
            break
        end = start + int.from_bytes(content[start : start + 2], "big")
        segment = content[start + 2 : end]
        is_shown = segment.startswith(b"Exif\0\0") or (
            segment.startswith(b"Adobe") and len(segment) == _ADOBE)
        if kind not in _METADATA or is_shown:
            parts.append(content[place:end])
        place = end
    return b"".join([*parts, content[place:]])


def is_cut_off(
    content: bytes, decoded: Image.Image, prepare: Callable[[Image.Image], None]
) -> bool:
    """Whether an end marker stands before the end of the pixels: other bytes would change them.

    Args:
        decoded: the image in the file, as it was stored.
        prepare: as for `ended`.
    """
    end = content.rfind(_END) if _END in content else len(content)
    filled = content[:end] + b"\xaa" * _FILLING + _END
    with Image.open(io.BytesIO(filled), formats=["JPEG"]) as image:
        prepare(image)
        return image.tobytes() != decoded.tobytes()


def ended(content: bytes, prepare: Callable[[Image.Image], None]) -> bytes:
    """A file that lacks its end marker, with one.

    A decoder goes on with whatever follows. If the pixels are the same whatever that is, they are
    all in the file.

    Args:
        prepare: called with an image that was just opened, before it is decoded.

    Raises:
        ValueError: if pixels are missing.
    """
    # Half an end marker, or the zeros of a download that was cut off; stuffing belongs to pixels.
    kept = content.rstrip(b"\0\xff")
    if content.count(b"\0", len(kept)) < _ZEROS:
        # A few zeros belong to flat pixels.
        kept = content.rstrip(b"\xff")
    content = kept + re.match(rb"(?:\xff\0)*", content[len(kept):])[0]
    found = set()
    for filling in (b"\0", b"\xaa", b"\xfe"):
        file = io.BytesIO(content + filling * _FILLING + _END)
        with Image.open(file, formats=["JPEG"]) as image:
            prepare(image)
            found.add(hashlib.sha256(image.tobytes()).digest())
    if len(found) > 1 or not _has_all_scans(content):
        raise ValueError("the file ends too early")
    return content + _END


def _has_all_scans(content: bytes) -> bool:
    """Whether the scans of a picture hold all its coefficients to their last bit.

    Source: ITU-T T.81, B.2.2 and B.2.3, G.1.1.1.
    """
    missing: set[tuple[int, int]] = set()
    place = 2
    while match := _MARKER.search(content, place):
        kind, start = match[1][0], match.end()
        place = start + int.from_bytes(content[start : start + 2], "big")
        segment = content[start + 2 : place]
        if kind == _END[1]:
            break
        if kind in _FRAMES:
            missing = {(name, band) for name in segment[6::3] for band in range(SIDE**2)}
        if kind == _SCAN:
            count = segment[0]
            first, last, bits = segment[1 + 2 * count : 4 + 2 * count]
            if bits & 15 == 0:
                missing -= {(name, band) for name in segment[1 : 1 + 2 * count : 2]
                            for band in range(first, last + 1)}
    return not missing
